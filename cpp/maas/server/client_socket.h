// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "maas/base/file_descriptor.h"
#include "maas/server/asio.h"

namespace maas {

// The socket of one client, non-blocking. Owned by one I/O thread; what is begun is ended by
// cancel() or close(), and its callback comes in any case.
class ClientSocket {
 public:
  enum class Read {
    kBytes,
    kEnd,        // the client sends no more; it may still read
    kCancelled,  // by us
    kBroken,
  };
  struct Sent {
    std::size_t bytes = 0;
    bool blocked = false;  // the client must take some first
    bool broken = false;
  };

  ClientSocket(boost::asio::io_context& context, FileDescriptor socket);
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  // "address:port" of the client; empty when it has gone.
  [[nodiscard]] std::string_view peer();
  Sent send(std::string_view bytes) noexcept;
  // Several, one behind the other, in one system call.
  static constexpr std::size_t kMaxParts = 16;
  // REQUIRES: at most kMaxParts
  Sent send(std::span<const std::string_view> parts) noexcept;

  // `done(Read, bytes)`
  template <typename Done>
  void read(std::span<char> into, Done done) {
    socket_.async_read_some(boost::asio::buffer(into.data(), into.size()),
                            [done = std::move(done)](const Code& error, std::size_t n) noexcept {
                              done(error ? why_ended(error) : Read::kBytes, n);
                            });
  }
  // `done(broken)` when the client can take more, or is gone.
  template <typename Done>
  void await_writable(Done done) {
    socket_.async_wait(Socket::wait_write, [done = std::move(done)](const Code& error) noexcept {
      done(static_cast<bool>(error));
    });
  }
  // `done(broken)` when the connection fails: for one whose end of input has been read.
  template <typename Done>
  void await_reset(Done done) {
    socket_.async_wait(Socket::wait_error,
                       [done = std::move(done)](const Code& error) noexcept { done(!error); });
  }

  void end_output() noexcept;
  void cancel() noexcept;
  void close() noexcept;

 private:
  using Code = boost::system::error_code;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                  boost::asio::io_context::executor_type>;
  static Read why_ended(const Code& error) noexcept;

  Socket socket_;
  std::string peer_;  // once it was asked for
};

}  // namespace maas
