# Seconds; under a sanitizer the same tests take many times as long.
set(MAAS_TEST_TIMEOUT 120)
if(MAAS_SANITIZE)
  set(MAAS_TEST_TIMEOUT 600)
endif()

# maas_layer(NAME SOURCES ... HEADERS ... DEPENDS layers... PRIVATE targets... TESTS ... ISAS ...)
#
# One static library per layer. Its test program links that layer alone, so a call to a layer on its
# right fails to link. PRIVATE targets are third-party packages that no header of the layer mentions.
# ISAS are instruction sets: the test program runs once more for each, forced by MAAS_FORCE_ISA.
function(maas_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE;TESTS;ISAS")
  add_library(maas_${name} STATIC ${arg_SOURCES})
  add_library(maas::${name} ALIAS maas_${name})
  target_sources(maas_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/cpp FILES ${arg_HEADERS})
  set_target_properties(maas_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  list(TRANSFORM arg_DEPENDS PREPEND maas::)
  target_link_libraries(maas_${name} PUBLIC maas::flags Threads::Threads ${arg_DEPENDS} PRIVATE ${arg_PRIVATE})
  set_property(GLOBAL APPEND PROPERTY MAAS_LAYERS maas_${name})
  if(MAAS_TESTS AND arg_TESTS)
    list(TRANSFORM arg_TESTS PREPEND ${PROJECT_SOURCE_DIR}/tests/cpp/${name}/)
    add_executable(maas_${name}_test ${arg_TESTS})
    target_compile_definitions(maas_${name}_test PRIVATE MAAS_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    target_include_directories(maas_${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests/cpp)
    target_link_libraries(maas_${name}_test PRIVATE maas::${name} ${arg_PRIVATE} GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND maas_${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT ${MAAS_TEST_TIMEOUT})
    foreach(isa IN LISTS arg_ISAS)
      add_test(NAME ${name}_${isa} COMMAND maas_${name}_test)
      set_tests_properties(${name}_${isa} PROPERTIES
        LABELS ${name} TIMEOUT ${MAAS_TEST_TIMEOUT} ENVIRONMENT MAAS_FORCE_ISA=${isa}
        SKIP_REGULAR_EXPRESSION "not supported by this processor")
    endforeach()
  endif()
endfunction()
