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
      : one(std::move(ends.first)), other(std::make_unique<Channel>(std::move(ends.second))) {}

  Channel one;
  std::unique_ptr<Channel> other;
  Channel::Packet packet;
};

TEST_F(ChannelTest, a_message_arrives_with_its_text_and_its_memory) {
  const auto memory = SharedMemory::create(10);
  memory->bytes()[3] = std::byte{42};
  ASSERT_TRUE(one.send({.kind = Kind::kRun, .slot = 5, .sequence = 9}, "text", memory.get()));
  ASSERT_EQ(other->receive(packet, true), Got::kPacket);
  EXPECT_EQ(packet.message.kind, Kind::kRun);
  EXPECT_EQ(packet.message.slot, 5U);
  EXPECT_EQ(packet.message.sequence, 9U);
  EXPECT_EQ(packet.text, "text");
  ASSERT_NE(packet.memory, nullptr);
  EXPECT_EQ(packet.memory->bytes()[3], std::byte{42});
}

TEST_F(ChannelTest, the_next_message_has_nothing_of_the_one_before) {
  const auto memory = SharedMemory::create(10);
  one.send({}, "text", memory.get());
  one.send({});
  ASSERT_EQ(other->receive(packet, true), Got::kPacket);
  ASSERT_EQ(other->receive(packet, true), Got::kPacket);
  EXPECT_EQ(packet.text, "");
  EXPECT_EQ(packet.memory, nullptr);
}

TEST_F(ChannelTest, text_is_cut_off_where_messages_end) {
  one.send({}, std::string(2 * wire::kMostText, 'x'));
  ASSERT_EQ(other->receive(packet, true), Got::kPacket);
  EXPECT_EQ(packet.text.size(), wire::kMostText);
}

TEST_F(ChannelTest, nothing_yet_and_gone_are_told_apart) {
  EXPECT_EQ(one.receive(packet, false), Got::kNothing);
  other.reset();
  EXPECT_EQ(one.receive(packet, false), Got::kClosed);
  EXPECT_EQ(one.receive(packet, true), Got::kClosed);
  EXPECT_FALSE(one.send({}));
}

TEST_F(ChannelTest, what_was_sent_before_the_end_still_arrives) {
  other->send({.kind = Kind::kFailed}, "why");
  other.reset();
  ASSERT_EQ(one.receive(packet, true), Got::kPacket);
  EXPECT_EQ(packet.text, "why");
  EXPECT_EQ(one.receive(packet, true), Got::kClosed);
}

TEST_F(ChannelTest, nonsense_is_told_as_such) {
  const auto garbage = [&](const void* bytes, std::size_t size) {
    EXPECT_GT(::send(one.fd(), bytes, size, 0), 0);
    return other->receive(packet, true) == Got::kGarbage;
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
  send_with(one.fd(), {loose.get(), 0}, 1);
  EXPECT_EQ(other->receive(packet, true), Got::kGarbage);
  send_with(one.fd(), {loose.get(), loose.get()}, 2);
  EXPECT_EQ(other->receive(packet, true), Got::kGarbage);
}

}  // namespace
}  // namespace maas
