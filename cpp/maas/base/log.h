// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace maas {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

// One line for the log. The core never prints: it hands records to the sink its embedder supplies.
struct LogRecord {
  LogLevel level = LogLevel::kInfo;
  std::string message;
  std::string request_id{};  // empty when the record belongs to no request
  std::string trace{};       // where it happened, over several lines; empty as a rule
};

// May be called from any thread, also from several at once; must not throw.
using LogSink = std::function<void(const LogRecord&)>;

}  // namespace maas
