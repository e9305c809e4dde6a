// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maas/registry/blob_store.h"

namespace maas {

struct FileEntry {
  std::string path;  // relative, with /
  BlobRef blob;
};

// A value that a version reached on a set of data.
struct MetricValue {
  std::string data;
  std::string name;
  double value = 0;
};

using Tags = std::map<std::string, std::string>;

// What a version is: constant from its publication on, and named by the SHA-256 of its text, which
// docs/formats/manifest.md specifies. A value.
struct Manifest {
  std::vector<FileEntry> files{};
  std::string runtime{};
  std::string description{};
  std::string author{};
  std::int64_t created_ms = 0;
  Tags tags{};
  std::vector<MetricValue> metrics{};
  std::string signature = "{}";     // JSON: inputs, outputs, batch_dim
  std::string lineage = "{}";       // JSON: parents, data, code, environment, steps
  std::optional<BlobRef> sample{};  // JSON: inputs and the outputs that they give

  // Throws invalid_argument that says what is wrong.
  static Manifest parse(std::string_view text);
  // Canonical: one text for one manifest.
  [[nodiscard]] std::string to_json() const;
  // All that a version needs besides its manifest.
  [[nodiscard]] std::vector<FileEntry> needed() const;
};

// Throw invalid_argument.
void check_tag(std::string_view key, std::string_view value);
void check_description(std::string_view text);

}  // namespace maas
