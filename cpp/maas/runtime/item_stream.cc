// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/item_stream.h"

#include <utility>

namespace maas {

ItemStream::Room ItemStream::write(std::string_view item) {
  std::shared_ptr<StreamListener> reader;
  Room room = Room::kFree;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return Room::kGone;
    }
    if (waiting_.over) {
      return Room::kFree;  // behind its end it is nothing
    }
    waiting_.ends.push_back(waiting_.bytes.size() + item.size());
    waiting_.bytes += item;
    begun_ = true;
    full_ = waiting_.ends.size() >= limits_.items || waiting_.bytes.size() >= limits_.bytes;
    room = full_ ? Room::kFull : Room::kFree;
    if (!told_) {
      reader = reader_.lock();
      told_ = reader != nullptr;
    }
  }
  if (reader) {
    reader->moved();
  }
  return room;
}

bool ItemStream::wait_for_room() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return !full_ || closed_; });
  return !closed_;
}

bool ItemStream::full() const {
  const std::lock_guard lock(mutex_);
  return full_ && !closed_;
}

void ItemStream::end(std::optional<Error> failure) noexcept {
  std::shared_ptr<StreamListener> reader;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || std::exchange(waiting_.over, true)) {
      return;
    }
    waiting_.failure = std::move(failure);
    if (!told_) {
      reader = reader_.lock();
      told_ = reader != nullptr;
    }
  }
  if (reader) {
    reader->moved();
  }
}

void ItemStream::watch_writer(std::shared_ptr<StreamListener> listener) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      writer_ = std::move(listener);
      return;
    }
  }
  if (listener) {
    listener->moved();
  }
}

void ItemStream::watch_reader(std::weak_ptr<StreamListener> listener) {
  const std::lock_guard lock(mutex_);
  reader_ = std::move(listener);
  told_ = false;
}

bool ItemStream::take(Burst& into) {
  into.bytes.clear();
  into.ends.clear();
  into.over = false;
  into.failure.reset();
  std::shared_ptr<StreamListener> writer;
  {
    const std::lock_guard lock(mutex_);
    told_ = false;
    if (taken_over_ || closed_ || (waiting_.ends.empty() && !waiting_.over)) {
      return false;
    }
    std::swap(into, waiting_);
    taken_over_ = waiting_.over = into.over;
    if (std::exchange(full_, false)) {
      writer = writer_;
      room_.notify_one();
    }
  }
  if (writer) {
    writer->moved();
  }
  return true;
}

ItemStream::News ItemStream::news() const {
  const std::lock_guard lock(mutex_);
  if (!waiting_.ends.empty() || (waiting_.over && !waiting_.failure)) {
    return News::kItems;
  }
  return waiting_.over ? News::kFailed : News::kNone;
}

bool ItemStream::close() noexcept {
  std::shared_ptr<StreamListener> writer;
  Burst dropped;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true) || taken_over_) {
      return false;
    }
    std::swap(dropped, waiting_);
    reader_.reset();
    writer = std::move(writer_);
    room_.notify_one();
  }
  if (writer) {
    writer->moved();
  }
  return true;
}

bool ItemStream::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

bool ItemStream::begun() const {
  const std::lock_guard lock(mutex_);
  return begun_;
}

}  // namespace maas
