// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/log.h"
#include "maas/base/result.h"
#include "maas/runtime/model.h"
#include "maas/workers/channel.h"

namespace maas {

// A worker process's side: it reads what it is to load, then runs the batches that the server
// sends. The process is killed when the server's thread that started it ends. serve() is called by
// one thread, the rest by any.
class WorkerSession {
 public:
  // `socket` is ChildProcess::kDescriptor in a process that a Worker started. Throws
  // invalid_argument when there is no server behind it.
  explicit WorkerSession(FileDescriptor socket);

  [[nodiscard]] const std::string& setup() const noexcept { return setup_; }
  // There is nothing to serve, and why: the server tells it, and this process should end.
  void fail(std::string_view reason) const noexcept;
  void log(const LogRecord& record) const noexcept;

  struct Served {
    std::shared_ptr<Model> model;
    bool asynchronous = false;  // answers later: it runs several batches at once
  };
  // Says that it is ready, and runs batches on this thread until the server says stop (true) or has
  // gone (false). Throws invalid_argument when it sends nonsense.
  bool serve(const std::vector<Served>& models);

 private:
  struct Memories;
  class Call;

  void run(const std::vector<Served>& models, Channel::Packet& packet);

  const std::shared_ptr<const Channel> channel_;  // answers may come when the session has gone
  std::string setup_;
  std::map<std::uint32_t, std::shared_ptr<Memories>> slots_;  // owned by serve()'s thread
};

}  // namespace maas
