// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/channel.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace maas {
namespace {

using Got = Channel::Got;
using wire::Kind;

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() : ChannelTest(Channel::make_pair()) {}
  explicit ChannelTest(std::pair<FileDescriptor, FileDescriptor> ends)
      : one_(std::move(ends.first)), other_(std::make_unique<Channel>(std::move(ends.second))) {}

  Channel one_;
  std::unique_ptr<Channel> other_;
  Channel::Packet packet_;
};

TEST_F(ChannelTest, a_message_arrives_with_its_text_and_its_memory) {
  const auto memory = SharedMemory::create(10);
  memory->bytes()[3] = std::byte{42};
  ASSERT_TRUE(one_.send({.kind = Kind::kRun, .slot = 5, .sequence = 9}, "text", memory.get()));
  ASSERT_EQ(other_->receive(packet_, true), Got::kPacket);
  EXPECT_EQ(packet_.message.kind, Kind::kRun);
  EXPECT_EQ(packet_.message.slot, 5U);
  EXPECT_EQ(packet_.message.sequence, 9U);
  EXPECT_EQ(packet_.text, "text");
  ASSERT_NE(packet_.memory, nullptr);
  EXPECT_EQ(packet_.memory->bytes()[3], std::byte{42});
}

TEST_F(ChannelTest, the_next_message_has_nothing_of_the_one_before) {
  const auto memory = SharedMemory::create(10);
  one_.send({}, "text", memory.get());
  one_.send({});
  ASSERT_EQ(other_->receive(packet_, true), Got::kPacket);
  ASSERT_EQ(other_->receive(packet_, true), Got::kPacket);
  EXPECT_EQ(packet_.text, "");
  EXPECT_EQ(packet_.memory, nullptr);
}

TEST_F(ChannelTest, text_is_cut_off_where_messages_end) {
  one_.send({}, std::string(2 * wire::kMostText, 'x'));
  ASSERT_EQ(other_->receive(packet_, true), Got::kPacket);
  EXPECT_EQ(packet_.text.size(), wire::kMostText);
}

TEST_F(ChannelTest, nothing_yet_and_gone_are_told_apart) {
  EXPECT_EQ(one_.receive(packet_, false), Got::kNothing);
  other_.reset();
  EXPECT_EQ(one_.receive(packet_, false), Got::kClosed);
  EXPECT_EQ(one_.receive(packet_, true), Got::kClosed);
  EXPECT_FALSE(one_.send({}));
}

TEST_F(ChannelTest, what_was_sent_before_the_end_still_arrives) {
  other_->send({.kind = Kind::kFailed}, "why");
  other_.reset();
  ASSERT_EQ(one_.receive(packet_, true), Got::kPacket);
  EXPECT_EQ(packet_.text, "why");
  EXPECT_EQ(one_.receive(packet_, true), Got::kClosed);
}

TEST_F(ChannelTest, nonsense_is_told_as_such) {
  const auto garbage = [&](const void* bytes, std::size_t size) {
    EXPECT_GT(::send(one_.fd(), bytes, size, 0), 0);
    return other_->receive(packet_, true) == Got::kGarbage;
  };
  wire::Message message;
  EXPECT_FALSE(garbage(&message, sizeof(message)));
  EXPECT_TRUE(garbage("short", 5));
  message.magic = 1;
  EXPECT_TRUE(garbage(&message, sizeof(message)));
  message = {.version = 2};
  EXPECT_TRUE(garbage(&message, sizeof(message)));
  message = {.text = 1};  // and none comes
  EXPECT_TRUE(garbage(&message, sizeof(message)));
  message = {.capacity = 4096};  // and no memory comes
  EXPECT_TRUE(garbage(&message, sizeof(message)));
  const std::string long_one(sizeof(message) + wire::kMostText + 1, 'x');
  EXPECT_TRUE(garbage(long_one.data(), long_one.size()));
}

// Sends a message with these descriptors.
void send_with(int socket, const std::array<int, 2>& fds, std::size_t count) {
  wire::Message message{.capacity = 4096};
  iovec part{&message, sizeof(message)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* about = CMSG_FIRSTHDR(&header);
  about->cmsg_level = SOL_SOCKET;
  about->cmsg_type = SCM_RIGHTS;
  about->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(about), fds.data(), count * sizeof(int));
  ASSERT_GT(::sendmsg(socket, &header, 0), 0);
}

TEST_F(ChannelTest, memory_that_may_shrink_and_two_descriptors_are_nonsense) {
  const FileDescriptor loose(::memfd_create("test", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(loose.get(), 4096), 0);
  send_with(one_.fd(), {loose.get(), 0}, 1);
  EXPECT_EQ(other_->receive(packet_, true), Got::kGarbage);
  send_with(one_.fd(), {loose.get(), loose.get()}, 2);
  EXPECT_EQ(other_->receive(packet_, true), Got::kGarbage);
}

}  // namespace
}  // namespace maas
