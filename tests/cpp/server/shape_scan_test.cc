// SPDX-License-Identifier: Apache-2.0
#include "maas/server/shape_scan.h"

#include <string>

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(ShapeScan, free_dimensions_are_counted) {
  EXPECT_EQ(scan_shape("[1,2,3]", Shape{-1}), Shape{3});
  EXPECT_EQ(scan_shape(" [ [1, 2] , [3, 4], [5,6] ] , 7", Shape{-1, -1}), (Shape{3, 2}));
  EXPECT_EQ(scan_shape("[[[1],[2]]]", Shape({-1, 2, -1})), (Shape{1, 2, 1}));
  EXPECT_EQ(scan_shape("[]", Shape{-1}), Shape{0});
  EXPECT_EQ(scan_shape("[[],[]]", Shape{-1, -1}), (Shape{2, 0}));
}

TEST(ShapeScan, declared_dimensions_stay) {
  EXPECT_EQ(scan_shape("[[1,2,3],[4,5,6]]", Shape{-1, 4}), (Shape{2, 4}));
}

TEST(ShapeScan, brackets_and_commas_in_strings_do_not_count) {
  EXPECT_EQ(scan_shape(R"(["a,b]","\",[\\","c"],"d"])", Shape{-1}), Shape{3});
}

TEST(ShapeScan, strings_after_the_first_run_are_no_brackets_either) {
  EXPECT_EQ(scan_shape(R"([["a","b"],["]","]]"],["\"]","d"]])", Shape{-1, -1}), (Shape{3, 2}));
  EXPECT_EQ(scan_shape("[[[1,2],[3,4]],[[5,6],[7,8]],[[9,1],[2,3]]]", Shape({-1, -1, -1})),
            (Shape{3, 2, 2}));
  EXPECT_EQ(scan_shape("[[1],[],[2", Shape{-1, -1}), (Shape{3, 1}));
}

TEST(ShapeScan, what_is_malformed_gives_some_shape) {
  for (const std::string text : {"", "]", "]]]]", "[", "[[[[[[[[[[[[[[", "1", "{\"a\":1}", "[1,2",
                                 "[\"", "[\"\\", ",,,", "[,]", "[[1],2]"}) {
    EXPECT_EQ(scan_shape(text, Shape{-1, -1}).rank(), 2U) << text;
  }
  EXPECT_EQ(scan_shape(std::string(100000, '['), Shape{-1}), Shape{1});
}

}  // namespace
}  // namespace maas
