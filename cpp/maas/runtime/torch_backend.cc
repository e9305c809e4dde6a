// SPDX-License-Identifier: Apache-2.0
// The LibTorch back-end: TorchScript files, run without Python and without the GIL. The one file
// that includes torch; built as libmaas_torch.so, which backends.cc loads when a model needs it.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/profiling_graph_executor_impl.h>
#include <torch/script.h>

#include "maas/runtime/backends.h"

namespace maas {
namespace {

struct TypePair {
  DType ours;
  at::ScalarType torch;
};

constexpr TypePair kTypes[] = {
    {DType::kBool, at::kBool},         {DType::kUint8, at::kByte},
    {DType::kUint16, at::kUInt16},     {DType::kUint32, at::kUInt32},
    {DType::kUint64, at::kUInt64},     {DType::kInt8, at::kChar},
    {DType::kInt16, at::kShort},       {DType::kInt32, at::kInt},
    {DType::kInt64, at::kLong},        {DType::kFloat16, at::kHalf},
    {DType::kBfloat16, at::kBFloat16}, {DType::kFloat32, at::kFloat},
    {DType::kFloat64, at::kDouble},
};

at::Tensor to_torch(const Tensor& tensor) {
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypePair& pair) {
    return pair.ours == tensor.dtype();
  });
  if (type == std::end(kTypes)) {
    throw Error(ErrorCode::kInvalidArgument, "TorchScript takes no tensors of bytes");
  }
  // The memory lives as long as torch names it: a model may answer with (a part of) its input.
  // from_blob has no const form; inputs that a model writes to are copied first.
  return at::from_blob(
      const_cast<void*>(tensor.data()), tensor.shape().dims(), [keep = tensor](void*) {},
      type->torch);
}

Tensor from_torch(const at::Tensor& value) {
  auto tensor = std::make_shared<at::Tensor>(value.to(at::kCPU).contiguous());
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypePair& pair) {
    return pair.torch == tensor->scalar_type();
  });
  if (type == std::end(kTypes)) {
    throw Error(ErrorCode::kInternal, std::string("the model returned a tensor of ") +
                                          c10::toString(tensor->scalar_type()));
  }
  const Shape shape(std::span<const std::int64_t>(tensor->sizes().data(), tensor->sizes().size()));
  void* data = tensor->data_ptr();
  return Tensor::borrow(type->ours, shape, data, std::move(tensor));
}

void collect(const c10::IValue& value, std::vector<Tensor>& out) {
  if (value.isTensor()) {
    out.push_back(from_torch(value.toTensor()));
  } else if (value.isTuple()) {
    for (const c10::IValue& element : value.toTupleRef().elements()) {
      collect(element, out);
    }
  } else if (value.isTensorList()) {
    for (const at::Tensor& element : value.toTensorVector()) {
      out.push_back(from_torch(element));
    }
  } else {
    throw Error(ErrorCode::kInternal, "the model returned a " + value.tagKind() +
                                          "; it must return a tensor or a tuple of tensors");
  }
}

// A dictionary answers by name, in whatever order it was filled.
void collect_named(const c10::IValue& value, const Signature& signature, std::vector<Tensor>& out) {
  const auto dict = value.toGenericDict();
  for (const TensorSpec& spec : signature.outputs) {
    const auto found = dict.find(spec.name);
    if (found == dict.end()) {
      throw Error(ErrorCode::kInternal, "the model returned a dictionary without '" + spec.name +
                                            "'; declare its outputs by the keys that it returns");
    }
    out.push_back(from_torch(found->value().toTensor()));
  }
}

// Which inputs forward() writes to in place. They belong to the caller, so the model gets a copy.
std::vector<bool> written_inputs(const torch::jit::Module& module) {
  const auto graph = module.get_method("forward").graph()->copy();
  torch::jit::Inline(*graph);
  const torch::jit::AliasDb aliases(graph);
  std::vector<bool> written;
  for (const torch::jit::Value* input : graph->inputs().slice(1)) {  // without self
    written.push_back(aliases.hasWriters(input));
  }
  return written;
}

// One copy of the weights, run by any number of executors at once.
class TorchModel final : public Model {
 public:
  TorchModel(torch::jit::Module module, Signature signature)
      : module_(std::move(module)),
        forward_(module_.get_method("forward")),
        written_(written_inputs(module_)),
        signature_(std::move(signature)) {}

  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override {
    return "pytorch_torchscript";
  }

  void run(Batch batch, const ExecutorContext& context, BatchDone done) override {
    use_threads(context.intra_op_threads);
    const c10::InferenceMode inference;
    std::vector<c10::IValue> inputs;
    inputs.reserve(batch.inputs.size() + 1);
    for (const Tensor& input : batch.inputs) {
      if (input.is_absent()) {
        inputs.emplace_back();  // None
        continue;
      }
      const at::Tensor tensor = to_torch(input);
      inputs.emplace_back(written_.at(inputs.size()) ? tensor.clone() : tensor);
    }
    BatchResult result;
    try {
      const c10::IValue value = forward_(std::move(inputs));
      if (value.isGenericDict()) {
        collect_named(value, signature_, result.outputs);
      } else {
        collect(value, result.outputs);
      }
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw Error(ErrorCode::kInternal, "the model failed: " + first_line(error.what()));
    }
    done(std::move(result));
  }

