// SPDX-License-Identifier: Apache-2.0
#include "maas/server/response_head.h"

#include <array>
#include <charconv>
#include <cstddef>

#include "maas/server/http_status.h"

namespace maas {
namespace {

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.begin()));
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

}  // namespace

bool has_body(int status) noexcept {
  return status >= 200 && status != 204 && status != 304;
}

void append_head(std::string& out, const HttpResponse& response, const HeadFrame& frame) {
  append_status_line(out, response.status);
  if (has_body(response.status)) {
    if (!response.content_type.empty()) {
      out += "Content-Type: ";
      out += response.content_type;
      out += "\r\n";
    }
    if (!response.stream) {
      out += "Content-Length: ";
      append_number(out, response.body_size());
      out += "\r\n";
    } else if (!frame.http_1_0 && !response.stream.sized) {
      out += "Transfer-Encoding: chunked\r\n";
    }
  }
  out += "Date: ";
  out += frame.date;
  out += "\r\nX-Request-Id: ";
  out += frame.request_id;
  out += "\r\n";
  if (!frame.keep_alive) {
    out += "Connection: close\r\n";
  } else if (frame.http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += response.headers;
  out += frame.fields;
  out += "\r\n";
}

void append_model_version(std::string& headers, int version) {
  headers += "X-Model-Version: ";
  headers += std::to_string(version);
  headers += "\r\n";
}

std::string http_date(std::time_t time) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&time, &parts);
  // Not strftime's %a and %b, which follow the process's locale.
  std::array<char, 40> rest{};
  std::string date = kDays[static_cast<std::size_t>(parts.tm_wday)];
  date.append(rest.data(), std::strftime(rest.data(), rest.size(), ", %d ", &parts));
  date += kMonths[static_cast<std::size_t>(parts.tm_mon)];
  date.append(rest.data(), std::strftime(rest.data(), rest.size(), " %Y %H:%M:%S GMT", &parts));
  return date;
}

}  // namespace maas
