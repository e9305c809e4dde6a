// SPDX-License-Identifier: Apache-2.0
#include "maas/server/client_socket.h"

#include <string>
#include <tuple>

namespace maas {

namespace asio = boost::asio;

ClientSocket::ClientSocket(asio::io_context& context, FileDescriptor socket) : socket_(context) {
  Code ignored;
  std::ignore = socket_.assign(asio::ip::tcp::v4(), socket.release(), ignored);
  std::ignore = socket_.non_blocking(true, ignored);
  std::ignore = socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

std::string_view ClientSocket::peer() {
  Code error;
  if (peer_.empty()) {
    const auto end = socket_.remote_endpoint(error);
    if (!error) {
      peer_ = end.address().to_string() + ":" + std::to_string(end.port());
    }
  }
  return peer_;
}

ClientSocket::Sent ClientSocket::send(std::string_view first, std::string_view second) noexcept {
  const std::array<asio::const_buffer, 2> both = {asio::buffer(first), asio::buffer(second)};
  Code error;
  const std::size_t bytes =
      second.empty() ? socket_.send(both[0], 0, error) : socket_.send(both, 0, error);
  const bool blocked = error == asio::error::would_block;
  return {bytes, blocked, error && !blocked};
}

void ClientSocket::end_output() noexcept {
  Code ignored;
  std::ignore = socket_.shutdown(Socket::shutdown_send, ignored);
}

void ClientSocket::cancel() noexcept {
  Code ignored;
  std::ignore = socket_.cancel(ignored);
}

void ClientSocket::close() noexcept {
  Code ignored;
  std::ignore = socket_.close(ignored);
}

ClientSocket::Read ClientSocket::why_ended(const Code& error) noexcept {
  return error == asio::error::eof                 ? Read::kEnd
         : error == asio::error::operation_aborted ? Read::kCancelled
                                                   : Read::kBroken;
}

}  // namespace maas
