# Everything irezone stands on is a Debian package; scripts/install-packages.sh installs them.
include(IrezonePackages)
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "irezone needs an HDF5 built for MPI (Debian: libhdf5-openmpi-dev)")
endif()
find_library(GMSH_LIBRARY gmsh REQUIRED)
find_path(GMSH_INCLUDE_DIR gmshc.h REQUIRED)
find_library(NIFTI_LIBRARY niftiio REQUIRED)
find_path(NIFTI_INCLUDE_DIR nifti1_io.h PATH_SUFFIXES nifti REQUIRED)

add_library(irezone_dependencies INTERFACE)
target_include_directories(irezone_dependencies SYSTEM INTERFACE ${GMSH_INCLUDE_DIR} ${NIFTI_INCLUDE_DIR}
                                                                 ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(
  irezone_dependencies
  INTERFACE PkgConfig::PETSC
            PkgConfig::FYAML
            PkgConfig::JANSSON
            PkgConfig::GSL
            PkgConfig::ZLIB
            OpenMP::OpenMP_C
            MPI::MPI_C
            ${HDF5_C_LIBRARIES}
            ${CMAKE_DL_LIBS}
            ${NIFTI_LIBRARY}
            m)

add_library(irezone_flags INTERFACE)
target_compile_options(
  irezone_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wstrict-prototypes
            -Wmissing-prototypes
            -Wpointer-arith
            -Wvla
            -Wno-overlength-strings
            $<$<BOOL:${IREZONE_WERROR}>:-Werror>
            $<$<AND:$<BOOL:${IREZONE_NATIVE}>,$<NOT:$<BOOL:${IREZONE_SANITIZE}>>>:-march=native>)
if(IREZONE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
