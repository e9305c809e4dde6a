// SPDX-License-Identifier: Apache-2.0
#include "maas/server/mailbox.h"

#include <memory>
#include <vector>

#include "waiting_inbox.h"
#include <gtest/gtest.h>

namespace maas {
namespace {

struct NoHost final : ExchangeHost {
  void watch(Exchange&) noexcept override {}
  void withdrawn(const ServedModel&, Withdrawal) noexcept override {}
  void delivered() noexcept override {}
};

struct MailboxTest : ::testing::Test {
  NoHost host;
  std::shared_ptr<testing::WaitingInbox> inbox = std::make_shared<testing::WaitingInbox>();
  std::shared_ptr<Exchange> make() { return std::make_shared<Exchange>(host, inbox); }
};

TEST_F(MailboxTest, mail_is_taken_in_the_order_in_which_it_came) {
  const auto first = make();
  const auto second = make();
  inbox->post(first);
  inbox->post(second);
  EXPECT_EQ(inbox->wait(), (std::vector{first, second}));
}

TEST_F(MailboxTest, owner_is_told_once_until_it_has_taken_the_mail) {
  inbox->post(make());
  inbox->post(make());
  EXPECT_EQ(inbox->notifications(), 1);
  inbox->wait();
  inbox->post(make());
  EXPECT_EQ(inbox->notifications(), 2);
  inbox->wait();
}

TEST_F(MailboxTest, what_is_there_or_comes_behind_the_end_is_dropped) {
  auto before = make();
  auto behind = make();
  const std::weak_ptr<Exchange> first = before;
  const std::weak_ptr<Exchange> second = behind;
  inbox->post(std::move(before));
  inbox->close();
  EXPECT_TRUE(first.expired());
  inbox->post(std::move(behind));
  EXPECT_TRUE(second.expired());
  EXPECT_EQ(inbox->notifications(), 1);
}

}  // namespace
}  // namespace maas
