// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "maas/base/clock.h"
#include "maas/base/error.h"
#include "maas/server/http.h"

namespace maas {

// Server-sent events that say nothing keep proxies from closing a stream that is quiet.
inline constexpr auto kIdleInterval = std::chrono::seconds(15);

// The body of an answer while it is made: the bytes that its items are on the wire, from the first
// to the end. Owned by the thread that sends them; knows nothing of sockets.
class OutgoingStream {
 public:
  enum class Step {
    kNothing,  // until there is news, or due() has come
    kMore,
    kLast,     // that was all
    kAborted,  // that was all, and the client has to be told: the connection is closed behind it
  };

  // REQUIRES: stream.items
  void begin(const ResponseStream& stream,
             std::string_view request_id,
             bool chunked,
             TimePoint now);
  // Nothing more is sent, whatever there is.
  void reset() noexcept;
  // There is, or will be, more to send.
  [[nodiscard]] bool active() const noexcept { return stream_.items != nullptr; }

  // Appends all that there is to be sent now.
  Step append(std::string& out, TimePoint now);
  // When append() has something to say though no item has come.
  [[nodiscard]] TimePoint due() const noexcept;
  // Whether the next item has taken longer than it may.
  [[nodiscard]] bool late(TimePoint now) const noexcept { return late_at_.expired(now); }
  // The next append() ends the stream with this error.
  void fail(Error error);
  // The next append() says something that means nothing.
  void probe() noexcept { idle_at_ = TimePoint{}; }

 private:
  [[nodiscard]] TimePoint idle_from(TimePoint now) const noexcept;
  Step finish(std::string& out, const std::optional<Error>& failure);
  void write(std::string& out, std::string_view bytes) const;
  std::string_view dressed(std::string_view item);

  ResponseStream stream_;
  std::string request_id_;
  bool chunked_ = false;
  std::size_t count_ = 0;  // of items
  Deadline late_at_;
  TimePoint idle_at_{};
  std::optional<Error> failure_;
  ItemStream::Burst burst_;
  std::string frames_;
  std::string item_;
};

}  // namespace maas
