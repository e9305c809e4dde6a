// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "maas/registry/catalogue.h"
#include "maas/registry/sqlite.h"

namespace maas {

// Reading and writing the rows of a catalogue. Several that belong together are called in one
// transaction.

std::optional<VersionRow> read_version(const Database& database,
                                       const std::string& name,
                                       std::int64_t version);
std::optional<ModelRow> read_model(const Database& database, const std::string& name);
Page<VersionRow> search_versions(const Database& database,
                                 const Filter& filter,
                                 const std::string& after,
                                 std::size_t limit);
Page<ModelRow> page_of_models(const Database& database,
                              const std::string& after,
                              std::size_t limit);

// Makes the model when there is none of that name. Whether it did.
bool insert_model(const Database& database, const std::string& name, std::int64_t created_ms);
void insert_version(const Database& database, const NewVersion& made);
void set_tag(const Database& database,
             const Annotation& annotation,
             const std::string& key,
             const std::string& value);

// All that belongs to a deleted version but its number.
void leave_number_alone(const Database& database, const std::string& name, std::int64_t version);

// A version that may be deleted; throws not_found, or conflict when an alias is at it.
VersionRow require_removable(const Database& database,
                             const std::string& name,
                             std::int64_t version);
// Throws not_found when what is annotated is not there.
void require_present(const Database& database, const Annotation& annotation);

std::set<std::string, std::less<>> read_needed_blobs(const Database& database);
std::vector<FileEntry> read_blobs(const Database& database,
                                  const std::string& name,
                                  std::int64_t version);
void write_stamps(const Database& database, const std::map<std::string, FileStamp>& stamps);
std::optional<FileStamp> read_stamp(const Database& database, const std::string& digest);

}  // namespace maas
