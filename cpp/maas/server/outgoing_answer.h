// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maas/server/outgoing_stream.h"
#include "maas/server/response_head.h"

namespace maas {

// An answer on its way out: its bytes, how many of them the client has taken, and the stream that
// follows if it has one. A short body is copied behind the head, so that one plain send is enough;
// a long one stays where it is, and so do
// tensors. Owned by one thread, used again for the next answer.
class OutgoingAnswer {
 public:
  // `response` must not change until done().
  void set(const HttpResponse& response, const HeadFrame& frame, bool with_body, TimePoint now);
  // What is still to be sent, one part behind the other: some of it, when there are many parts.
  [[nodiscard]] std::span<const std::string_view> rest() const noexcept;
  void advance(std::size_t n) noexcept;
  // There is nothing to send at the moment.
  [[nodiscard]] bool is_sent() const noexcept { return first_ == parts_.size(); }
  [[nodiscard]] bool done() const noexcept { return is_sent() && !stream_.active(); }

  [[nodiscard]] OutgoingStream& stream() noexcept { return stream_; }
  // Takes what the stream has by now; false when that is nothing. REQUIRES: is_sent()
  bool refill(TimePoint now);
  // The stream ended before its time: the client has to see that the connection did, too.
  [[nodiscard]] bool aborted() const noexcept { return aborted_; }

 private:
  bool append_items(TimePoint now);
  void add_part(std::string_view bytes);

  std::string head_;
  std::vector<std::string_view> parts_;  // `head_` first
  std::size_t first_ = 0;                // of the parts that are still to be sent
  OutgoingStream stream_;
  bool aborted_ = false;
};

}  // namespace maas
