# cmake --install, and `cpack` for a .deb. Below share/skv lies what lies so in the repository:
# paths in configs and jobs hold there too.
include(GNUInstallDirs)
set(share ${CMAKE_INSTALL_DATADIR}/skv)
set(pages ${CMAKE_BINARY_DIR}/pages)

add_custom_command(OUTPUT ${pages}/skv
  COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/pages.sh $<TARGET_FILE:skv> ${pages}
  DEPENDS skv ${CMAKE_CURRENT_LIST_DIR}/pages.sh)
add_custom_target(pages ALL DEPENDS ${pages}/skv)

set_target_properties(skv PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS skv)
install(DIRECTORY ${pages}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${pages}/skv DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY configs DESTINATION ${share})
install(DIRECTORY jobs DESTINATION ${share} USE_SOURCE_PERMISSIONS
  PATTERN package EXCLUDE PATTERN spack EXCLUDE
  PATTERN install.sh EXCLUDE PATTERN quickstart.sh EXCLUDE)
install(DIRECTORY tests/data/tiny_t5 DESTINATION ${share}/tests/data) # of configs/tiny.json
# The jobs start build/skv.
file(RELATIVE_PATH program /${share}/build /${CMAKE_INSTALL_BINDIR}/skv)
install(CODE "
  set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${share}/build\")
  file(MAKE_DIRECTORY \"\${folder}\")
  file(CREATE_LINK ${program} \"\${folder}/skv\" SYMBOLIC)")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the skv authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
  "sampler for the Infinity text-to-image models, with compressed caches")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS openmpi-bin)
include(CPack)
