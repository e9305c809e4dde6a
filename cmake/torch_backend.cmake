# libmaas_torch.so: the LibTorch back-end, loaded when a model needs it. The C++ ABI of LibTorch
# belongs to its minor version, so this library and the installed torch go together.
add_library(maas_libtorch INTERFACE)
target_include_directories(maas_libtorch SYSTEM INTERFACE
  ${MAAS_TORCH_ROOT}/include ${MAAS_TORCH_ROOT}/include/torch/csrc/api/include)
target_link_libraries(maas_libtorch INTERFACE
  ${MAAS_TORCH_ROOT}/lib/libtorch.so ${MAAS_TORCH_ROOT}/lib/libtorch_cpu.so ${MAAS_TORCH_ROOT}/lib/libc10.so)
# libtorch.so is a shell around libtorch_cpu.so; nothing refers to it, yet it must be loaded.
target_link_options(maas_libtorch INTERFACE -Wl,--no-as-needed)

set(torch_source ${PROJECT_SOURCE_DIR}/cpp/maas/runtime/torch_backend.cc)
add_library(maas_torch MODULE ${torch_source})
target_link_libraries(maas_torch PRIVATE maas_shared maas_libtorch)
set_target_properties(maas_torch PROPERTIES INSTALL_RPATH "$ORIGIN;$ORIGIN/../torch/lib")
install(TARGETS maas_torch LIBRARY DESTINATION maas COMPONENT python)

if(MAAS_TESTS)
  add_executable(maas_torch_test ${PROJECT_SOURCE_DIR}/tests/cpp/runtime/torch_backend_test.cc ${torch_source})
  target_include_directories(maas_torch_test PRIVATE ${PROJECT_SOURCE_DIR}/tests/cpp)
  target_link_libraries(maas_torch_test PRIVATE maas::runtime maas_libtorch GTest::gmock GTest::gtest_main)
  add_test(NAME torch COMMAND maas_torch_test)
  set_tests_properties(torch PROPERTIES LABELS unit TIMEOUT ${MAAS_TEST_TIMEOUT})
endif()
