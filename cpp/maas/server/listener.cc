// SPDX-License-Identifier: Apache-2.0
#include "maas/server/listener.h"

#include <cerrno>
#include <future>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>

#include "maas/base/error.h"

namespace maas {
namespace {

namespace asio = boost::asio;
using Code = boost::system::error_code;

constexpr int kBacklog = 4096;
constexpr int kAcceptedAtOnce = 64;
constexpr auto kRetry = std::chrono::milliseconds(100);

asio::ip::tcp::endpoint resolve(asio::io_context& context, const std::string& host, int port) {
  if (port < 0 || port > 65535) {
    throw Error(ErrorCode::kInvalidArgument,
                "port " + std::to_string(port) + " is not between 0 and 65535");
  }
  Code error;
  const auto number = static_cast<asio::ip::port_type>(port);
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (!error) {
    return {address, number};
  }
  asio::ip::tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), error);
  if (error || found.empty()) {
    throw Error(ErrorCode::kUnavailable,
                "the host '" + host + "' is not an address of this machine: " + error.message() +
                    "; choose another with --host");
  }
  return found.begin()->endpoint();
}

[[noreturn]] void throw_open_error(const Code& error, const std::string& host, int port) {
  const std::string number = std::to_string(port);
  if (error == asio::error::address_in_use) {
    throw Error(ErrorCode::kUnavailable,
                "port " + number + " on " + host + " is in use; choose another with --port");
  }
  if (error == asio::error::access_denied) {
    throw Error(
        ErrorCode::kUnavailable,
        "port " + number + " on " + host + " needs privileges; choose one above 1023 with --port");
  }
  throw Error(ErrorCode::kUnavailable, "cannot listen on " + host + " port " + number + ": " +
                                           error.message() + "; choose another with --host");
}

FileDescriptor open_spare() {
  return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Listener::Listener(IoThread& io, UniqueFunction<void(FileDescriptor)> take)
    : io_(io),
      take_(std::move(take)),
      acceptor_(io.context()),
      retry_(io.context()),
      spare_(open_spare()) {}

void Listener::open(const std::string& host, int port) {
  const Tcp::endpoint endpoint = resolve(io_.context(), host, port);
  const auto check = [&](const Code& error) {
    if (error) {
      throw_open_error(error, host, port);
    }
  };
  Code error;
  check(acceptor_.open(endpoint.protocol(), error));
  check(acceptor_.set_option(Acceptor::reuse_address(true), error));
  check(acceptor_.bind(endpoint, error));
  check(acceptor_.listen(kBacklog, error));
  check(acceptor_.native_non_blocking(true, error));
  port_ = acceptor_.local_endpoint(error).port();
  check(error);
  await();
}

void Listener::await() {
  acceptor_.async_wait(Acceptor::wait_read, [this](const Code& error) {
    if (!error) {
      accept_all();
    }
  });
}

void Listener::accept_all() {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    if (!accept_one()) {
      break;
    }
  }
  if (acceptor_.is_open() && retry_.expiry() <= std::chrono::steady_clock::now()) {
    await();
  }
}

// False when none is waiting, or none can be accepted now.
bool Listener::accept_one() {
  FileDescriptor socket(
      ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.is_open()) {
    return on_error(errno);
  }
  take_(std::move(socket));
  return true;
}

bool Listener::on_error(int error) {
  switch (error) {
    case EAGAIN: return false;
    case EINTR:
    case ECONNABORTED:
    case EPROTO: return true;
    default: break;
  }
  // No descriptor left: closing the connection is better than letting it wait, and a socket that
  // stays in the backlog would wake the thread again at once.
  if (spare_.is_open()) {
    spare_.close();
    FileDescriptor(::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC)).close();
    spare_ = open_spare();
    if (spare_.is_open()) {
      return true;
    }
  }
  retry_.expires_after(kRetry);
  retry_.async_wait([this](const Code& code) {
    if (code) {
      return;
    }
    if (!spare_.is_open()) {
      spare_ = open_spare();
    }
    accept_all();
  });
  return false;
}

void Listener::accept_last() {
  if (!acceptor_.is_open()) {
    return;
  }
  while (accept_one()) {
  }
  Code ignored;
  std::ignore = acceptor_.close(ignored);
  retry_.cancel();
}

void Listener::close() {
  std::promise<void> closed;
  io_.run_soon([&] {
    accept_last();
    closed.set_value();
  });
  closed.get_future().wait();
}

}  // namespace maas
