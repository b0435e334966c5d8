# Run by cpack on the packages that it has made: the library's says by a trigger that ldconfig is to run. CPack adds
# scripts that call it once more, which Debian does not want.
foreach(file IN LISTS CPACK_PACKAGE_FILES)
  execute_process(COMMAND dpkg-deb --ctrl-tarfile ${file} COMMAND tar -t OUTPUT_VARIABLE control COMMAND_ERROR_IS_FATAL ANY)
  if(NOT control MATCHES "postinst" OR NOT control MATCHES "triggers")
    continue()
  endif()
  set(folder ${file}.unpacked)
  file(REMOVE_RECURSE ${folder})
  execute_process(COMMAND dpkg-deb --raw-extract ${file} ${folder} COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE ${folder}/DEBIAN/postinst ${folder}/DEBIAN/postrm)
  execute_process(COMMAND dpkg-deb --root-owner-group -Zxz --build ${folder} ${file} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE_RECURSE ${folder})
endforeach()
