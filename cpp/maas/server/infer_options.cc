// SPDX-License-Identifier: Apache-2.0
#include "maas/server/infer_options.h"

#include "maas/base/error.h"
#include "maas/server/classification.h"
#include "maas/server/tensor_reader.h"

namespace maas {

namespace {

void check(const OutputChoice& output, bool binary, const TensorSpec& spec) {
  if (output.classes > 0 && !can_classify(spec.dtype)) {
    throw Error(ErrorCode::kInvalidArgument, "output '" + spec.name + "' is of " +
                                                 std::string(protocol_name(spec.dtype)) +
                                                 ", which cannot be classified");
  }
  if (output.classes == 0 && !binary && !has_json_form(spec.dtype)) {
    throw Error(ErrorCode::kInvalidArgument,
                "output '" + spec.name + "' is of " + std::string(protocol_name(spec.dtype)) +
                    ", which JSON cannot express; ask for it with \"binary_data\": true");
  }
}

}  // namespace

void check_outputs(const InferOptions& options, const Signature& signature) {
  for (const OutputChoice& output : options.outputs) {
    check(output, output.binary.value_or(options.binary_output), signature.outputs[output.index]);
  }
  for (const TensorSpec& spec : signature.outputs) {
    if (options.outputs.empty()) {
      check({}, options.binary_output, spec);
    }
  }
}

}  // namespace maas
