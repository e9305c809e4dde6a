// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "maas/registry/filter.h"
#include "maas/registry/rows.h"

namespace maas {

// A version to publish: its row without a number, and the blobs that it needs, its manifest too.
struct NewVersion {
  VersionRow row{};
  std::vector<FileEntry> blobs{};
  std::map<std::string, FileStamp> stamps{};  // of blobs that were found well
};

struct AliasRequest {
  std::string name{};
  std::string alias{};
  std::int64_t version = 0;              // 0 takes the alias away
  std::optional<std::int64_t> expect{};  // where it must be now, 0 for nowhere
};

// What may be said of a version, or with version 0 of a model, after its publication.
struct Annotation {
  std::string name{};
  std::int64_t version = 0;
  std::optional<std::string> description{};
  Tags set{};
  std::vector<std::string> removed{};
};

struct AuditCheck {
  std::int64_t rows = 0;
  std::string head{};     // the hash of the last row
  std::string problem{};  // what is wrong with the chain; empty when nothing is
};

// What a store knows of its models: rows, aliases, history, audit and outbox. An interface, because
// SQLite is not the only database; tests/cpp/registry/catalogue_suite.h is what each must pass.
// Every change is one transaction with its line in the audit and in the outbox, there for good when
// the call returns. Any thread may call it, and any number of processes at once.
class Catalogue {
 public:
  // Called inside the transaction with what it is about to commit; what it throws undoes all.
  using BeforeCommit = std::function<void(const ModelRow&, const std::optional<VersionRow>&)>;

  virtual ~Catalogue() = default;

  // Changes. They throw not_found, conflict, or what `before` throws.
  virtual VersionRow publish(NewVersion made, const Actor& actor, const BeforeCommit& before) = 0;
  virtual AliasMove move_alias(const AliasRequest& request,
                               const Actor& actor,
                               const BeforeCommit& before) = 0;
  // To where the alias was before it was set to where it is; again and again, further back.
  virtual AliasMove roll_back(const AliasRequest& request,
                              const Actor& actor,
                              const BeforeCommit& before) = 0;
  virtual VersionRow remove(const std::string& name,
                            std::int64_t version,
                            const Actor& actor,
                            const BeforeCommit& before) = 0;
  virtual void annotate(const Annotation& annotation,
                        const Actor& actor,
                        const BeforeCommit& before) = 0;
  // Rows as they were, numbers too, into a catalogue that has none of them: one transaction.
  virtual void restore(const std::vector<ModelRow>& models,
                       const std::vector<NewVersion>& versions,
                       const Actor& actor) = 0;

  // What was found out about bytes; no change in the sense of the audit.
  virtual void note_damage(const std::string& name,
                           std::int64_t version,
                           const std::string& damage) = 0;
  virtual void remember_stamps(const std::map<std::string, FileStamp>& stamps) = 0;
  [[nodiscard]] virtual std::optional<FileStamp> stamp_of(const std::string& digest) = 0;

  // Questions. Nothing where there is no such thing; a deleted version is found as such.
  [[nodiscard]] virtual std::optional<ModelRow> model(const std::string& name) = 0;
  [[nodiscard]] virtual std::optional<VersionRow> version(const std::string& name,
                                                          std::int64_t version) = 0;
  // In the order of names, and of numbers. `after` is Page::next of the page before.
  [[nodiscard]] virtual Page<ModelRow> models(const std::string& after, std::size_t limit) = 0;
  [[nodiscard]] virtual Page<VersionRow> search(const Filter& filter,
                                                const std::string& after,
                                                std::size_t limit) = 0;
  // Newest first. An empty alias asks for those of all.
  [[nodiscard]] virtual std::vector<AliasMove> history(const std::string& name,
                                                       const std::string& alias,
                                                       std::size_t limit) = 0;
  // Oldest first, after a sequence; an empty name asks for all.
  [[nodiscard]] virtual std::vector<AuditRow> audit(const std::string& name,
                                                    std::int64_t after,
                                                    std::size_t limit) = 0;
  [[nodiscard]] virtual AuditCheck verify_audit() = 0;
  // Oldest first. A row may be marked only when those of its model before it are.
  [[nodiscard]] virtual std::vector<OutboxRow> outbox(std::size_t limit) = 0;
  virtual void mark_delivered(std::int64_t id) = 0;

  // The blobs that versions need, and those of one version, its manifest too.
  [[nodiscard]] virtual std::set<std::string, std::less<>> needed_blobs() = 0;
  [[nodiscard]] virtual std::vector<FileEntry> blobs_of(const std::string& name,
                                                        std::int64_t version) = 0;

  // What the database itself says of its state; empty when it is well.
  [[nodiscard]] virtual std::string self_check() = 0;
  // A whole copy, made while others read and write.
  virtual void back_up(const std::filesystem::path& file) = 0;
};

}  // namespace maas
