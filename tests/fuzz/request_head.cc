// SPDX-License-Identifier: Apache-2.0
// Whatever a client sends from the first byte on.
#include <cstdint>

#include "reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  maas::fuzz::check_divisions({reinterpret_cast<const char*>(data), size});
  return 0;
}
