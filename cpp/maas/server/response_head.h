// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "maas/server/http.h"

namespace maas {

// What an answer's head says beside what the response says itself.
struct HeadFrame {
  std::string_view request_id;
  std::string_view date;
  std::string_view fields{};  // further ones, complete lines
  bool keep_alive = true;
  bool http_1_0 = false;
};

// Whether anything follows the head of an answer with this status, other than to HEAD.
bool has_body(int status) noexcept;

// Appends status line, fields and the empty line.
void append_head(std::string& out, const HttpResponse& response, const HeadFrame& frame);

// The field that tells which version of a model an answer comes from.
void append_model_version(std::string& headers, int version);

// The time as in "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::time_t time);

}  // namespace maas
