// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/record.h"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "maas/base/error.h"
#include "maas/base/sha256.h"
#include "maas/registry/rows.h"

namespace maas {
namespace {

TEST(Record, a_version_comes_back_from_its_record) {
  const VersionRow row{.name = "iris",
                       .version = 3,
                       .digest = sha256("m"),
                       .state = VersionState::kFailed,
                       .reason = "differs",
                       .description = "d",
                       .tags = {{"k", "v"}}};
  const VersionRow read = parse_version_record(version_record(row));
  EXPECT_EQ(read.name, "iris");
  EXPECT_EQ(read.version, 3);
  EXPECT_EQ(read.state, VersionState::kFailed);
  EXPECT_EQ(read.reason, "differs");
  EXPECT_EQ(read.tags, row.tags);
}

TEST(Record, a_model_comes_back_from_its_record) {
  const ModelRow row{.name = "iris", .next_version = 8, .aliases = {{"champion", 7}}};
  const ModelRow read = parse_model_record(model_record(row));
  EXPECT_EQ(read.next_version, 8);
  EXPECT_EQ(read.aliases, row.aliases);
}

TEST(Record, any_changed_byte_is_noticed) {
  const std::string text = model_record({.name = "iris", .next_version = 8});
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_THROW((void)parse_model_record(changed), Error) << at;
  }
}

}  // namespace
}  // namespace maas
