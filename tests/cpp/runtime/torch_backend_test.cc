// SPDX-License-Identifier: Apache-2.0
// The back-end of runtime/torch_backend.cc, on TorchScript files that the tests make themselves.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "on_threads.h"
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <torch/script.h>

#include "maas/runtime/backends.h"

extern "C" const maas::Backend* maas_backend();

// LibTorch's zip reader leaks when a file is no archive; the sanitizer prescribes this name.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" const char* __lsan_default_suppressions() {
  return "leak:mz_zip_reader_init\n";
}

namespace maas {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor floats(const Shape& shape, const std::vector<float>& values) {
  Tensor tensor = Tensor::allocate(DType::kFloat32, shape);
  std::copy(values.begin(), values.end(), tensor.mutable_values<float>().begin());
  return tensor;
}

std::vector<float> values(const Tensor& tensor) {
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}

Signature declare(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  Signature signature;
  for (const std::string& name : inputs) {
    signature.inputs.push_back({name, DType::kFloat32, Shape{2}});
  }
  for (const std::string& name : outputs) {
    signature.outputs.push_back({name, DType::kFloat32, Shape{2}});
  }
  return signature;
}

class TorchBackendTest : public ::testing::Test {
 protected:
  TorchBackendTest() {
    std::string name = (fs::temp_directory_path() / "maas-torch-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~TorchBackendTest() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return (folder_ / "m.pt").string(); }
  // Saves a module of this source; `w` is a parameter.
  void save(const std::string& source, const at::Tensor& w = at::ones({2})) const {
    torch::jit::Module module("m");
    module.register_parameter("w", w, false);
    module.define(source + "\n");
    module.save(path());
  }
  [[nodiscard]] std::unique_ptr<Model> load(std::optional<Signature> declared = {}) const {
    return maas_backend()->load({path(), std::move(declared)});
  }
  [[nodiscard]] std::unique_ptr<Model> make(const std::string& source) const {
    save(source);
    return load();
  }
  [[nodiscard]] Error load_error(std::optional<Signature> declared = {}) const {
    try {
      (void)load(std::move(declared));
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "nothing was thrown"};
  }

  fs::path folder_;
};

std::vector<Tensor> run(Model& model, std::vector<Tensor> inputs) {
  Arena arena(1);
  Batch batch;
  batch.rows = inputs.front().shape()[0];
  batch.inputs = std::move(inputs);
  std::optional<Result<BatchResult>> answer;
  model.run(std::move(batch), {&arena, 1},
            [&](Result<BatchResult> result) { answer.emplace(std::move(result)); });
  return std::move(*answer).value().outputs;
}

Error run_error(Model& model, std::vector<Tensor> inputs) {
  try {
    (void)run(model, std::move(inputs));
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

TEST_F(TorchBackendTest, loads_a_file_and_runs_it) {
  save("def forward(self, x):\n  return torch.relu(x) * self.w", at::tensor({2.0F, 3.0F}));
  const auto model = load();
  EXPECT_EQ(model->platform(), "pytorch_torchscript");
  const auto outputs = run(*model, {floats({2, 2}, {1, -1, 2, 4})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].shape(), (Shape{2, 2}));
  EXPECT_THAT(values(outputs[0]), ElementsAre(2, 0, 4, 12));
}

TEST_F(TorchBackendTest, hands_the_input_over_without_a_copy_and_keeps_it_alive) {
  const auto model = make("def forward(self, x):\n  return x[:, 1:]");
  Tensor input = floats({1, 4}, {1, 2, 3, 4});
  const float* const memory = input.values<float>().data();
  const auto outputs = run(*model, {std::move(input)});
  EXPECT_EQ(outputs[0].values<float>().data(), memory + 1);
  EXPECT_THAT(values(outputs[0]), ElementsAre(2, 3, 4));
}

TEST_F(TorchBackendTest, a_model_that_writes_to_its_input_writes_to_a_copy) {
  for (const char* source : {"def forward(self, x):\n  x += 1\n  return x",
                             "def forward(self, x):\n  x[:, 0] = 9.0\n  return x",
                             "def forward(self, x):\n  x.view([-1]).add_(1.0)\n  return x"}) {
    const auto model = make(source);
    const Tensor input = floats({1, 2}, {1, 2});
    EXPECT_NE(values(run(*model, {input})[0]), values(input)) << source;
    EXPECT_THAT(values(input), ElementsAre(1, 2)) << source;
  }
}

constexpr const char* kNetwork =
    "def forward(self, x):\n  return torch.softmax(torch.matmul(torch.tanh(x), self.w), dim=1)";

TEST_F(TorchBackendTest, batched_equals_unbatched) {
  save(kNetwork, at::randn({16, 10}));
  const auto model = load();
  Tensor stacked = Tensor::allocate(DType::kFloat32, {33, 16});
  const auto numbers = stacked.mutable_values<float>();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = std::sin(static_cast<float>(i));
  }
  const auto all = run(*model, {stacked});
  for (std::int64_t row = 0; row < 33; ++row) {
    const auto alone = values(run(*model, {stacked.rows(row, 1)})[0]);
    const auto shared = values(all[0].rows(row, 1));
    for (std::size_t i = 0; i < alone.size(); ++i) {
      ASSERT_NEAR(alone[i], shared[i], 1e-6) << row;
    }
  }
}

TEST_F(TorchBackendTest, runs_on_four_threads_at_once_on_one_copy) {
  save(kNetwork, at::randn({16, 10}));
  const auto model = load();
  const Tensor input = floats({1, 16}, std::vector<float>(16, 0.5F));
  const auto expected = values(run(*model, {input})[0]);
  testing::run_on_threads(4, [&](std::size_t) {
    for (int i = 0; i < 200; ++i) {
      ASSERT_EQ(values(run(*model, {input})[0]), expected);
    }
  });
}

TEST_F(TorchBackendTest, uses_the_intra_op_threads_that_the_executor_lends) {
  const auto model = make("def forward(self, x):\n  return x");
  std::thread([&] {
    (void)run(*model, {floats({1, 2}, {1, 2})});
    EXPECT_EQ(at::get_num_threads(), 1);
  }).join();
}

TEST_F(TorchBackendTest, a_tuple_or_a_list_answers_in_its_order) {
  auto model = make("def forward(self, x):\n  return x, (x + 1, [x + 2, x + 3])");
  auto outputs = run(*model, {floats({1, 2}, {0, 0})});
  ASSERT_EQ(outputs.size(), 4U);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(values(outputs[i])[1], static_cast<float>(i));
  }
  model = make("def forward(self, x):\n  return x, x + 1");
  EXPECT_EQ(model->signature().outputs.size(), 2U);
  EXPECT_EQ(model->signature().outputs[1].name, "output_1");
}

TEST_F(TorchBackendTest, a_dictionary_answers_by_name) {
  save("def forward(self, x):\n  return {'b': x + 1, 'a': x, 'unused': x + 2}");
  const auto model = load(declare({"x"}, {"a", "b"}));
  const auto outputs = run(*model, {floats({1, 2}, {0, 0})});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_THAT(values(outputs[0]), ElementsAre(0, 0));
  EXPECT_THAT(values(outputs[1]), ElementsAre(1, 1));
  const Error error = run_error(*load(), {floats({1, 2}, {0, 0})});
  EXPECT_EQ(error.code(), ErrorCode::kInternal);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("'output_0'"), HasSubstr("declare")));
}

TEST_F(TorchBackendTest, outputs_become_dense_whatever_torch_made_of_them) {
  const auto model = make("def forward(self, x):\n  return x.t(), x.to(15), x > 1");
  const auto outputs = run(*model, {floats({2, 2}, {1, 2, 3, 4})});
  EXPECT_THAT(values(outputs[0]), ElementsAre(1, 3, 2, 4));
  EXPECT_EQ(outputs[1].dtype(), DType::kBfloat16);
  EXPECT_EQ(outputs[2].dtype(), DType::kBool);
}

TEST_F(TorchBackendTest, an_answer_that_is_no_tensor_fails_with_a_sentence) {
  const auto text = make("def forward(self, x):\n  return 'hello'");
  EXPECT_THAT(run_error(*text, {floats({1, 2}, {0, 0})}).message(),
              HasSubstr("must return a tensor or a tuple of tensors"));
  const auto complex = make("def forward(self, x):\n  return torch.complex(x, x)");
  const Error error = run_error(*complex, {floats({1, 2}, {0, 0})});
  EXPECT_EQ(error.code(), ErrorCode::kInternal);
  EXPECT_THAT(error.message(), HasSubstr("Complex"));
}

TEST_F(TorchBackendTest, a_failing_model_gives_one_line_that_says_why) {
  const auto model = make("def forward(self, x):\n  return torch.matmul(x, self.w.view([2, 1]))");
  const Error error = run_error(*model, {floats({1, 3}, {1, 2, 3})});
  EXPECT_EQ(error.code(), ErrorCode::kInternal);
  EXPECT_THAT(error.message(), HasSubstr("the model failed: mat1 and mat2 shapes"));
  EXPECT_EQ(error.message().find('\n'), std::string::npos);
}

TEST_F(TorchBackendTest, a_dtype_that_the_model_cannot_take_fails_only_that_run) {
  const auto model = make("def forward(self, x):\n  return torch.matmul(x, self.w.view([2, 1]))");
  EXPECT_EQ(run_error(*model, {Tensor::zeros(DType::kInt64, {1, 2})}).code(), ErrorCode::kInternal);
  const Error error = run_error(*model, {Tensor::allocate(DType::kBytes, {1, 2})});
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(values(run(*model, {floats({1, 2}, {1, 2})})[0]), ElementsAre(3));
}

TEST_F(TorchBackendTest, every_numeric_dtype_goes_through_unchanged) {
  const auto model = make("def forward(self, x):\n  return x");
  for (std::size_t i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (dtype != DType::kBytes) {
      EXPECT_EQ(run(*model, {Tensor::zeros(dtype, {2, 3})})[0].dtype(), dtype);
    }
  }
}

TEST_F(TorchBackendTest, without_declarations_names_come_from_forward) {
  save("def forward(self, left, right, bias: Optional[Tensor] = None):\n  return left + right");
  const auto model = load();
  const Signature& signature = model->signature();
  ASSERT_EQ(signature.inputs.size(), 2U);  // what has a default need not be given
  EXPECT_EQ(signature.inputs[0].name, "left");
  EXPECT_EQ(signature.inputs[1].name, "right");
  EXPECT_FALSE(signature.inputs[0].row);
  ASSERT_EQ(signature.outputs.size(), 1U);
  EXPECT_EQ(signature.outputs[0].name, "output_0");
  EXPECT_TRUE(signature.batch_dim);
  EXPECT_THAT(values(run(*model, {floats({1, 1}, {1}), floats({1, 1}, {2})})[0]), ElementsAre(3));
}

TEST_F(TorchBackendTest, declared_names_are_put_in_the_order_of_forward) {
  save("def forward(self, left, right):\n  return left - right");
  const auto model = load(declare({"right", "left"}, {"difference"}));
  EXPECT_EQ(model->signature().inputs[0].name, "left");
  EXPECT_EQ(model->signature().inputs[1].name, "right");
  EXPECT_EQ(model->signature().outputs[0].name, "difference");
}

TEST_F(TorchBackendTest, other_names_stand_for_the_positions_in_which_they_were_declared) {
  save("def forward(self, left, right):\n  return left - right");
  const auto model = load(declare({"z", "left"}, {}));
  EXPECT_EQ(model->signature().inputs[0].name, "z");
  EXPECT_EQ(model->signature().outputs[0].name, "output_0");
}

TEST_F(TorchBackendTest, declarations_that_do_not_fit_forward_are_refused) {
  save("def forward(self, x, y: Optional[Tensor] = None, z: Optional[Tensor] = None):\n  return x");
  EXPECT_THAT(load_error(declare({"a", "b", "c", "d"}, {})).message(),
              AllOf(HasSubstr(path()), HasSubstr("takes 3 inputs, 4 are declared")));
  EXPECT_THAT(load_error(declare({"z", "x"}, {})).message(), HasSubstr("takes 'y' before 'z'"));
  EXPECT_EQ(load_error(declare({"x", "x"}, {})).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(load(declare({"y", "x"}, {}))->signature().inputs[1].name, "y");
}

TEST_F(TorchBackendTest, warms_up_with_the_declared_shapes) {
  save("def forward(self, x):\n  return x * self.w");
  Arena arena(1);
  EXPECT_NO_THROW(load(declare({"x"}, {"y"}))->warm_up(3, {&arena, 1}));
  EXPECT_NO_THROW(load()->warm_up(3, {&arena, 1}));
  auto wrong = declare({"x"}, {"y"});
  wrong.inputs[0].row = Shape{5};
  EXPECT_THROW(load(wrong)->warm_up(3, {&arena, 1}), Error);
}

TEST_F(TorchBackendTest, a_file_that_is_cut_off_or_no_model_is_named_with_the_remedy) {
  save("def forward(self, x):\n  return x");
  const auto refused = [&] {
    const Error error = load_error();
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), AllOf(HasSubstr(path()), HasSubstr("torch.jit.save")));
    EXPECT_EQ(error.message().find('\n'), std::string::npos);
  };
  fs::resize_file(path(), fs::file_size(path()) / 2);
  refused();
  std::ofstream(path(), std::ios::binary) << std::string("PK\5\6") + std::string(18, '\0');
  refused();  // an empty zip archive
  std::ofstream(path(), std::ios::binary) << "no archive";
  refused();
  fs::remove(path());
  refused();
}

TEST_F(TorchBackendTest, a_module_without_forward_is_refused) {
  save("def other(self, x):\n  return x");
  EXPECT_THAT(load_error().message(), AllOf(HasSubstr(path()), HasSubstr("no method forward()")));
}

TEST_F(TorchBackendTest, models_come_and_go_while_others_run) {
  save(kNetwork, at::randn({16, 10}));
  const auto steady = load();
  const Tensor input = floats({2, 16}, std::vector<float>(32, 0.25F));
  const auto expected = values(run(*steady, {input})[0]);
  const std::jthread loader([&] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(values(run(*load(), {input})[0]), expected);
    }
  });
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(values(run(*steady, {input})[0]), expected);
  }
}

}  // namespace
}  // namespace maas
