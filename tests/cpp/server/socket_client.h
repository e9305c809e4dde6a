// SPDX-License-Identifier: Apache-2.0
// A client that sends exactly the bytes it is told, for tests of the transport.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "maas/base/file_descriptor.h"
#include "maas/server/http.h"

namespace maas::testing {

struct ClientAnswer {
  int status = 0;
  std::string head;
  std::string body;

  [[nodiscard]] std::string header(std::string_view name) const {
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at)) {
      at += 2;
      const std::size_t colon = head.find(": ", at);
      const std::size_t end = head.find("\r\n", at);
      if (colon < end && same_token(std::string_view(head).substr(at, colon - at), name)) {
        return head.substr(colon + 2, end - colon - 2);
      }
    }
    return {};
  }
};

class SocketClient {
 public:
  explicit SocketClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    // A server that hangs fails its test instead of hanging it.
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int one = 1;
    setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
        0) {
      throw std::runtime_error("cannot connect");
    }
  }

  // False when the server has closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void get(const std::string& path) {
    send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  void post(const std::string& path, const std::string& body) {
    send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  void end_output() { ::shutdown(socket_.get(), SHUT_WR); }
  void close() { socket_.close(); }
  // Closes so that the peer sees a reset.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_.close();
  }

  // The next answer; status 0 when the connection ended instead.
  ClientAnswer read_answer(bool with_body = true) {
    ClientAnswer answer;
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) {
        return answer;
      }
    }
    answer.head = take(end + 4);
    answer.status = static_cast<int>(std::strtol(answer.head.c_str() + 9, nullptr, 10));
    const std::size_t length = std::strtoul(answer.header("Content-Length").c_str(), nullptr, 10);
    while (with_body && received_.size() < length && receive()) {
    }
    answer.body = with_body ? take(length) : "";
    return answer;
  }
  // The next chunk of a chunked body; empty for the last, and when the connection ended instead.
  std::string read_chunk() {
    std::size_t end = 0;
    while ((end = received_.find("\r\n")) == std::string::npos) {
      if (!receive()) {
        return {};
      }
    }
    const std::size_t length = std::strtoul(take(end + 2).c_str(), nullptr, 16);
    while (received_.size() < length + 2 && receive()) {
    }
    return take(length + 2).substr(0, length);
  }
  // What there is, or what comes next; empty when the server closes.
  std::string read_some() {
    if (received_.empty()) {
      receive();
    }
    return std::exchange(received_, {});
  }
  // Everything until the server closes; nothing when it does not.
  std::string read_to_end() {
    while (receive()) {
    }
    return ended_ ? std::exchange(received_, {}) : "the connection stayed open";
  }

 private:
  bool receive() {
    char buffer[16384];
    const auto n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (n > 0) {
      received_.append(buffer, static_cast<std::size_t>(n));
    }
    ended_ = n == 0;
    return n > 0;
  }
  std::string take(std::size_t n) {
    std::string front = received_.substr(0, n);
    received_.erase(0, n);
    return front;
  }

  FileDescriptor socket_;
  std::string received_;
  bool ended_ = false;
};

}  // namespace maas::testing
