// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maas/base/error.h"

extern char** environ;

namespace maas {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    all.push_back(const_cast<char*>(text.c_str()));
  }
  return all;
}

std::string_view name_of(std::string_view entry) noexcept {
  return entry.substr(0, entry.find('='));
}

// Ours, without the names that are set anew.
std::vector<char*> environment_with(const std::vector<std::string>& set) {
  std::vector<char*> all = pointers(set);
  for (char* const* entry = environ; *entry != nullptr; ++entry) {
    bool replaced = false;
    for (const std::string& other : set) {
      replaced = replaced || name_of(other) == name_of(*entry);
    }
    if (!replaced) {
      all.push_back(*entry);
    }
  }
  return all;
}

// What the child has: one descriptor, no input, no signal blocked or ignored.
class Setting {
 public:
  explicit Setting(int descriptor) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, descriptor, ChildProcess::kDescriptor);
    posix_spawn_file_actions_addclosefrom_np(&files_, ChildProcess::kDescriptor + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Setting() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* files() const noexcept { return &files_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

std::string Exit::describe() const {
  if (signal > 0) {
    return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return code < 0 ? "ended" : "ended with exit code " + std::to_string(code);
}

ChildProcess::ChildProcess(const Command& command, FileDescriptor descriptor) {
  std::vector<char*> arguments = pointers(command.arguments);
  arguments.push_back(nullptr);
  std::vector<char*> environment = environment_with(command.environment);
  environment.push_back(nullptr);
  const Setting setting(descriptor.get());
  const int failure = ::posix_spawn(&pid_, arguments.front(), setting.files(), setting.attributes(),
                                    arguments.data(), environment.data());
  if (failure != 0) {
    pid_ = -1;
    throw Error(ErrorCode::kInvalidArgument, "cannot start " + command.arguments.front() + ": " +
                                                 std::generic_category().message(failure));
  }
  handle_ = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!handle_.is_open()) {
    const std::string why = std::generic_category().message(errno);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    throw Error(ErrorCode::kUnavailable,
                "workers need Linux 5.3 or newer, or there are too many descriptors: " + why);
  }
}

ChildProcess::~ChildProcess() {
  kill();
  while (!wait(std::chrono::seconds(1))) {
  }
}

void ChildProcess::kill() noexcept {
  if (!exit_) {
    ::syscall(SYS_pidfd_send_signal, handle_.get(), SIGKILL, nullptr, 0);
  }
}

std::optional<Exit> ChildProcess::wait(std::chrono::milliseconds patience) noexcept {
  if (exit_) {
    return exit_;
  }
  pollfd ended{handle_.get(), POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(patience.count())) != 1) {
    return std::nullopt;
  }
  int status = 0;
  exit_ = Exit{};
  if (::waitpid(pid_, &status, 0) == pid_) {  // else somebody else has reaped it
    exit_ = WIFSIGNALED(status) ? Exit{-1, WTERMSIG(status)} : Exit{WEXITSTATUS(status), 0};
  }
  return exit_;
}

void ChildProcess::end_with_parent() noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace maas
