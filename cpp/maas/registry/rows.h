// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maas/registry/manifest.h"

namespace maas {

// What a catalogue tells. All values; times are milliseconds since 1970.

enum class VersionState : std::uint8_t {
  kReady,    // it may serve
  kFailed,   // its sample did not give what it should; `reason` says how
  kDeleted,  // only its number is left, which nobody gets again
};

std::string_view state_name(VersionState state) noexcept;
// Throws invalid_argument for a name that no state has.
VersionState parse_state(std::string_view name);

struct VersionRow {
  std::string name{};
  std::int64_t version = 0;
  std::string digest{};  // of its manifest
  VersionState state = VersionState::kReady;
  std::string reason{};
  std::string damage{};  // what is wrong with its bytes; empty when nothing is known to be
  std::string runtime{};
  std::string description{};
  std::string author{};
  std::int64_t created_ms = 0;
  std::int64_t size = 0;  // of its files
  std::vector<std::string> aliases{};
  Tags tags{};
  std::vector<MetricValue> metrics{};
};

struct ModelRow {
  std::string name{};
  std::int64_t next_version = 1;
  std::string description{};
  std::int64_t created_ms = 0;
  std::int64_t versions = 0;  // those that are not deleted
  std::int64_t latest = 0;    // the newest that is ready, 0 for none
  Tags tags{};
  std::map<std::string, std::int64_t> aliases{};
};

// Who changes something, for the audit.
struct Actor {
  std::string who{};
  std::string request_id{};
};

// One move of an alias. 0 stands for no version.
struct AliasMove {
  std::int64_t sequence = 0;
  std::string name{};
  std::string alias{};
  std::int64_t version = 0;
  std::int64_t previous = 0;
  std::string action{};  // set, rollback, remove
  std::string who{};
  std::int64_t at_ms = 0;
};

// One line of the audit; `hash` covers the others and the hash of the line before.
struct AuditRow {
  std::int64_t sequence = 0;
  std::int64_t at_ms = 0;
  std::string who{};
  std::string request_id{};
  std::string action{};
  std::string name{};
  std::int64_t version = 0;
  std::string subject{};  // an alias, a tag
  std::string before{};   // digests, or values of what is no version
  std::string after{};
  std::string previous_hash{};
  std::string hash{};
};

// News to deliver: at least once, and of one model in the order of `id`.
struct OutboxRow {
  std::int64_t id = 0;
  std::string name{};
  std::string event{};
  std::string payload{};  // JSON
  std::int64_t created_ms = 0;
};

template <typename Row>
struct Page {
  std::vector<Row> items{};
  std::string next{};  // where the next page begins; empty at the end
};

}  // namespace maas
