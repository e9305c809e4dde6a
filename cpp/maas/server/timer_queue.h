// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/intrusive/set.hpp>

#include "maas/base/clock.h"

namespace maas {

// Something with at most one time at which it wants to be called. Leaves its queue when destroyed.
class Timed {
 public:
  virtual ~Timed() = default;
  virtual void on_time() noexcept = 0;

 private:
  friend class TimerQueue;
  using Hook =
      boost::intrusive::set_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  Hook hook_;
  TimePoint due_ = TimePoint::max();
  TimePoint place_{};  // by which it stands in the queue; never later than due_
};

// Calls many objects at their times. Setting a time that is later than the one before, which is
// what nearly every request does, costs one store: the object moves when its old place comes up.
// Owned by one thread.
class TimerQueue {
 public:
  // True when next() has become earlier.
  bool set(Timed& timed, TimePoint due) noexcept;
  void cancel(Timed& timed) noexcept { timed.due_ = TimePoint::max(); }

  // Nothing is due before; max() when the queue is empty.
  [[nodiscard]] TimePoint next() const noexcept;
  // Calls what is due.
  void run(TimePoint now) noexcept;

 private:
  struct PlaceOf {
    using type = TimePoint;
    const TimePoint& operator()(const Timed& timed) const noexcept { return timed.place_; }
  };
  boost::intrusive::multiset<Timed,
                             boost::intrusive::member_hook<Timed, Timed::Hook, &Timed::hook_>,
                             boost::intrusive::key_of_value<PlaceOf>,
                             boost::intrusive::constant_time_size<false>>
      queue_;
};

}  // namespace maas
