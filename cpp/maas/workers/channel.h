// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "maas/base/clock.h"
#include "maas/base/file_descriptor.h"
#include "maas/workers/shared_memory.h"
#include "maas/workers/wire.h"

namespace maas {

// One end of the socket between a server and a worker process. A message arrives whole or not at
// all, and memory may come with it. When the other process has gone, however it went, the socket
// says so. Any thread may send; one thread receives.
class Channel {
 public:
  explicit Channel(FileDescriptor socket) : socket_(std::move(socket)) {}
  // Both ends. Throws overloaded when there are too many descriptors.
  static std::pair<FileDescriptor, FileDescriptor> make_pair();

  // False when the other side has gone. Fills in what the message says about text and memory.
  bool send(wire::Message message,
            std::string_view text = {},
            const SharedMemory* memory = nullptr) const noexcept;

  struct Packet {
    wire::Message message;
    std::string text;
    std::shared_ptr<SharedMemory> memory;  // null when none came with it
  };
  enum class Got : std::uint8_t {
    kPacket,
    kNothing,  // yet
    kClosed,   // the other side has gone
    kGarbage,  // what came is no message
  };
  // With `wait` it never gives kNothing.
  Got receive(Packet& packet, bool wait) const;

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }

 private:
  FileDescriptor socket_;
};

}  // namespace maas
