// SPDX-License-Identifier: Apache-2.0
#include "maas/server/client_socket.h"

#include <algorithm>
#include <array>
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

ClientSocket::Sent ClientSocket::send(std::string_view bytes) noexcept {
  Code error;
  const std::size_t sent = socket_.send(asio::buffer(bytes), 0, error);
  const bool blocked = error == asio::error::would_block;
  return {sent, blocked, error && !blocked};
}

ClientSocket::Sent ClientSocket::send(std::span<const std::string_view> parts) noexcept {
  if (parts.size() == 1) {
    return send(parts.front());
  }
  std::array<asio::const_buffer, kMaxParts> buffers;
  std::transform(parts.begin(), parts.end(), buffers.begin(),
                 [](std::string_view part) { return asio::buffer(part); });
  Code error;
  const std::size_t sent = socket_.send(std::span(buffers).first(parts.size()), 0, error);
  const bool blocked = error == asio::error::would_block;
  return {sent, blocked, error && !blocked};
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
