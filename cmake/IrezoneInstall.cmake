# Install the program, the library, its headers, a CMake package and a pkg-config file.
set(IREZONE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/irezone)
# The program finds a shared library from where it is itself: any prefix will do, and a moved one.
if(BUILD_SHARED_LIBS AND NOT DEFINED CMAKE_INSTALL_RPATH)
  file(RELATIVE_PATH folder ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(irezone_cli PROPERTIES INSTALL_RPATH $ORIGIN/${folder})
endif()
install(TARGETS irezone_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(
  TARGETS irezone
  EXPORT irezoneTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY include/irezone DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development FILES_MATCHING
        PATTERN "*.h")
# Where Debian's Python 3 looks below /usr; elsewhere PYTHONPATH has to name it. pip installs it, too: python/README.md.
install(DIRECTORY python/irezone DESTINATION lib/python3/dist-packages COMPONENT python PATTERN __pycache__ EXCLUDE)
install(FILES LICENSE README.md CHANGELOG.md CITATION.cff codemeta.json DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program PATTERN irezone.1 EXCLUDE
        PATTERN __pycache__ EXCLUDE)
install(DIRECTORY meshes DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program # that examples name
        PATTERN *.py EXCLUDE PATTERN __pycache__ EXCLUDE)

# irezone_module_of(VARIABLE MODULES LIBRARIES): the first pkg-config module that names no other libraries than these.
# A module is found again wherever it is installed; a path is not.
function(irezone_module_of variable modules libraries)
  set(known "")
  foreach(library ${libraries})
    file(REAL_PATH "${library}" path)
    list(APPEND known "${path}")
  endforeach()
  set(${variable} "" PARENT_SCOPE)
  foreach(module ${modules})
    string(MAKE_C_IDENTIFIER "IREZONE_TRIED_${module}" tried)
    pkg_check_modules(${tried} QUIET ${module})
    set(same ${${tried}_FOUND})
    foreach(library ${${tried}_LINK_LIBRARIES})
      file(REAL_PATH "${library}" path)
      if(NOT path IN_LIST known)
        set(same FALSE)
      endif()
    endforeach()
    if(same)
      set(${variable} ${module} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# irezone_link_flags(VARIABLE LIBRARIES): -Lfolder -lname for each path, others as they are
function(irezone_link_flags variable)
  set(flags "")
  foreach(library ${ARGN})
    string(REGEX REPLACE "^(.*)/lib([^/]*)\\.(so|a)$" "-L\\1 -l\\2" flag "${library}")
    list(APPEND flags ${flag})
  endforeach()
  list(JOIN flags " " flags)
  set(${variable} "${flags}" PARENT_SCOPE)
endfunction()

irezone_module_of(IREZONE_MPI_MODULE "ompi-c;mpich" "${MPI_C_LIBRARIES}")
irezone_module_of(IREZONE_HDF5_MODULE "hdf5-openmpi;hdf5-mpich;hdf5" "${HDF5_C_LIBRARIES};${MPI_C_LIBRARIES}")

# find_package(irezone) gives irezone::irezone
install(EXPORT irezoneTargets NAMESPACE irezone:: DESTINATION ${IREZONE_CMAKE_DIR} COMPONENT development)
configure_package_config_file(cmake/irezoneConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/irezoneConfig.cmake
                              INSTALL_DESTINATION ${IREZONE_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/irezoneConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/irezoneConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/irezoneConfigVersion.cmake
              cmake/IrezonePackages.cmake DESTINATION ${IREZONE_CMAKE_DIR} COMPONENT development)

# pkg-config irezone: a static library has to name everything it stands on, a shared one only what its headers show.
# Gmsh is not among them: it is opened at run time, when a mesh is generated.
set(public "")
set(private "PETSc >= 3.18, yaml-0.1, jansson, gsl, zlib")
irezone_link_flags(private_libs ${NIFTI_LIBRARY} ${BZIP2_LIBRARY} ${OpenMP_C_FLAGS} -ldl -lm)
set(IREZONE_PC_CFLAGS "")
set(IREZONE_PC_LIBS "")
if(IREZONE_MPI_MODULE)
  set(public ${IREZONE_MPI_MODULE})
else()
  list(TRANSFORM MPI_C_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE folders)
  list(JOIN folders " " IREZONE_PC_CFLAGS)
  irezone_link_flags(IREZONE_PC_LIBS ${MPI_C_LIBRARIES})
endif()
if(IREZONE_HDF5_MODULE)
  string(APPEND private ", ${IREZONE_HDF5_MODULE}")
else()
  irezone_link_flags(hdf5 ${HDF5_C_LIBRARIES})
  string(PREPEND private_libs "${hdf5} ")
endif()
if(BUILD_SHARED_LIBS)
  set(IREZONE_PC_REQUIRES "${public}")
  set(IREZONE_PC_REQUIRES_PRIVATE "${private}")
  set(IREZONE_PC_LIBS_PRIVATE "${private_libs}")
else()
  string(JOIN ", " IREZONE_PC_REQUIRES "${private}" ${public})
  set(IREZONE_PC_REQUIRES_PRIVATE "")
  string(PREPEND IREZONE_PC_LIBS "${private_libs} ")
  set(IREZONE_PC_LIBS_PRIVATE "")
endif()
# The prefix is found from where the file is, so that `cmake --install --prefix` and moved folders work.
file(RELATIVE_PATH IREZONE_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/irezone.pc.in ${CMAKE_CURRENT_BINARY_DIR}/irezone.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/irezone.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
