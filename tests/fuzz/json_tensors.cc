// SPDX-License-Identifier: Apache-2.0
// A request of the Open Inference Protocol that is all JSON. What was read is written as JSON, and
// read again as the same tensors; all tables of kernels read the same numbers out of the same text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inference.h"

#include "maas/kernels/kernels.h"
#include "maas/server/json_writer.h"
#include "maas/server/tensor_writer.h"

namespace {

using maas::Tensor;
using maas::fuzz::require;
namespace kernels = maas::kernels;

template <typename Number, typename Parse>
void check_numbers(std::string_view text, Parse kernels::Table::* parse) {
  const char* const end = text.data() + text.size();
  const std::size_t capacity = text.size() / 3 + 1;  // some lists do not fit
  std::vector<Number> wanted(capacity);
  std::vector<Number> got(capacity);
  const kernels::Table& scalar = kernels::available().front();
  const auto first = (scalar.*parse)(text.data(), end, wanted.data(), capacity);
  require(first.count <= capacity && first.stop >= text.data() && first.stop <= end);
  for (const kernels::Table& table : kernels::available().subspan(1)) {
    const auto other = (table.*parse)(text.data(), end, got.data(), capacity);
    require(other.count == first.count && other.error == first.error && other.stop == first.stop);
    const auto* const a = reinterpret_cast<const char*>(wanted.data());
    const auto* const b = reinterpret_cast<const char*>(got.data());
    require(std::equal(a, a + first.count * sizeof(Number), b));
  }
}

// One of "inputs", flat or nested.
void append_input(std::string& out, const std::string& name, const Tensor& tensor, bool nested) {
  out += R"({"name":)" + maas::json_string(name) + R"(,"shape":)";
  maas::append_json_shape(out, tensor.shape());
  out += R"(,"datatype":")" + std::string(maas::protocol_name(tensor.dtype())) + R"(","data":)";
  maas::WriteFault fault = maas::WriteFault::kNone;
  if (nested) {
    fault = maas::append_nested(out, tensor, tensor.shape());
  } else {
    out += '[';
    fault = maas::append_values(out, tensor, 0, tensor.elements());
    out += ']';
  }
  out += '}';
  // What came as JSON is text, and finite.
  require(fault == maas::WriteFault::kNone);
}

// An array of very many empty ones is not worth writing.
bool is_nested(const Tensor& tensor) {
  return tensor.shape().rank() > 0 && tensor.elements() > 0;
}

void check_written(const maas::fuzz::Asked& asked, const maas::Signature& signature, bool nested) {
  std::string text = R"({"inputs":[)";
  bool any = false;
  for (std::size_t i = 0; i < asked.inputs.size(); ++i) {
    const Tensor& tensor = asked.inputs[i];
    if (tensor.is_absent() || (nested && !is_nested(tensor))) {
      continue;
    }
    text += any ? "," : "";
    append_input(text, signature.inputs[i].name, tensor, nested);
    any = true;
  }
  const maas::fuzz::Asked again = maas::fuzz::ask({text + "]}"}, signature);
  require(again.accepted);
  for (std::size_t i = 0; i < asked.inputs.size(); ++i) {
    require(again.inputs[i].is_absent() || maas::fuzz::same(asked.inputs[i], again.inputs[i]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const maas::Signature signature = maas::fuzz::every_dtype();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Of its own, so that a byte read behind it is found.
  const std::vector<char> body(text.begin(), text.end());
  const maas::fuzz::Asked asked = maas::fuzz::ask({{body.data(), body.size()}}, signature);
  if (asked.accepted) {
    check_written(asked, signature, false);
    check_written(asked, signature, true);
  }
  const std::size_t bracket = text.rfind('[');
  const std::vector<char> list(
      text.begin() + (bracket == text.npos ? 0 : static_cast<std::ptrdiff_t>(bracket) + 1),
      text.end());
  check_numbers<float>({list.data(), list.size()}, &kernels::Table::parse_float32);
  check_numbers<std::int64_t>({list.data(), list.size()}, &kernels::Table::parse_int64);
  return 0;
}
