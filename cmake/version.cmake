# The version is stated once, in pyproject.toml.
if(SKBUILD_PROJECT_VERSION)
  set(MAAS_VERSION ${SKBUILD_PROJECT_VERSION})
else()
  file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../pyproject.toml line REGEX "^version = " LIMIT_COUNT 1)
  string(REGEX REPLACE "^version = \"(.*)\"$" "\\1" MAAS_VERSION "${line}")
endif()
