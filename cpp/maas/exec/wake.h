// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>

namespace maas {

// Something that sleeps and can be woken: a pool of executors, an I/O thread. Any thread may call
// it.
class Wakeable {
 public:
  // `reason` as in WakeScope::request().
  virtual void wake(const void* reason) noexcept = 0;
  // Does here and now what it would be woken for, if that is known to be done sooner than a sleeper
  // wakes up; false when it did nothing.
  virtual bool run_here(const void* reason) noexcept;

 protected:
  ~Wakeable() = default;
};

// While a scope is alive on a thread, the wake-ups that this thread asks for are kept back, and
// each sleeper is woken once, when the scope ends. A wake-up costs a system call, and on a busy
// core also a context switch: the I/O thread hands over all the requests that arrived together
// before an executor starts, and an executor all the answers of a batch before the I/O thread does.
// Belongs to the thread that made it. Whatever is woken must outlive the scope, or is kept by it.
class WakeScope {
 public:
  // A thread that `lends` itself does brief work, when nothing else is to be woken, in place of
  // the sleeper: a lone request is then answered without a second thread.
  explicit WakeScope(bool lends = false) noexcept;
  ~WakeScope();
  WakeScope(const WakeScope&) = delete;
  WakeScope& operator=(const WakeScope&) = delete;

  // Wakes what has gathered, and goes on gathering.
  void flush() noexcept;

  // Wakes at the end of this thread's innermost scope, or now when there is none. A sleeper is
  // woken once for each different `reason`, which is compared and never followed: a pool that
  // several work sources ask for needs a thread for each of them.
  static void request(Wakeable& sleeper, const void* reason = nullptr) noexcept;
  // The same for a sleeper that may go away meanwhile.
  static void request(std::shared_ptr<Wakeable> sleeper) noexcept;

 private:
  struct Wish {
    Wakeable* sleeper;
    const void* reason;
    std::shared_ptr<Wakeable> kept{};
    bool operator==(const Wish&) const = default;
  };
  void add(Wish wish) noexcept;

  std::array<Wish, 16> pending_{};
  std::size_t size_ = 0;
  WakeScope* outer_;
  const bool lends_;
};

}  // namespace maas
