// SPDX-License-Identifier: Apache-2.0
#include "maas/server/outgoing_stream.h"

#include <algorithm>
#include <utility>

#include "maas/server/stream_format.h"

namespace maas {

void OutgoingStream::begin(const ResponseStream& stream,
                           std::string_view request_id,
                           bool chunked,
                           TimePoint now) {
  stream_ = stream;
  request_id_ = request_id;
  chunked_ = chunked;
  count_ = 0;
  late_at_ = Deadline::from(now, stream.patience);
  idle_at_ = idle_from(now);
  failure_.reset();
}

void OutgoingStream::reset() noexcept {
  stream_ = {};
}

OutgoingStream::Step OutgoingStream::append(std::string& out, TimePoint now) {
  if (failure_) {
    return finish(out, failure_);
  }
  if (stream_.items->take(burst_)) {
    frames_.clear();
    std::size_t from = 0;
    for (const std::size_t end : burst_.ends) {
      append_item(frames_, stream_.format, count_++,
                  dressed(std::string_view(burst_.bytes).substr(from, end - from)));
      from = end;
    }
    write(out, frames_);
    if (stream_.stats != nullptr) {
      stream_.stats->stream_items.add(burst_.ends.size());
    }
    late_at_ = Deadline::from(now, stream_.patience);
    idle_at_ = idle_from(now);
    return burst_.over ? finish(out, burst_.failure) : Step::kMore;
  }
  if (now >= idle_at_) {
    idle_at_ = idle_from(now);
    frames_.clear();
    append_idle(frames_, stream_.format);
    write(out, frames_);
    return Step::kMore;
  }
  return Step::kNothing;
}

// The item between what stands before and behind each.
std::string_view OutgoingStream::dressed(std::string_view item) {
  if (stream_.before.empty() && stream_.behind.empty()) {
    return item;
  }
  item_.assign(stream_.before).append(item).append(stream_.behind);
  return item_;
}

TimePoint OutgoingStream::due() const noexcept {
  return std::min(late_at_.at(), idle_at_);
}

TimePoint OutgoingStream::idle_from(TimePoint now) const noexcept {
  return stream_.format == StreamFormat::kEvents ? now + kIdleInterval : TimePoint::max();
}

void OutgoingStream::fail(Error error) {
  failure_ = std::move(error);
}

OutgoingStream::Step OutgoingStream::finish(std::string& out, const std::optional<Error>& failure) {
  stream_.items->close();
  if (failure) {
    frames_.clear();
    append_failure(frames_, stream_.format, *failure, request_id_);
    write(out, frames_);
    if (stream_.stats != nullptr) {
      stream_.stats->count_error(failure->code());
    }
  } else if (chunked_) {
    out += kLastChunk;
  }
  reset();
  return failure ? Step::kAborted : Step::kLast;
}

void OutgoingStream::write(std::string& out, std::string_view bytes) const {
  if (chunked_) {
    append_chunk(out, bytes);
  } else {
    out += bytes;
  }
}

}  // namespace maas
