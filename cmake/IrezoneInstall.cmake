# Install the program, the library, its headers, a CMake package and a pkg-config file.
set(IREZONE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/irezone)
install(TARGETS irezone_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(
  TARGETS irezone irezone_dependencies
  EXPORT irezoneTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/irezone DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# find_package(irezone) gives irezone::irezone
install(EXPORT irezoneTargets NAMESPACE irezone:: DESTINATION ${IREZONE_CMAKE_DIR})
configure_package_config_file(cmake/irezoneConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/irezoneConfig.cmake
                              INSTALL_DESTINATION ${IREZONE_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/irezoneConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/irezoneConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/irezoneConfigVersion.cmake
              cmake/IrezonePackages.cmake DESTINATION ${IREZONE_CMAKE_DIR})

# pkg-config irezone: a static library has to name everything it stands on, a shared one only what its headers show.
set(IREZONE_PC_CFLAGS "")
foreach(folder ${MPI_C_INCLUDE_DIRS})
  string(APPEND IREZONE_PC_CFLAGS " -I${folder}")
endforeach()
string(JOIN " " IREZONE_PC_MPI ${MPI_C_LIBRARIES})
string(JOIN " " IREZONE_PC_OTHERS ${HDF5_C_LIBRARIES} ${GMSH_LIBRARY} ${NIFTI_LIBRARY} ${OpenMP_C_FLAGS} -lm)
set(IREZONE_PC_REQUIRES "PETSc >= 3.18, libfyaml, jansson, gsl, zlib")
get_target_property(kind irezone TYPE)
if(kind STREQUAL STATIC_LIBRARY)
  set(IREZONE_PC_PUBLIC "${IREZONE_PC_REQUIRES}")
  set(IREZONE_PC_PRIVATE "")
  set(IREZONE_PC_LIBS "${IREZONE_PC_OTHERS}")
  set(IREZONE_PC_LIBS_PRIVATE "")
else()
  set(IREZONE_PC_PUBLIC "")
  set(IREZONE_PC_PRIVATE "${IREZONE_PC_REQUIRES}")
  set(IREZONE_PC_LIBS "")
  set(IREZONE_PC_LIBS_PRIVATE "${IREZONE_PC_OTHERS}")
endif()
# The prefix is found from where the file is, so that `cmake --install --prefix` and moved folders work.
file(RELATIVE_PATH IREZONE_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/irezone.pc.in ${CMAKE_CURRENT_BINARY_DIR}/irezone.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/irezone.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
