# `cpack --config build/CPackConfig.cmake -G DEB`: a Debian package with the program, its unit, manual
# pages, completions and sample configuration. Nothing is started when it is installed.
install(CODE "execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND /usr/bin/python3
  ${CMAKE_SOURCE_DIR}/scripts/package_files.py ${CMAKE_BINARY_DIR}/liteferry
  ${CMAKE_BINARY_DIR}/package_files)")
install(DIRECTORY ${CMAKE_BINARY_DIR}/package_files/ DESTINATION .)
install(FILES "${CMAKE_SOURCE_DIR}/deploy/systemd/liteferry@.service"
  DESTINATION lib/systemd/system)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/liteferry.yaml DESTINATION /etc/liteferry)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME liteferry)
set(CPACK_PACKAGE_CONTACT "the liteferry maintainers <liteferry@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "moves a live application from SQLite to PostgreSQL")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles ${CMAKE_SOURCE_DIR}/deploy/debian/postinst
  ${CMAKE_SOURCE_DIR}/deploy/debian/prerm ${CMAKE_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)
