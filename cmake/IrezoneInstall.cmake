# Install the program, the library, its headers, a CMake package and a pkg-config file.
install(TARGETS irezone irezone_cli irezone_dependencies irezone_flags EXPORT irezoneTargets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/irezone DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
