# maas_flags: the standard, the warnings and the sanitizers of every target.
add_library(maas_flags INTERFACE)
add_library(maas::flags ALIAS maas_flags)
target_compile_features(maas_flags INTERFACE cxx_std_20)
target_compile_options(maas_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wswitch
  # GCC 12 sees overlapping copies where a literal meets a temporary string (its bug 105651).
  $<$<BOOL:$ENV{CI}>:-Werror> $<$<AND:$<BOOL:$ENV{CI}>,$<CXX_COMPILER_ID:GNU>>:-Wno-error=restrict>)
if(MAAS_SANITIZE)
  target_compile_options(maas_flags INTERFACE -fsanitize=${MAAS_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g)
  target_link_options(maas_flags INTERFACE -fsanitize=${MAAS_SANITIZE})
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
find_program(MAAS_CCACHE ccache)
if(MAAS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MAAS_CCACHE})
endif()