 private:
  // LibTorch's intra-op thread count belongs to the calling thread.
  static void use_threads(int threads) {
    thread_local int current = 0;
    if (current != threads) {
      at::set_num_threads(threads);
      current = threads;
    }
  }

  // A TorchScript error is a page of trace; what went wrong stands in its last line.
  static std::string first_line(std::string text) {
    const std::size_t at = text.rfind("RuntimeError: ");
    text = at == std::string::npos ? text : text.substr(at + 14);
    return text.substr(0, text.find('\n'));
  }

  torch::jit::Module module_;
  torch::jit::Method forward_;
  const std::vector<bool> written_;  // per argument of forward()
  const Signature signature_;
};

torch::jit::Module open_module(const std::string& path) {
  try {
    torch::jit::Module module = torch::jit::load(path, c10::kCPU);
    module.eval();
    return module;
  } catch (const std::exception&) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + path +
                    "' is damaged or no TorchScript; save the model with "
                    "torch.jit.save(torch.jit.script(model), path)");
  }
}

// Constants folded and dead branches gone; a module that cannot be frozen runs as it is.
torch::jit::Module frozen(torch::jit::Module module) {
  try {
    return module.hasattr("training") ? torch::jit::freeze(module) : module;
  } catch (const std::exception&) {
    return module;
  }
}

// Names from forward(); outputs have none in the file, and no shape is known.
Signature undeclared(const torch::jit::Module& module) {
  Signature signature;
  const auto& schema = module.get_method("forward").function().getSchema();
  for (std::size_t i = 1; i < schema.arguments().size(); ++i) {
    const c10::Argument& argument = schema.arguments()[i];
    if (argument.default_value()) {
      break;  // what has a default must be declared to be an input
    }
    signature.inputs.push_back({argument.name(), DType::kFloat32, std::nullopt});
  }
  const c10::TypePtr type = schema.returns().front().type();
  const auto tuple = type->cast<c10::TupleType>();
  const std::size_t outputs = tuple ? tuple->elements().size() : 1;
  for (std::size_t i = 0; i < outputs; ++i) {
    signature.outputs.push_back({"output_" + std::to_string(i), DType::kFloat32, std::nullopt});
  }
  return signature;
}

void check_arguments(const torch::jit::Module& module, const ModelSource& source) {
  const auto& schema = module.get_method("forward").function().getSchema();
  const std::size_t takes = schema.arguments().size() - 1;  // without self
  if (source.declared->inputs.size() > takes) {
    throw Error(ErrorCode::kInvalidArgument,
                "forward() of '" + source.path + "' takes " + std::to_string(takes) + " inputs, " +
                    std::to_string(source.declared->inputs.size()) + " are declared");
  }
}

// TorchScript takes inputs by position. Declared names that are forward()'s own are put in its
// order; other names stand for the positions in which they were declared.
void order_inputs(const torch::jit::Module& module, std::vector<TensorSpec>& inputs) {
  const auto& schema = module.get_method("forward").function().getSchema();
  const auto position = [&](const TensorSpec& spec) {
    return schema.argumentIndexWithName(spec.name);
  };
  if (!std::all_of(inputs.begin(), inputs.end(),
                   [&](const auto& spec) { return position(spec).has_value(); })) {
    return;
  }
  std::stable_sort(inputs.begin(), inputs.end(),
                   [&](const auto& a, const auto& b) { return position(a) < position(b); });
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (position(inputs[i]) != static_cast<int>(i) + 1) {
      throw Error(ErrorCode::kInvalidArgument,
                  "forward() takes '" + schema.arguments()[i + 1].name() + "' before '" +
                      inputs[i].name + "'; declare that input too, and each only once");
    }
  }
}

class TorchBackend final : public Backend {
 public:
  TorchBackend() {
    // The profiling executor specialises on the shapes it has seen and compiles again for others;
    // batches differ in size, so every new size would cost a request hundreds of milliseconds.
    torch::jit::getProfilingMode() = false;
  }

  [[nodiscard]] std::unique_ptr<Model> load(const ModelSource& source) const override {
    torch::jit::Module module = open_module(source.path);
    if (!module.find_method("forward")) {
      throw Error(ErrorCode::kInvalidArgument, "'" + source.path + "' has no method forward()");
    }
    Signature signature = undeclared(module);
    if (source.declared) {
      signature.batch_dim = source.declared->batch_dim;
      if (!source.declared->inputs.empty()) {
        check_arguments(module, source);
        signature.inputs = source.declared->inputs;
        order_inputs(module, signature.inputs);
      }
      if (!source.declared->outputs.empty()) {
        signature.outputs = source.declared->outputs;
      }
    }
    return std::make_unique<TorchModel>(frozen(std::move(module)), std::move(signature));
  }
};

}  // namespace
}  // namespace maas

extern "C" __attribute__((visibility("default"))) const maas::Backend* maas_backend() {
  static const maas::TorchBackend kBackend;
  return &kBackend;
}
