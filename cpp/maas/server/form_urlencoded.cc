// SPDX-License-Identifier: Apache-2.0
#include "maas/server/form_urlencoded.h"

#include <algorithm>

#include "maas/base/error.h"
#include "maas/server/multipart.h"
#include "maas/server/names.h"
#include "maas/server/utf8.h"

namespace maas {
namespace {

std::string decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  auto plain = percent_decode(spaced);
  if (!plain || !is_utf8(*plain)) {
    throw Error(ErrorCode::kInvalidArgument,
                "the form has " + in_quotes(text) + ", which is no percent-encoded UTF-8");
  }
  return *std::move(plain);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_urlencoded(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) {
      continue;
    }
    if (pairs.size() == kMaxFormParts) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the form has more than " + std::to_string(kMaxFormParts) + " fields");
    }
    const auto equals = std::min(pair.find('='), pair.size());
    pairs.emplace_back(decoded(pair.substr(0, equals)),
                       decoded(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return pairs;
}

}  // namespace maas
