# `cpack` in a build made for /usr with a shared library writes the Debian packages irezone, libirezone0,
# libirezone-dev and python3-irezone: scripts/package.sh does both.
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
# Who makes packages says who they are as Debian's tools ask it: by DEBFULLNAME and DEBEMAIL. There is no address that stands for
# the project; without one packages cannot be made, as CPack wants a maintainer.
if(NOT "$ENV{DEBFULLNAME}" STREQUAL "" AND NOT "$ENV{DEBEMAIL}" STREQUAL "")
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_COMPONENTS_ALL program library development python)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

# Most dependencies are what dpkg-shlibdeps finds in the files. It does not see what is opened at run time: Gmsh.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR})
get_filename_component(gmsh ${GMSH_LIBRARY} REALPATH)
execute_process(COMMAND dpkg-query -S ${gmsh} OUTPUT_VARIABLE owner ERROR_QUIET)
if(owner MATCHES "^([^: ]+):")
  set(IREZONE_GMSH_PACKAGE ${CMAKE_MATCH_1})
else()
  set(IREZONE_GMSH_PACKAGE libgmsh4.8)
endif()

set(version "(= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME irezone)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "libirezone0 ${version}")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS openmpi-bin)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "paraview, slurm-client")
set(about
    "irezone computes the electric field of needle probes in tissue whose
conductivity depends on the field, and from it the volume that
irreversible electroporation ablates. It is for research and is not a
medical device.
")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "${about}This package has the program, its documentation and examples.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libirezone0)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS ${IREZONE_GMSH_PACKAGE})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/triggers)
file(WRITE ${CMAKE_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "${about}This package has the shared library.")
# What is linked to the library asks for this very version of it (docs/building.md).
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY "=")
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/IrezoneDebianFinish.cmake)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libirezone-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libirezone0 ${version}, libopenmpi-dev, libpetsc-real-dev, pkg-config")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "${about}This package has what programs need to use the library: its headers, a
CMake package and a pkg-config file.")

set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-irezone)
set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
set(CPACK_DEBIAN_PYTHON_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "python3, python3-numpy, irezone (>= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_PYTHON_DESCRIPTION
    "${about}This package has the Python package, which speaks to the program.")

# Each package says under which terms it may be used, and what has changed; only packages for /usr need it.
if(CMAKE_INSTALL_PREFIX STREQUAL /usr)
  find_program(GZIP gzip REQUIRED)
  string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # or SOURCE_DATE_EPOCH
  file(WRITE ${CMAKE_BINARY_DIR}/changelog
       "irezone (${PROJECT_VERSION}) unstable; urgency=medium\n\n  * See /usr/share/doc/irezone/CHANGELOG.md.\n\n"
       " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  execute_process(COMMAND ${GZIP} -9nf ${CMAKE_BINARY_DIR}/changelog COMMAND_ERROR_IS_FATAL ANY)
  foreach(pair program:irezone library:libirezone0 development:libirezone-dev python:python3-irezone)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 component)
    list(GET pair 1 package)
    install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION share/doc/${package} RENAME copyright COMPONENT ${component})
    install(FILES ${CMAKE_BINARY_DIR}/changelog.gz DESTINATION share/doc/${package} COMPONENT ${component})
  endforeach()
endif()
include(CPack)
