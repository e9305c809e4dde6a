// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/shape.h"

#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(Shape, of_rank_0_is_a_scalar_with_one_element) {
  EXPECT_EQ(Shape().rank(), 0U);
  EXPECT_EQ(Shape().elements(), 1);
  EXPECT_EQ(Shape().to_string(), "[]");
  EXPECT_EQ(Shape().without_leading(), Shape());
}

TEST(Shape, multiplies_its_dimensions) {
  EXPECT_EQ((Shape{2, 3, 4}.elements()), 24);
  EXPECT_EQ((Shape{2, 0, 4}.elements()), 0);
  EXPECT_EQ((Shape{kMax}.elements()), kMax);
}

TEST(Shape, a_product_that_overflows_or_a_negative_dimension_has_no_elements) {
  EXPECT_FALSE((Shape{kMax, 2}.elements()));
  EXPECT_FALSE((Shape{std::int64_t{1} << 32, std::int64_t{1} << 31}.elements()));
  EXPECT_FALSE((Shape{-1, 2}.elements()));
  EXPECT_FALSE((Shape{-2, -2}.elements()));
  EXPECT_FALSE((Shape{0, -1}.elements()));
}

TEST(Shape, takes_at_most_its_rank) {
  Shape full{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(full.rank(), Shape::kMaxRank);
  EXPECT_THROW(full.push_back(9), Error);
  EXPECT_THROW((void)full.with_leading(1), Error);
  EXPECT_THROW((Shape{1, 2, 3, 4, 5, 6, 7, 8, 9}), Error);
  const std::vector<std::int64_t> many(1000, 1);
  EXPECT_THROW((Shape(many)), Error);
  EXPECT_EQ(full.rank(), Shape::kMaxRank);
}

TEST(Shape, gains_and_loses_its_leading_dimension) {
  EXPECT_EQ((Shape{3, 4}.with_leading(-1)), (Shape{-1, 3, 4}));
  EXPECT_EQ((Shape{2, 3, 4}.without_leading()), (Shape{3, 4}));
  EXPECT_EQ(Shape().with_leading(5), Shape{5});
}

TEST(Shape, fits_a_declaration_in_which_minus_one_is_any) {
  EXPECT_TRUE((Shape{5, 3}.fits({-1, 3})));
  EXPECT_TRUE((Shape{0, 3}.fits({-1, 3})));
  EXPECT_FALSE((Shape{5, 4}.fits({-1, 3})));
  EXPECT_FALSE((Shape{5}.fits({-1, 3})));
  EXPECT_FALSE((Shape{5, 3, 1}.fits({-1, 3})));
  EXPECT_TRUE(Shape().fits({}));
}

TEST(Shape, compares_rank_and_dimensions) {
  EXPECT_EQ((Shape{1, 2}), (Shape{1, 2}));
  EXPECT_NE((Shape{1, 2}), (Shape{2, 1}));
  EXPECT_NE((Shape{1}), (Shape{1, 1}));
  EXPECT_NE(Shape(), Shape{0});
  EXPECT_EQ((Shape{2, -1}.to_string()), "[2, -1]");
}

TEST(Shape, forgets_what_a_longer_one_held_when_it_is_assigned) {
  Shape shape{7, 8, 9};
  shape = Shape{7};
  EXPECT_EQ(shape, Shape{7});
  EXPECT_EQ(shape.elements(), 7);
  shape.set(0, 4);
  EXPECT_EQ(shape[0], 4);
}

}  // namespace
}  // namespace maas
