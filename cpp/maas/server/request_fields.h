// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "maas/server/catalog.h"
#include "maas/server/field_part.h"
#include "maas/server/field_problems.h"
#include "maas/server/json_reader.h"
#include "maas/tensor/tensor.h"

namespace maas {

// Collects the fields of one request, however its body has them, into one tensor per field: a
// tensor of one row (without a leading dimension if the model has none), or BYTES [1] of what
// field_part.h describes, empty for an optional field that is absent. Lives while a body is read.
// REQUIRES: an endpoint that passed check_catalog()
class RequestFields {
 public:
  // Where fields are named other than in the body, `place` is "query".
  RequestFields(const EndpointSpec& endpoint,
                std::size_t max_bytes,
                std::vector<Tensor>& inputs,
                std::string_view place = "body");

  // A member of a JSON object: its key, then the value that comes next. Throws invalid_argument for
  // a key that comes twice.
  void add_member(std::string_view key, JsonReader& json);
  // A value of a form; a field that is no tensor may have several.
  void add_part(std::string_view name, const FieldPart& part);
  // Fills in what is absent; throws unprocessable with all that is wrong.
  void finish();

  [[nodiscard]] const EndpointSpec& endpoint() const noexcept { return endpoint_; }

 private:
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept;
  bool see(std::size_t index) noexcept;
  void read_tensor_field(std::size_t index, JsonReader& json);
  void read_tensor_part(std::size_t index, std::string_view text);
  void spread();

  const EndpointSpec& endpoint_;
  const Signature& signature_;
  std::vector<Tensor>& inputs_;
  std::size_t room_;        // bytes of tensors that may still be made
  std::uint64_t seen_ = 0;  // one bit per field
  FieldProblems problems_;
};

}  // namespace maas
