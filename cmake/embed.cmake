# liteferry_embed(TARGET NAMESPACE HEADER FILE...): makes HEADER (under the build folder) with one
# `inline constexpr std::string_view kName` per FILE, named after the file: stream_lock.sql becomes
# kStreamLockSql. So SQL and pages stay files that can be run and viewed by hand.
function(liteferry_embed target namespace header)
  set(out ${CMAKE_BINARY_DIR}/${header})
  set(files)
  foreach(file ${ARGN})
    list(APPEND files ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAMESPACE=${namespace} "-DFILES=${files}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    COMMENT "Embedding ${header}"
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
