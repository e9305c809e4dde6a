// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "maas/registry/rows.h"

namespace maas {

// What a store keeps on disk beside the catalogue, so that the catalogue can be made again from it
// (docs/formats/records.md): canonical JSON that carries its own SHA-256. A record is written
// before the change it tells of is committed.

// Of a version: all but what its manifest says and the aliases.
std::string version_record(const VersionRow& row);
// Of a model: its next number, its aliases, tags and description.
std::string model_record(const ModelRow& row);

// Throw invalid_argument when the text is no such record or was changed.
VersionRow parse_version_record(std::string_view text);
ModelRow parse_model_record(std::string_view text);

}  // namespace maas
