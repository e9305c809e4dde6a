// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/error.h"

namespace maas {

// Is told that the other end of a stream has moved. Called from any thread, with no lock held.
class StreamListener {
 public:
  virtual void moved() noexcept = 0;

 protected:
  ~StreamListener() = default;
};

// Items on their way from one writer to one reader, bounded in number and in bytes: a reader that
// is slow holds its writer up, not memory. The reader takes all there is at once and is told of
// news once for all that it has not taken. Shared by both ends; each end is one thread at a time,
// but for the methods that say otherwise.
class ItemStream {
 public:
  struct Limits {
    std::size_t items = 256;
    std::size_t bytes = std::size_t{64} << 10U;
  };
  enum class Room : std::uint8_t {
    kFree,
    kFull,  // the item was taken; the writer waits before it makes the next
    kGone,  // the reader has left: nothing is wanted any more
  };
  // What the reader took at once. It is used again, with its memory, for what it takes next.
  struct Burst {
    std::string bytes;              // of the items, one behind the other
    std::vector<std::size_t> ends;  // of each item in `bytes`
    bool over = false;              // nothing follows
    std::optional<Error> failure;   // why it ended before its time
  };
  enum class News : std::uint8_t { kNone, kItems, kFailed };  // failed, with no item before it

  ItemStream() : ItemStream(Limits{}) {}
  explicit ItemStream(Limits limits) noexcept : limits_(limits) {}
  ItemStream(const ItemStream&) = delete;
  ItemStream& operator=(const ItemStream&) = delete;

  // The writer's end. write() never waits.
  Room write(std::string_view item);
  // Until there is room; false when the reader has left, which it does at last (stall_timeout).
  bool wait_for_room();
  [[nodiscard]] bool full() const;
  // Nothing follows. Only the first call counts.
  void end(std::optional<Error> failure = std::nullopt) noexcept;
  // Is told of room after kFull, and when the reader leaves; at once if it has left. It may be
  // told more than that. Null for nobody.
  void watch_writer(std::shared_ptr<StreamListener> listener);

  // The reader's end. It is told of news, the first since take(), and looks for itself at once.
  void watch_reader(std::weak_ptr<StreamListener> listener);
  // False when there is nothing new.
  bool take(Burst& into);
  [[nodiscard]] News news() const;

  // From any thread: nobody will read any more. True when that cuts the stream short.
  bool close() noexcept;
  [[nodiscard]] bool closed() const;
  // Whether an item was ever written.
  [[nodiscard]] bool begun() const;

 private:
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable room_;            // signalled when there is room, or nobody reads
  Burst waiting_;                           // guarded by mutex_
  std::weak_ptr<StreamListener> reader_;    // guarded by mutex_
  std::shared_ptr<StreamListener> writer_;  // guarded by mutex_
  bool told_ = false;                       // guarded by mutex_; the reader, since it took
  bool full_ = false;                       // guarded by mutex_; the writer was told so
  bool begun_ = false;                      // guarded by mutex_
  bool taken_over_ = false;                 // guarded by mutex_; the reader has seen the end
  bool closed_ = false;                     // guarded by mutex_
};

}  // namespace maas
