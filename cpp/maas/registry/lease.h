// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "maas/base/file_descriptor.h"

namespace maas {

// Keeps a version from being deleted while it is served: a locked file, which the system unlocks
// when the process dies in whatever way. Empty for a store that cannot be written to: there nobody
// deletes either. Moved, not copied; its destructor gives it back.
class Lease {
 public:
  Lease() = default;
  // REQUIRES: the store's lock
  Lease(const std::filesystem::path& folder, const std::string& name, std::int64_t version);
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { give_back(); }

  void give_back() noexcept;
  [[nodiscard]] bool is_held() const noexcept { return fd_.is_open(); }

 private:
  std::filesystem::path path_{};
  FileDescriptor fd_{};
};

// Whether anybody holds a lease of a version.
bool is_leased(const std::filesystem::path& folder, const std::string& name, std::int64_t version);

// Removes the files that dead processes left. How many. REQUIRES: the store's lock
std::int64_t sweep_leases(const std::filesystem::path& folder, bool dry_run);

}  // namespace maas
