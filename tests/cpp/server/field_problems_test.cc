// SPDX-License-Identifier: Apache-2.0
#include "maas/server/field_problems.h"

#include <string>

#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

std::string detail_of(const FieldProblems& problems) {
  try {
    problems.throw_if_any();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnprocessable);
    return error.detail();
  }
  return "none";
}

TEST(FieldProblems, all_are_told_with_their_place) {
  FieldProblems problems("query");
  EXPECT_EQ(detail_of(problems), "none");
  problems.add("x", "is required", "missing");
  problems.add("y\n", "is wrong", "kind");
  EXPECT_EQ(detail_of(problems), R"([{"loc":["query","x"],"msg":"is required","type":"missing"},)"
                                 R"({"loc":["query","y\n"],"msg":"is wrong","type":"kind"}])");
}

TEST(FieldProblems, the_list_is_bounded) {
  FieldProblems problems("body");
  for (int i = 0; i < 100000; ++i) {
    problems.add(std::string(100, 'k'), "is no field", "extra_forbidden");
  }
  EXPECT_LT(detail_of(problems).size(), 8000U);
}

TEST(FieldProblems, one_problem_of_the_body_has_a_form_of_its_own) {
  EXPECT_EQ(body_problem("a\"b", "kind"), R"([{"loc":["body"],"msg":"a\"b","type":"kind"}])");
}

}  // namespace
}  // namespace maas
