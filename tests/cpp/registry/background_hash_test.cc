// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/background_hash.h"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "maas/base/sha256.h"

namespace maas {
namespace {

TEST(BackgroundHash, is_that_of_all_pieces_in_their_order) {
  std::string all;
  std::string pieces[2];
  BackgroundHash hash;
  for (int i = 0; i < 50; ++i) {
    std::string& piece = pieces[i % 2];
    piece.assign(std::size_t{1000} + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    all += piece;
    hash.update(piece);
  }
  EXPECT_EQ(hash.finish(), sha256(all));
}

TEST(BackgroundHash, may_go_before_it_is_finished) {
  const std::string piece(1 << 20, 'x');
  BackgroundHash hash;
  hash.update(piece);
  EXPECT_NE(hash.finish(), "");
  const BackgroundHash unused;
}

}  // namespace
}  // namespace maas
