// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "maas/server/response_head.h"

namespace maas {

// An answer on its way out: its bytes, and how many of them the client has taken. A short body is
// copied behind the head, so that one plain send is enough; a long one stays where it is. Owned by
// one thread, used again for the next answer.
class OutgoingAnswer {
 public:
  // `response` must not change until done().
  void set(const HttpResponse& response, const HeadFrame& frame, bool with_body);
  // What is still to be sent: `head`, then `body`, which is empty when `head` holds all.
  struct Rest {
    std::string_view head;
    std::string_view body;
  };
  [[nodiscard]] Rest rest() const noexcept;
  void advance(std::size_t n) noexcept { sent_ += n; }
  [[nodiscard]] bool done() const noexcept { return sent_ == head_.size() + body_.size(); }

 private:
  std::string head_;
  std::string_view body_;
  std::size_t sent_ = 0;
};

}  // namespace maas
