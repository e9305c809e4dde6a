// SPDX-License-Identifier: Apache-2.0
#include "maas/base/sha256.h"

#include <string>

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(Sha256, agrees_with_the_published_vectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, pieces_give_the_digest_of_the_whole) {
  const std::string text(100'000, 'a');
  Sha256 hash;
  for (std::size_t at = 0; at < text.size(); at += 999) {
    const std::string piece = text.substr(at, 999);
    hash.update(piece.data(), piece.size());
  }
  EXPECT_EQ(hash.finish(), sha256(text));
}

TEST(Sha256, a_digest_is_told_from_other_text) {
  EXPECT_TRUE(is_sha256(sha256("x")));
  EXPECT_FALSE(is_sha256(""));
  EXPECT_FALSE(is_sha256(sha256("x").substr(1)));
  EXPECT_FALSE(is_sha256("../" + sha256("x").substr(3)));
}

}  // namespace
}  // namespace maas
