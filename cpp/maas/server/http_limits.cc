// SPDX-License-Identifier: Apache-2.0
#include "maas/server/http_limits.h"

#include <array>
#include <cmath>
#include <string>

#include "maas/base/error.h"

namespace maas {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kManyBytes = 1LL << 40U;
constexpr double kMany = 1e9;
constexpr double kDay = 86'400;

template <std::size_t HttpLimits::* kMember>
double get_size(const HttpLimits& limits) {
  return static_cast<double>(limits.*kMember);
}

template <std::size_t HttpLimits::* kMember>
void set_size(HttpLimits& limits, double value) {
  limits.*kMember = static_cast<std::size_t>(value);
}

template <Duration HttpLimits::* kMember>
double get_time(const HttpLimits& limits) {
  return std::chrono::duration_cast<Seconds>(limits.*kMember).count();
}

template <Duration HttpLimits::* kMember>
void set_time(HttpLimits& limits, double value) {
  limits.*kMember = std::chrono::duration_cast<Duration>(Seconds(value));
}

template <std::size_t HttpLimits::* kMember>
constexpr LimitField size_row(std::string_view name,
                              std::string_view answer,
                              std::string_view text,
                              double least,
                              double most) {
  return {name, answer, text, least, most, get_size<kMember>, set_size<kMember>};
}

template <Duration HttpLimits::* kMember>
constexpr LimitField time_row(std::string_view name,
                              std::string_view answer,
                              std::string_view text) {
  return {name, answer, text, 0, kDay, get_time<kMember>, set_time<kMember>};
}

constexpr std::array kFields = {
    size_row<&HttpLimits::head>(
        "max_header_bytes", "431, close", "bytes of a request's line and fields", 512, 1 << 20U),
    size_row<&HttpLimits::fields>(
        "max_header_fields", "431, close", "fields of a request's head", 1, 10'000),
    size_row<&HttpLimits::target>(
        "max_target_bytes", "414, close", "bytes of a request's path and query", 16, 1 << 20U),
    size_row<&HttpLimits::body>(
        "max_body_bytes", "413, close", "bytes of a request's body", 1, kManyBytes),
    size_row<&HttpLimits::chunks>("max_chunks", "413, close", "chunks of a chunked body", 1, kMany),
    size_row<&HttpLimits::chunk_extension>(
        "max_chunk_extension_bytes", "400, close", "bytes of the extension of one chunk", 0, 4096),
    size_row<&HttpLimits::trailers>("max_trailer_fields",
                                    "400, close",
                                    "fields behind a chunked body; none is ever used",
                                    0,
                                    10'000),
    size_row<&HttpLimits::connections>("max_connections",
                                       "503, close",
                                       "connections at once; far beyond, closed without an answer",
                                       1,
                                       kMany),
    size_row<&HttpLimits::requests>("max_requests_per_connection",
                                    "Connection: close",
                                    "requests that one connection may bring",
                                    1,
                                    kMany),
    time_row<&HttpLimits::header_time>(
        "header_timeout_s", "408, close", "seconds a client has to send a request's head"),
    time_row<&HttpLimits::body_grace>(
        "body_grace_s", "408, close", "seconds in which a body has to bring min_body_rate each"),
    size_row<&HttpLimits::body_rate>("min_body_rate",
                                     "408, close",
                                     "least bytes a second of a body, over each body_grace_s",
                                     0,
                                     kManyBytes),
    time_row<&HttpLimits::write_stall>(
        "stall_timeout_s", "cut off", "seconds a client may take nothing of its answer"),
    time_row<&HttpLimits::idle>(
        "idle_timeout_s", "closed", "seconds a connection is kept that asks nothing"),
};

}  // namespace

std::span<const LimitField> limit_fields() noexcept {
  return kFields;
}

void set_limit(HttpLimits& limits, std::string_view name, double value) {
  for (const LimitField& field : kFields) {
    if (field.name != name) {
      continue;
    }
    if (!(value >= field.least && value <= field.most)) {
      throw Error(ErrorCode::kInvalidArgument,
                  std::string(name) + " is from " + std::to_string(std::llround(field.least)) +
                      " to " + std::to_string(std::llround(field.most)));
    }
    return field.set(limits, value);
  }
  throw Error(ErrorCode::kInvalidArgument, "there is no limit '" + std::string(name) + "'");
}

}  // namespace maas
