# Everything irezone stands on is a Debian package; scripts/install-packages.sh installs them.
set(IREZONE_LANGUAGE C)
include(IrezonePackages)
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 QUIET COMPONENTS C)
if(NOT HDF5_FOUND OR NOT HDF5_IS_PARALLEL)
  list(APPEND IREZONE_MISSING "HDF5 built for MPI")
endif()
find_library(GMSH_LIBRARY gmsh)
find_path(GMSH_INCLUDE_DIR gmshc.h)
if(NOT GMSH_LIBRARY OR NOT GMSH_INCLUDE_DIR)
  list(APPEND IREZONE_MISSING gmsh)
endif()
find_path(NIFTI_INCLUDE_DIR nifti1_io.h PATH_SUFFIXES nifti)
if(NOT NIFTI_INCLUDE_DIR)
  list(APPEND IREZONE_MISSING nifti1_io.h)
endif()
if(IREZONE_MISSING)
  list(JOIN IREZONE_MISSING ", " names)
  message(FATAL_ERROR "irezone needs what was not found: ${names}. On Debian: scripts/install-packages.sh build")
endif()

add_library(irezone_dependencies INTERFACE)
target_include_directories(irezone_dependencies SYSTEM INTERFACE ${GMSH_INCLUDE_DIR} ${NIFTI_INCLUDE_DIR}
                                                                 ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(
  irezone_dependencies
  INTERFACE PkgConfig::PETSC
            PkgConfig::YAML
            PkgConfig::JANSSON
            PkgConfig::GSL
            PkgConfig::ZLIB
            OpenMP::OpenMP_C
            Threads::Threads
            MPI::MPI_C
            ${HDF5_C_LIBRARIES}
            ${CMAKE_DL_LIBS}
            ${NIFTI_LIBRARY}
            ${BZIP2_LIBRARY}
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
            $<$<C_COMPILER_ID:Clang>:-Wno-pass-failed> # a loop that Clang does not turn into vectors is no fault
            $<$<BOOL:${IREZONE_WERROR}>:-Werror>
            # Errors of mathematical functions are looked for in their values; nothing traps.
            -fno-math-errno
            -fno-trapping-math
            # Products and sums are rounded one by one, so that results do not depend on the instructions of the processor.
            -ffp-contract=off
            # Packages do not tell where they were built; debuggers want to know.
            $<$<NOT:$<CONFIG:Debug,RelWithDebInfo>>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=>
            $<$<AND:$<BOOL:${IREZONE_NATIVE}>,$<NOT:$<BOOL:${IREZONE_SANITIZE}>>>:-march=native>)
if(IREZONE_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "IREZONE_FUZZ needs Clang: -DCMAKE_C_COMPILER=clang")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(IREZONE_SANITIZE)
  add_compile_definitions(IRZ_SANITIZED)
endif()
if(IREZONE_SANITIZE STREQUAL thread)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(IREZONE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
