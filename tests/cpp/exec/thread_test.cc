// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/thread.h"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

namespace maas {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE};

sigset_t signal_mask() {
  sigset_t mask;
  EXPECT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
  return mask;
}

TEST(Thread, runs_with_every_signal_blocked_and_leaves_its_makers_mask_alone) {
  const sigset_t before = signal_mask();
  sigset_t inside;
  Thread("t", [&] { inside = signal_mask(); }).join();
  const sigset_t after = signal_mask();
  for (const int signal : kSignals) {
    EXPECT_EQ(sigismember(&inside, signal), 1) << signal;
    EXPECT_EQ(sigismember(&after, signal), sigismember(&before, signal)) << signal;
  }
}

TEST(Thread, carries_its_name_cut_to_what_the_kernel_takes) {
  std::string name(16, '\0');
  Thread("a-name-longer-than-fifteen", [&] {
    pthread_getname_np(pthread_self(), name.data(), name.size());
  }).join();
  EXPECT_STREQ(name.c_str(), "a-name-longer-t");
}

TEST(Thread, is_joined_by_its_destructor) {
  std::atomic<bool> ran{false};
  {
    const Thread thread("t", [&] { ran = true; });
  }
  EXPECT_TRUE(ran);
}

TEST(Thread, may_be_joined_twice_and_without_a_body) {
  Thread thread("t", [] {});
  thread.join();
  thread.join();
  Thread none;
  none.join();
}

TEST(Thread, moves_and_joins_what_it_ran_before_it_takes_another) {
  std::atomic<int> ran{0};
  Thread thread("one", [&] { ++ran; });
  thread = Thread("two", [&] { ++ran; });
  EXPECT_GE(ran, 1);
  Thread moved = std::move(thread);
  moved.join();
  EXPECT_EQ(ran, 2);
}

TEST(Thread, keeps_a_capture_that_can_only_be_moved) {
  int seen = 0;
  Thread("t", [value = std::make_unique<int>(9), &seen] { seen = *value; }).join();
  EXPECT_EQ(seen, 9);
}

}  // namespace
}  // namespace maas
