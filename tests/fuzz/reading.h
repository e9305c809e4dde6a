// SPDX-License-Identifier: Apache-2.0
// Bytes through the reader of a connection, and what came of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "maas/server/http_status.h"
#include "maas/server/request_reader.h"

namespace maas::fuzz {

// Everything that decides how a connection goes on.
struct Seen {
  std::string requests{};  // what was read of each, in words
  RequestReader::State state = RequestReader::State::kIdle;
  int refusal = 0;

  bool operator==(const Seen&) const = default;
};

inline void note(const HttpRequest& http, std::string& into) {
  for (const std::string_view part :
       {http.verb, http.authority, http.path, http.query, http.version, http.body}) {
    into += std::to_string(part.size()) + ":";
    into += part;
  }
  for (const Header& field : http.headers) {
    into += std::string(field.name) + "=" + std::string(field.value) + ";";
  }
  into += "\n";
}

inline HttpLimits small_limits() {
  HttpLimits limits;
  limits.body = std::size_t{1} << 16U;
  limits.chunks = 64;
  return limits;
}

// `step` bytes at a time.
inline Seen read(std::string_view bytes, std::size_t step) {
  // One for all runs, as a connection has one for all requests: making it takes longer than a run.
  static ByteBudget budget(std::size_t{1} << 30U);
  static RequestReader reader(small_limits(), budget);
  reader.discard();
  Seen seen;
  while (!bytes.empty() && seen.refusal == 0) {
    const std::span<char> space = reader.space();
    const std::size_t n = std::min({step, space.size(), bytes.size()});
    if (n == 0) {
      std::abort();  // the connection would read nothing, for ever
    }
    bytes.copy(space.data(), n);
    reader.add(n);
    bytes.remove_prefix(n);
    while (reader.parse() == RequestReader::State::kReady) {
      note(reader.request(), seen.requests);
      reader.next();
    }
    seen.state = reader.state();
    if (seen.state == RequestReader::State::kRefused) {
      seen.refusal = http_status(reader.error());
      if (seen.refusal < 400 || seen.refusal > 505) {
        std::abort();
      }
    }
  }
  return seen;
}

// However the network divides the bytes, they are the same requests.
inline void check_divisions(std::string_view bytes) {
  const Seen whole = read(bytes, bytes.size());
  for (const std::size_t step : {std::size_t{1}, std::size_t{13}}) {
    const Seen divided = read(bytes, step);
    if (divided != whole) {
      std::fprintf(stderr, "whole: %d %d %s\n%zu bytes at a time: %d %d %s\n",
                   static_cast<int>(whole.state), whole.refusal, whole.requests.c_str(), step,
                   static_cast<int>(divided.state), divided.refusal, divided.requests.c_str());
      std::abort();
    }
  }
}

}  // namespace maas::fuzz
