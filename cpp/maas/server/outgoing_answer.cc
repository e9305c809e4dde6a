// SPDX-License-Identifier: Apache-2.0
#include "maas/server/outgoing_answer.h"

#include <algorithm>

namespace maas {
namespace {

constexpr std::size_t kShortBody = std::size_t{8} << 10U;

}  // namespace

void OutgoingAnswer::set(const HttpResponse& response, const HeadFrame& frame, bool with_body) {
  sent_ = 0;
  body_ = {};
  head_.clear();
  append_head(head_, response, frame);
  if (!with_body) {
    return;
  }
  if (response.body.size() <= kShortBody) {
    head_ += response.body;
  } else {
    body_ = response.body;
  }
}

OutgoingAnswer::Rest OutgoingAnswer::rest() const noexcept {
  const std::size_t of_head = std::min(sent_, head_.size());
  return {std::string_view(head_).substr(of_head), body_.substr(sent_ - of_head)};
}

}  // namespace maas
