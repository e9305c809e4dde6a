// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace maas {

// What is wrong with the fields of one request, told all at once: a JSON array of {loc,msg,type}.
class FieldProblems {
 public:
  // `place` is where the field was looked for, "body" or "query".
  explicit FieldProblems(std::string_view place) noexcept : place_(place) {}

  void add(std::string_view field, std::string_view message, std::string_view type);
  // unprocessable, with the list as detail.
  void throw_if_any() const;

 private:
  const std::string_view place_;
  std::size_t count_ = 0;
  std::string detail_;
};

// `[{"loc":["body"],"msg":...,"type":...}]`: one problem of the body as a whole.
std::string body_problem(std::string_view message, std::string_view type);

}  // namespace maas
