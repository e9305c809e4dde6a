// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "maas/base/file_descriptor.h"

namespace maas {

// How a process ended.
struct Exit {
  int code = -1;   // -1: by a signal, or nobody knows
  int signal = 0;  // 0: by itself

  // "was killed by signal 11 (Segmentation fault)"
  [[nodiscard]] std::string describe() const;
};

// A program that runs as a child of this one, started afresh and never as a copy: threads and locks
// of this process do not exist in it. It has our environment, standard output and error, no input,
// and of all other descriptors only one. Ended and reaped by the destructor. One thread owns it.
class ChildProcess {
 public:
  // The descriptor that the program finds open.
  static constexpr int kDescriptor = 3;

  struct Command {
    std::vector<std::string> arguments;    // the first is the program's path
    std::vector<std::string> environment;  // "NAME=value", before ours
  };
  // Throws invalid_argument when the program cannot be started.
  ChildProcess(const Command& command, FileDescriptor descriptor);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void kill() noexcept;
  // How it ended, if it does within `patience`.
  std::optional<Exit> wait(std::chrono::milliseconds patience) noexcept;

  // For the child itself, at its start: to be killed when the thread that started it ends.
  static void end_with_parent() noexcept;

 private:
  pid_t pid_ = -1;
  FileDescriptor handle_;  // names this process, also after its id was given to another
  std::optional<Exit> exit_;
};

}  // namespace maas
