// SPDX-License-Identifier: Apache-2.0
#include "maas/server/outgoing_answer.h"

#include <algorithm>

namespace maas {
namespace {

constexpr std::size_t kShortBody = std::size_t{8} << 10U;

}  // namespace

void OutgoingAnswer::set(const HttpResponse& response,
                         const HeadFrame& frame,
                         bool with_body,
                         TimePoint now) {
  begin();
  aborted_ = false;
  stream_.reset();
  append_head(head_, response, frame);
  const ResponseStream& stream = response.stream;
  if (!with_body || !(has_body(response.status) || stream.upgraded)) {
    if (stream) {
      stream.items->close();
    }
    return;
  }
  if (stream) {
    const bool chunked = !frame.http_1_0 && !stream.sized && !stream.upgraded;
    stream_.begin(stream, frame.request_id, chunked, now);
    append_items(now);
  } else if (response.body.size() <= kShortBody) {
    head_ += response.body;
  } else {
    body_ = response.body;
  }
}

void OutgoingAnswer::begin() noexcept {
  sent_ = 0;
  body_ = {};
  head_.clear();
}

OutgoingAnswer::Rest OutgoingAnswer::rest() const noexcept {
  const std::size_t of_head = std::min(sent_, head_.size());
  return {std::string_view(head_).substr(of_head), body_.substr(sent_ - of_head)};
}

bool OutgoingAnswer::refill(TimePoint now) {
  begin();
  return append_items(now);
}

bool OutgoingAnswer::append_items(TimePoint now) {
  const OutgoingStream::Step step = stream_.append(head_, now);
  aborted_ = step == OutgoingStream::Step::kAborted;
  return step != OutgoingStream::Step::kNothing;
}

}  // namespace maas
