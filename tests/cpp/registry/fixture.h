// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"
#include "maas/registry/store.h"

namespace maas {

// A folder of its own for one test, removed at its end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "maas-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::permissions(path.parent_path(), std::filesystem::perms::owner_all,
                               std::filesystem::perm_options::add);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The code of the Error that a call throws; kCancelled when it throws none.
template <typename Call>
ErrorCode code_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kCancelled;
}

template <typename Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

inline Actor tester() {
  return {.who = "tester", .request_id = "r1"};
}

inline std::string manifest_of(const BlobRef& blob, const Tags& tags = {}) {
  Manifest manifest;
  manifest.files = {{"model.pt", blob}};
  manifest.runtime = "test";
  manifest.author = "tester";
  manifest.created_ms = 1'000;
  manifest.tags = tags;
  manifest.metrics = {{"test", "accuracy", 0.5}};
  return manifest.to_json();
}

inline VersionRow publish(Store& store,
                          const std::string& name,
                          const std::string& bytes = "weights",
                          const Tags& tags = {}) {
  return store.publish({.name = name, .manifest = manifest_of(store.blobs().put(bytes), tags)},
                       tester());
}

}  // namespace maas
