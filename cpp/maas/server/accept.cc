// SPDX-License-Identifier: Apache-2.0
#include "maas/server/accept.h"

#include <algorithm>
#include <cstddef>

#include "maas/server/media_type.h"

namespace maas {
namespace {

// One member of a comma-separated list: "text/html;level=1;q=0.5".
struct Member {
  std::string_view name;
  bool refused = false;  // its quality is 0
};

bool is_zero(std::string_view quality) noexcept {
  return quality.starts_with('0') && quality.find_first_of("123456789") == std::string_view::npos;
}

Member read_member(std::string_view text) noexcept {
  Member member{essence_of(text)};
  for (std::size_t at = text.find(';'); at != std::string_view::npos; at = text.find(';', at)) {
    ++at;
    const std::string_view parameter = essence_of(text.substr(at));
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
      member.refused = is_zero(parameter.substr(2));
    }
  }
  return member;
}

template <typename Use>
void for_each_member_of(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const Member member = read_member(list.substr(0, comma));
    if (!member.name.empty()) {
      use(member);
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

// Calls `use` with each member of all fields of that name.
template <typename Use>
void for_each_member(std::span<const Header> headers, std::string_view name, Use use) {
  for (const Header& header : headers) {
    if (same_token(header.name, name)) {
      for_each_member_of(header.value, use);
    }
  }
}

}  // namespace

bool accepts_media(std::span<const Header> headers, std::string_view essence) noexcept {
  bool asked = false;
  bool accepted = false;
  std::size_t best = 0;  // the most specific range counts, which is the longest that matches
  for_each_member(headers, "Accept", [&](const Member& member) {
    asked = true;
    if (media_matches(member.name, essence) && member.name.size() >= best) {
      best = member.name.size();
      accepted = !member.refused;
    }
  });
  return accepted || !asked;
}

AcceptedCodings accepted_codings(std::span<const Header> headers) noexcept {
  AcceptedCodings codings;
  std::size_t named = 0;
  for_each_member(headers, "Accept-Encoding", [&](const Member& member) {
    if (member.refused || same_token(member.name, "identity")) {
      return;
    }
    ++named;
    codings.gzip = codings.gzip || same_token(member.name, "gzip") || member.name == "*";
    codings.deflate = codings.deflate || same_token(member.name, "deflate");
  });
  codings.alone = named == 1 && (codings.gzip || codings.deflate);
  return codings;
}

}  // namespace maas
