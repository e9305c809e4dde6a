// SPDX-License-Identifier: Apache-2.0
// Whatever a client sends where chunks belong.
#include <cstdint>

#include "reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  bytes.append(reinterpret_cast<const char*>(data), size);
  maas::fuzz::check_divisions(bytes);
  return 0;
}
