// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace maas {

// Copies what no record on disk has from a catalogue that may be damaged into a new, empty one:
// the audit, the moves of aliases, and the outbox; each as far as it can be read from its
// beginning. The rows of the audit that were copied; `problems` tells what was not.
std::int64_t salvage(const std::filesystem::path& from,
                     const std::filesystem::path& to,
                     std::vector<std::string>& problems);

}  // namespace maas
