# Finds the C++ packages that come from PyPI: pybind11, LibTorch, oneTBB, Eigen, Boost.
#
# Everything is located from the folder in which Python finds each package, because in pip's isolated
# build `sysconfig` names a prefix that holds none of them.
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)

execute_process(
  COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/python_packages.py
  OUTPUT_VARIABLE MAAS_PACKAGE_FOLDERS
  OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
list(GET MAAS_PACKAGE_FOLDERS 0 MAAS_PYBIND11_CMAKE)
list(GET MAAS_PACKAGE_FOLDERS 1 MAAS_TORCH_ROOT)
list(GET MAAS_PACKAGE_FOLDERS 2 MAAS_CMEEL_INCLUDE)
list(GET MAAS_PACKAGE_FOLDERS 3 MAAS_TBB_CMAKE)

find_package(pybind11 CONFIG REQUIRED PATHS ${MAAS_PYBIND11_CMAKE} NO_DEFAULT_PATH)
find_package(TBB CONFIG REQUIRED PATHS ${MAAS_TBB_CMAKE} NO_DEFAULT_PATH)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(SQLite3 REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)

# Headers only; SYSTEM keeps our warnings out of them.
add_library(maas_cmeel INTERFACE)
target_include_directories(maas_cmeel SYSTEM INTERFACE ${MAAS_CMEEL_INCLUDE} ${MAAS_CMEEL_INCLUDE}/eigen3)
