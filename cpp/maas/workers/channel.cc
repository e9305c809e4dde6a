// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/channel.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <sys/socket.h>

#include "maas/base/error.h"

namespace maas {
namespace {

constexpr int kBuffer =
    1 << 20U;  // bytes of messages that wait to be read; the system may give less

struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

// The descriptor that came with a message, or none.
FileDescriptor descriptor_of(msghdr& header) noexcept {
  FileDescriptor found;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part), sizeof(fd));
      found = FileDescriptor(fd);
    }
  }
  return found;
}

bool is_right(const wire::Message& message, std::size_t received, bool has_memory) noexcept {
  return message.magic == wire::kMagic && message.version == wire::kVersion &&
         message.text == received - sizeof(message) && has_memory == (message.capacity > 0);
}

}  // namespace

std::pair<FileDescriptor, FileDescriptor> Channel::make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error(ErrorCode::kOverloaded,
                "no socket for a worker: " + std::generic_category().message(errno));
  }
  for (const int end : ends) {
    ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof(kBuffer));
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

bool Channel::send(wire::Message message,
                   std::string_view text,
                   const SharedMemory* memory) const noexcept {
  text = text.substr(0, wire::kMostText);
  message.text = static_cast<std::uint32_t>(text.size());
  message.capacity = memory == nullptr ? 0 : memory->bytes().size();
  std::array<iovec, 2> parts{iovec{&message, sizeof(message)},
                             iovec{const_cast<char*>(text.data()), text.size()}};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = text.empty() ? 1 : 2;
  Control control;
  if (memory != nullptr) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = control.bytes.size();
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = memory->fd();
    std::memcpy(CMSG_DATA(part), &fd, sizeof(fd));
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

Channel::Got Channel::receive(Packet& packet, bool wait) const {
  std::array<char, wire::kMostText> text;  // NOLINT(*-member-init): only what came is looked at
  std::array<iovec, 2> parts{iovec{&packet.message, sizeof(packet.message)},
                             iovec{text.data(), text.size()}};
  Control control;
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  ssize_t received = 0;
  do {
    received = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
  } while (received < 0 && errno == EINTR);
  if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    return Got::kNothing;
  }
  if (received <= 0) {
    return Got::kClosed;
  }
  FileDescriptor fd = descriptor_of(header);
  const auto size = static_cast<std::size_t>(received);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || size < sizeof(packet.message) ||
      !is_right(packet.message, size, fd.is_open())) {
    return Got::kGarbage;
  }
  packet.text.assign(text.data(), packet.message.text);
  packet.memory = nullptr;
  if (fd.is_open()) {
    try {
      packet.memory = SharedMemory::adopt(std::move(fd), packet.message.capacity);
    } catch (const Error&) {
      return Got::kGarbage;
    }
  }
  return Got::kPacket;
}

}  // namespace maas
