// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maas/runtime/signature.h"
#include "maas/server/urgency.h"
#include "maas/tensor/tensor.h"

namespace maas {

// One output that an inference request asks for, and in which form.
struct OutputChoice {
  std::size_t index = 0;         // in the signature
  std::optional<bool> binary{};  // as bytes behind the JSON; nothing leaves it to the request
  std::int64_t classes = 0;      // the greatest so many, as "value:index"; 0 for the tensor itself
};

// What an inference request of the Open Inference Protocol says beside its inputs, whatever it came
// by.
struct InferOptions {
  std::optional<std::string> id{};
  std::vector<OutputChoice> outputs{};  // those that are asked for; empty for all
  bool binary_output = false;           // for outputs that do not say
  Urgency urgency{};                    // of its parameters

  // Nothing that its answer depends on.
  [[nodiscard]] bool is_default() const noexcept {
    return !id && outputs.empty() && !binary_output;
  }
};

// Each throws invalid_argument that says what is wrong.
void set_id(std::string_view id, InferOptions& options);
void add_output(const OutputChoice& output, const Signature& signature, InferOptions& options);
void refuse_shared_memory(std::string_view parameter);
// As it stands in JSON: a whole number, 0 or more.
std::int64_t read_classes_parameter(std::string_view json);
// All inputs are there but for those that may be left out.
void require_inputs(const std::vector<Tensor>& inputs, const Signature& signature);

// The output itself, or its greatest elements when it is to be classified.
Tensor chosen_form(const OutputChoice& choice, const Signature& signature, const Tensor& output);

// Throws invalid_argument for an output that cannot have the form that is asked for: before the
// model runs.
void check_outputs(const InferOptions& options, const Signature& signature);

}  // namespace maas
