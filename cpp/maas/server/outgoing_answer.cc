// SPDX-License-Identifier: Apache-2.0
#include "maas/server/outgoing_answer.h"

#include <algorithm>

namespace maas {
namespace {

constexpr std::size_t kShortBody = std::size_t{8} << 10U;
constexpr std::size_t kMostParts = 16;  // at once

}  // namespace

void OutgoingAnswer::set(const HttpResponse& response,
                         const HeadFrame& frame,
                         bool with_body,
                         TimePoint now) {
  aborted_ = false;
  parts_.clear();
  first_ = 0;
  head_.clear();
  stream_.reset();
  append_head(head_, response, frame);
  const ResponseStream& stream = response.stream;
  const bool bodiless = !with_body || !(has_body(response.status) || stream.upgraded);
  if (bodiless && stream) {
    stream.items->close();
  } else if (stream) {
    const bool chunked = !frame.http_1_0 && !stream.sized && !stream.upgraded;
    stream_.begin(stream, frame.request_id, chunked, now);
    append_items(now);
    return;
  }
  const bool short_body = response.body.size() <= kShortBody && response.tensors.empty();
  if (!bodiless && short_body) {
    head_ += response.body;
  }
  add_part(head_);
  if (!bodiless && !short_body) {
    add_part(response.body);
    for (const Tensor& tensor : response.tensors) {
      add_part({static_cast<const char*>(tensor.data()), tensor.byte_size()});
    }
  }
}

void OutgoingAnswer::add_part(std::string_view bytes) {
  if (!bytes.empty()) {
    parts_.push_back(bytes);
  }
}

std::span<const std::string_view> OutgoingAnswer::rest() const noexcept {
  return std::span(parts_).subspan(first_, std::min(parts_.size() - first_, kMostParts));
}

void OutgoingAnswer::advance(std::size_t n) noexcept {
  while (n > 0) {
    std::string_view& part = parts_[first_];
    const std::size_t step = std::min(n, part.size());
    part.remove_prefix(step);
    n -= step;
    first_ += part.empty() ? 1 : 0;
  }
}

bool OutgoingAnswer::refill(TimePoint now) {
  head_.clear();
  return append_items(now);
}

bool OutgoingAnswer::append_items(TimePoint now) {
  const OutgoingStream::Step step = stream_.append(head_, now);
  aborted_ = step == OutgoingStream::Step::kAborted;
  parts_.clear();
  first_ = 0;
  add_part(head_);
  return step != OutgoingStream::Step::kNothing;
}

}  // namespace maas
