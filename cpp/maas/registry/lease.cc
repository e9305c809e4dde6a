// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/lease.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>

#include "maas/base/request_id.h"
#include "maas/registry/file_lock.h"
#include "maas/registry/files.h"

namespace maas {
namespace {

// No name has an @.
std::string prefix_of(const std::string& name, std::int64_t version) {
  return name + "@" + std::to_string(version) + "@";
}

}  // namespace

Lease::Lease(const std::filesystem::path& folder, const std::string& name, std::int64_t version)
    : path_(folder / (prefix_of(name, version) + std::to_string(::getpid()) + "-" +
                      std::string(RequestId::next().text()))),
      fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
  if (!fd_.is_open()) {
    throw file_error("create", path_, errno);
  }
  if (!try_lock(fd_.get())) {
    throw file_error("lock", path_, errno);
  }
}

Lease::Lease(Lease&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    give_back();
    path_ = std::exchange(other.path_, {});
    fd_ = std::move(other.fd_);
  }
  return *this;
}

void Lease::give_back() noexcept {
  if (fd_.is_open()) {
    ::unlink(path_.c_str());
    fd_.close();
  }
}

bool is_leased(const std::filesystem::path& folder, const std::string& name, std::int64_t version) {
  const std::string prefix = prefix_of(name, version);
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    if (entry.path().filename().string().starts_with(prefix) && is_locked(entry.path())) {
      return true;
    }
  }
  return false;
}

std::int64_t sweep_leases(const std::filesystem::path& folder, bool dry_run) {
  std::int64_t swept = 0;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    if (is_locked(entry.path())) {
      continue;
    }
    ++swept;
    if (!dry_run) {
      std::filesystem::remove(entry.path(), missing);
    }
  }
  return swept;
}

}  // namespace maas
