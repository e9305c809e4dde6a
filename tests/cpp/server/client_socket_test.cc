// SPDX-License-Identifier: Apache-2.0
#include "maas/server/client_socket.h"

#include <array>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace maas {
namespace {

// Two ends of one TCP connection on loopback.
class ClientSocketTest : public ::testing::Test {
 protected:
  ClientSocketTest() {
    const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener.get(), any, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), any, &size), 0);
    peer_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(peer_.get(), any, size), 0);
    socket_.emplace(context_,
                    FileDescriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  std::string received(std::size_t n) {
    std::string text(n, '\0');
    const auto got = ::recv(peer_.get(), text.data(), n, MSG_WAITALL);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  void reset_from_peer() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(peer_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    peer_.close();
  }
  std::optional<ClientSocket::Read> read() {
    std::optional<ClientSocket::Read> how;
    socket_->read(space_, [&](ClientSocket::Read result, std::size_t n) noexcept {
      how = result;
      bytes_ = n;
    });
    context_.restart();
    context_.run();
    return how;
  }

  boost::asio::io_context context_;
  FileDescriptor peer_;
  std::optional<ClientSocket> socket_;
  std::array<char, 64> space_{};
  std::size_t bytes_ = 0;
};

TEST_F(ClientSocketTest, sends_parts_in_their_order) {
  const std::array<std::string_view, 3> parts = {"he", "ad", "body"};
  EXPECT_EQ(socket_->send(parts).bytes, 8U);
  EXPECT_EQ(socket_->send("more").bytes, 4U);
  EXPECT_EQ(received(12), "headbodymore");
}

TEST_F(ClientSocketTest, is_blocked_by_a_client_that_takes_nothing_and_told_when_it_does) {
  const std::string much(1U << 20U, 'x');
  std::size_t sent = 0;
  ClientSocket::Sent last;
  while (!last.blocked) {
    last = socket_->send(much);
    ASSERT_FALSE(last.broken);
    sent += last.bytes;
  }
  bool writable = false;
  socket_->await_writable([&](bool broken) noexcept { writable = !broken; });
  EXPECT_EQ(received(sent).size(), sent);
  context_.run();
  EXPECT_TRUE(writable);
}

TEST_F(ClientSocketTest, tells_bytes_from_the_end_and_from_a_reset) {
  ::send(peer_.get(), "hi", 2, 0);
  EXPECT_EQ(read(), ClientSocket::Read::kBytes);
  EXPECT_EQ(bytes_, 2U);
  ::shutdown(peer_.get(), SHUT_WR);
  EXPECT_EQ(read(), ClientSocket::Read::kEnd);
  EXPECT_EQ(socket_->send("still").bytes, 5U);
  EXPECT_EQ(received(5), "still");
  reset_from_peer();
  bool reset = false;
  socket_->await_reset([&](bool broken) noexcept { reset = broken; });
  context_.restart();
  context_.run();
  EXPECT_TRUE(reset);
  EXPECT_TRUE(socket_->send("x").broken);
}

TEST_F(ClientSocketTest, a_read_that_is_cancelled_says_so) {
  std::optional<ClientSocket::Read> how;
  socket_->read(space_, [&](ClientSocket::Read result, std::size_t) noexcept { how = result; });
  socket_->cancel();
  context_.run();
  EXPECT_EQ(how, ClientSocket::Read::kCancelled);
}

TEST_F(ClientSocketTest, the_client_sees_the_end_of_our_output) {
  socket_->send("bye");
  socket_->end_output();
  EXPECT_EQ(received(10), "bye");
}

}  // namespace
}  // namespace maas
