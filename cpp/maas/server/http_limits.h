// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

#include "maas/base/clock.h"

namespace maas {

// How much a client may ask of the server, and how long it may take. All are on; each is a setting.
struct HttpLimits {
  std::size_t head = std::size_t{16} << 10U;   // bytes of request line and fields
  std::size_t target = std::size_t{8} << 10U;  // bytes
  std::size_t fields = 100;
  std::size_t body = std::size_t{64} << 20U;  // bytes
  std::size_t chunks = std::size_t{1} << 16U;
  std::size_t chunk_extension = 256;  // bytes, of one chunk
  std::size_t trailers = 16;          // fields
  std::size_t connections = 4096;
  std::size_t requests = 10'000;  // of one connection
  std::size_t body_rate = 500;    // least bytes a second, in each body_grace
  Duration header_time = std::chrono::seconds(10);
  Duration body_grace = std::chrono::seconds(10);
  Duration write_stall = std::chrono::seconds(30);  // without progress of an answer
  Duration idle = std::chrono::seconds(75);
};

// One row of the table of limits, from which settings and documentation come.
struct LimitField {
  std::string_view name;    // of the setting
  std::string_view answer;  // what a client gets that breaks it
  std::string_view text;
  double least;
  double most;
  double (*get)(const HttpLimits& limits);  // times in seconds
  void (*set)(HttpLimits& limits, double value);
};

// All of them: a row for each member of HttpLimits.
std::span<const LimitField> limit_fields() noexcept;

// Throws invalid_argument for a name that is none and for a value out of bounds.
void set_limit(HttpLimits& limits, std::string_view name, double value);

}  // namespace maas
