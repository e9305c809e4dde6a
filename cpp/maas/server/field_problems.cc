// SPDX-License-Identifier: Apache-2.0
#include "maas/server/field_problems.h"

#include <optional>

#include "maas/base/error.h"
#include "maas/server/json_writer.h"

namespace maas {
namespace {

constexpr std::size_t kMaxProblems = 32;  // that are listed; a body may have a million
constexpr std::size_t kMaxNameInProblem = 64;

struct Place {
  std::string_view part;
  std::optional<std::string_view> field;
};

void append_problem(std::string& out,
                    const Place& place,
                    std::string_view message,
                    std::string_view type) {
  out += out.empty() ? "[" : ",";
  out += R"({"loc":[)";
  append_json_string(out, place.part);
  if (place.field) {
    out += ',';
    append_json_string(out, place.field->substr(0, kMaxNameInProblem));
  }
  out += R"(],"msg":)";
  append_json_string(out, message);
  out += R"(,"type":)";
  append_json_string(out, type);
  out += '}';
}

}  // namespace

void FieldProblems::add(std::string_view field, std::string_view message, std::string_view type) {
  if (count_++ < kMaxProblems) {
    append_problem(detail_, {place_, field}, message, type);
  }
}

void FieldProblems::throw_if_any() const {
  if (count_ != 0) {
    throw Error(ErrorCode::kUnprocessable, "the body does not fit the endpoint's fields",
                detail_ + "]");
  }
}

std::string body_problem(std::string_view message, std::string_view type) {
  std::string detail;
  append_problem(detail, {"body", std::nullopt}, message, type);
  return detail + "]";
}

}  // namespace maas
