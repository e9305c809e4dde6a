// SPDX-License-Identifier: Apache-2.0
#include "maas/server/stream_format.h"

#include <array>
#include <charconv>

#include "maas/server/http_status.h"
#include "maas/server/json_writer.h"

namespace maas {
namespace {

struct Range {
  std::string_view type;
  int specificity;  // the more exact one counts
  std::optional<StreamFormat> only;
};

// What names one of the forms, or both.
constexpr std::array kRanges = {
    Range{"text/event-stream", 3, StreamFormat::kEvents},
    Range{"application/x-ndjson", 3, StreamFormat::kLines},
    Range{"application/jsonl", 3, StreamFormat::kLines},
    Range{"text/*", 2, StreamFormat::kEvents},
    Range{"application/*", 2, StreamFormat::kLines},
    Range{"*/*", 1, std::nullopt},
};

struct Wish {
  double quality = 0;
  int specificity = 0;
};

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) {
    return {};
  }
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

// What stands before the next `separator`, which is taken as well.
std::string_view take_part(std::string_view& text, char separator) noexcept {
  const std::size_t end = text.find(separator);
  const std::string_view part = trimmed(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

// 0 to 1; 1 where there is none, or none that can be read.
double quality_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    const std::string_view one = take_part(parameters, ';');
    if (one.starts_with("q=") || one.starts_with("Q=")) {
      double quality = 1;
      std::from_chars(one.data() + 2, one.data() + one.size(), quality);
      return quality;
    }
  }
  return 1;
}

// What a range says of one format; the most specific range counts.
void consider(const Range& range, double quality, StreamFormat format, Wish& wish) noexcept {
  if (range.only.value_or(format) == format && range.specificity >= wish.specificity) {
    wish = {quality, range.specificity};
  }
}

void consider(std::string_view range, Wish& events, Wish& lines) noexcept {
  const std::string_view type = take_part(range, ';');
  for (const Range& known : kRanges) {
    if (same_token(type, known.type)) {
      consider(known, quality_of(range), StreamFormat::kEvents, events);
      consider(known, quality_of(range), StreamFormat::kLines, lines);
    }
  }
}

void append_number(std::string& out, std::size_t number, int base = 10) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), number, base).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.begin()));
}

}  // namespace

std::optional<StreamFormat> choose_stream_format(std::span<const Header> headers) {
  Wish events;
  Wish lines;
  bool asked = false;
  for (const Header& header : headers) {
    std::string_view ranges = same_token(header.name, "Accept") ? header.value : "";
    while (!ranges.empty()) {
      asked = true;
      consider(take_part(ranges, ','), events, lines);
    }
  }
  if (!asked || (events.quality > 0 && events.quality >= lines.quality)) {
    return StreamFormat::kEvents;
  }
  return lines.quality > 0 ? std::optional(StreamFormat::kLines) : std::nullopt;
}

std::string_view media_type(StreamFormat format) noexcept {
  return format == StreamFormat::kEvents ? "text/event-stream" : "application/x-ndjson";
}

std::string_view stream_headers(StreamFormat /*format*/) noexcept {
  return "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n";
}

void append_item(std::string& out, StreamFormat format, std::size_t number, std::string_view item) {
  if (format == StreamFormat::kEvents) {
    out += "id: ";
    append_number(out, number);
    out += "\ndata: ";
    out += item;
    out += "\n\n";
    return;
  }
  out += item;
  if (format == StreamFormat::kLines) {
    out += '\n';
  }
}

void append_failure(std::string& out,
                    StreamFormat format,
                    const Error& error,
                    std::string_view request_id) {
  if (format == StreamFormat::kBytes) {
    return;
  }
  out += format == StreamFormat::kEvents ? "event: error\ndata: {\"error\":" : "{\"error\":";
  append_json_string(out, error.message());
  out += ",\"status\":";
  append_number(out, static_cast<std::size_t>(http_status(error)));
  out += ",\"request_id\":";
  append_json_string(out, request_id);
  if (!error.detail().empty()) {
    out += ",\"detail\":";
    out += error.detail();
  }
  out += format == StreamFormat::kEvents ? "}\n\n" : "}\n";
}

void append_idle(std::string& out, StreamFormat format) {
  if (format == StreamFormat::kEvents) {
    out += ":\n\n";
  } else if (format == StreamFormat::kLines) {
    out += ' ';  // before a JSON text it means nothing
  }
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (!bytes.empty()) {
    append_number(out, bytes.size(), 16);
    out += "\r\n";
    out += bytes;
    out += "\r\n";
  }
}

}  // namespace maas
