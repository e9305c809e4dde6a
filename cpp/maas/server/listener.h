// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maas/base/file_descriptor.h"
#include "maas/base/unique_function.h"
#include "maas/server/asio.h"
#include "maas/server/io_thread.h"

namespace maas {

// Accepts connections on one address and hands them out. Lives on an I/O thread; owned by the
// Server, which ends the thread first.
class Listener {
 public:
  // `take` is called on the I/O thread.
  Listener(IoThread& io, UniqueFunction<void(FileDescriptor)> take);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Throws unavailable that names address and reason.
  void open(const std::string& host, int port);
  [[nodiscard]] int port() const noexcept { return port_; }
  // Accepts what waits already, then no more. Call it from another thread while the I/O thread
  // runs.
  void close();

 private:
  using Tcp = boost::asio::ip::tcp;
  using Acceptor = boost::asio::basic_socket_acceptor<Tcp, boost::asio::io_context::executor_type>;

  void await();
  void accept_all();
  bool accept_one();
  void accept_last();
  bool on_error(int error);

  IoThread& io_;
  UniqueFunction<void(FileDescriptor)> take_;
  Acceptor acceptor_;
  boost::asio::steady_timer retry_;
  FileDescriptor spare_;  // given up for a moment when there is no other descriptor left
  int port_ = 0;
};

}  // namespace maas
