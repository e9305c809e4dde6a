// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "maas/registry/catalogue.h"
#include "maas/registry/sqlite.h"

namespace maas {

// The hash of a row: of its other members and the hash of the row before (docs/formats/audit.md).
std::string audit_hash(const AuditRow& row);

// Appends a row, whose sequence and hashes are made here, and its news for the outbox. REQUIRES: in
// a transaction
void append_audit(const Database& database, AuditRow row, const std::string& event);

std::vector<AuditRow> read_audit(const Database& database,
                                 const std::string& name,
                                 std::int64_t after,
                                 std::size_t limit);
AuditCheck verify_audit(const Database& database);

std::vector<OutboxRow> read_outbox(const Database& database, std::size_t limit);
// Throws conflict when one of its model before it is not delivered yet, not_found when there is
// none.
void mark_delivered(const Database& database, std::int64_t id, std::int64_t now_ms);

}  // namespace maas
