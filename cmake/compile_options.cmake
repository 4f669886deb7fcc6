# Flags of our own targets; libraries' headers come in as system headers and are not our warnings.
add_library(liteferry_options INTERFACE)
target_compile_options(liteferry_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual -Wconversion -Wno-sign-conversion -Wdouble-promotion -Wformat=2
  -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(liteferry_options INTERFACE -Wthread-safety)
endif()
target_include_directories(liteferry_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
target_compile_definitions(liteferry_options INTERFACE LITEFERRY_VERSION="${PROJECT_VERSION}")
# With their debug information GNU ld takes up to 14 seconds for a program, and there are a dozen.
find_program(LLD ld.lld)
if(LLD)
  add_link_options(-fuse-ld=lld)
endif()
if(LITEFERRY_SANITIZE)
  add_compile_options(-fsanitize=${LITEFERRY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LITEFERRY_SANITIZE})
  # g++ 12 reports maybe-uninitialized inside the standard library once a sanitizer is on.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
  # Boost.Asio's fences, which ThreadSanitizer does not model; Asio's mutexes order what we share.
  if(LITEFERRY_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
endif()

# liteferry_library(NAME SOURCES ... LINKS ...): a static library with our flags.
function(liteferry_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC liteferry_options ${ARG_LINKS})
endfunction()
