// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/ops.h"

#include <algorithm>
#include <utility>

#include "maas/base/error.h"
#include "maas/kernels/kernels.h"

namespace maas {
namespace {

constexpr float kNormEpsilon = 1e-12F;  // as torch.nn.functional.normalize

// A tensor seen as rows of its last dimension.
struct Rows {
  std::size_t rows;
  std::size_t cols;
};

void require(bool holds, std::string_view op, const Tensor& x, std::string_view wants) {
  if (!holds) {
    throw Error(ErrorCode::kInvalidArgument, std::string(op) + " takes " + std::string(wants) +
                                                 ", not " + std::string(numpy_name(x.dtype())) +
                                                 " " + x.shape().to_string());
  }
}

Rows last_dimension(std::string_view op, const Tensor& x) {
  const Shape& shape = x.shape();
  require(x.dtype() == DType::kFloat32 && shape.rank() > 0 && shape[shape.rank() - 1] > 0, op, x,
          "float32 with a last dimension");
  const auto cols = static_cast<std::size_t>(shape[shape.rank() - 1]);
  return {x.elements() / cols, cols};
}

Shape without_last(const Shape& shape) {
  return Shape(shape.dims().first(shape.rank() - 1));
}

class Scale final : public Op {
 public:
  Scale(float factor, float shift) : factor_(factor), shift_(shift) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "scale"; }
  [[nodiscard]] Tensor apply(const Tensor& x, const Lookup&) const override {
    require(x.dtype() == DType::kFloat32 || x.dtype() == DType::kUint8, name(), x,
            "float32 or uint8");
    Tensor out = Tensor::allocate(DType::kFloat32, x.shape());
    auto* to = out.mutable_values<float>().data();
    const kernels::Table& kernel = kernels::active();
    if (x.dtype() == DType::kUint8) {
      kernel.scale_shift_uint8(x.values<std::uint8_t>().data(), to, x.elements(), factor_, shift_);
    } else {
      kernel.scale_shift_float32(x.values<float>().data(), to, x.elements(), factor_, shift_);
    }
    return out;
  }

 private:
  float factor_;
  float shift_;
};

class Normalise final : public Op {
 public:
  Normalise(std::vector<float> mean, std::vector<float> std, float factor)
      : mean_(std::move(mean)), inv_std_(std::move(std)), factor_(factor) {
    if (mean_.empty() || mean_.size() != inv_std_.size()) {
      throw Error(ErrorCode::kInvalidArgument, "normalise takes one mean and one std per channel");
    }
    for (float& value : inv_std_) {
      if (!(value > 0)) {
        throw Error(ErrorCode::kInvalidArgument, "normalise takes a std above 0");
      }
      value = 1 / value;
    }
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "normalise"; }
  [[nodiscard]] Tensor apply(const Tensor& x, const Lookup&) const override {
    const Shape& in = x.shape();
    const auto channels = static_cast<std::int64_t>(mean_.size());
    require(x.dtype() == DType::kUint8 && in.rank() == 4 && in[3] == channels, name(), x,
            "uint8 [rows, height, width, " + std::to_string(channels) + "]");
    Tensor out = Tensor::allocate(DType::kFloat32, {in[0], in[3], in[1], in[2]});
    const kernels::ImageShape shape{static_cast<std::size_t>(in[1]),
                                    static_cast<std::size_t>(in[2]), mean_.size()};
    const std::size_t image = shape.height * shape.width * shape.channels;
    const kernels::Normalisation by{factor_, mean_.data(), inv_std_.data()};
    for (std::size_t row = 0; row < static_cast<std::size_t>(in[0]); ++row) {
      kernels::active().normalise_image(x.values<std::uint8_t>().data() + row * image,
                                        out.mutable_values<float>().data() + row * image, shape,
                                        by);
    }
    return out;
  }

 private:
  std::vector<float> mean_;
  std::vector<float> inv_std_;
  float factor_;
};

class Softmax final : public Op {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "softmax"; }
  [[nodiscard]] Tensor apply(const Tensor& x, const Lookup&) const override {
    const Rows size = last_dimension(name(), x);
    Tensor out = Tensor::allocate(DType::kFloat32, x.shape());
    kernels::active().softmax(x.values<float>().data(), out.mutable_values<float>().data(),
                              size.rows, size.cols);
    return out;
  }
};

class Argmax final : public Op {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "argmax"; }
  [[nodiscard]] Tensor apply(const Tensor& x, const Lookup&) const override {
    const Rows size = last_dimension(name(), x);
    Tensor out = Tensor::allocate(DType::kInt64, without_last(x.shape()));
    kernels::active().argmax(x.values<float>().data(), out.mutable_values<std::int64_t>().data(),
                             size.rows, size.cols);
    return out;
  }
};

class L2Normalise final : public Op {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "l2_normalise"; }
  [[nodiscard]] Tensor apply(const Tensor& x, const Lookup&) const override {
    const Rows size = last_dimension(name(), x);
    Tensor out = Tensor::allocate(DType::kFloat32, x.shape());
    kernels::active().l2_normalise(x.values<float>().data(), out.mutable_values<float>().data(),
                                   size.rows, size.cols, kNormEpsilon);
    return out;
  }
};

class MeanPool final : public Op {
 public:
  explicit MeanPool(std::string mask) : mask_(std::move(mask)) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "mean_pool"; }
  [[nodiscard]] Tensor apply(const Tensor& x, const Lookup& find) const override {
    const Shape& in = x.shape();
    require(x.dtype() == DType::kFloat32 && in.rank() == 3, name(), x,
            "float32 [rows, tokens, dim]");
    const Tensor* mask = find ? find(mask_) : nullptr;
    if (mask == nullptr) {
      throw Error(ErrorCode::kInvalidArgument,
                  "mean_pool finds no input '" + mask_ + "' to mask with");
    }
    require(mask->dtype() == DType::kInt64 && mask->shape() == Shape{in[0], in[1]}, name(), *mask,
            "an int64 mask " + Shape{in[0], in[1]}.to_string());
    Tensor out = Tensor::allocate(DType::kFloat32, {in[0], in[2]});
    const kernels::PoolShape shape{static_cast<std::size_t>(in[0]), static_cast<std::size_t>(in[1]),
                                   static_cast<std::size_t>(in[2])};
    kernels::active().mean_pool(x.values<float>().data(), mask->values<std::int64_t>().data(),
                                out.mutable_values<float>().data(), shape);
    return out;
  }

 private:
  std::string mask_;
};

}  // namespace

namespace ops {

OpPtr scale(float factor, float shift) {
  return std::make_shared<Scale>(factor, shift);
}
OpPtr normalise(std::vector<float> mean, std::vector<float> std, float factor) {
  return std::make_shared<Normalise>(std::move(mean), std::move(std), factor);
}
OpPtr softmax() {
  return std::make_shared<Softmax>();
}
OpPtr argmax() {
  return std::make_shared<Argmax>();
}
OpPtr l2_normalise() {
  return std::make_shared<L2Normalise>();
}
OpPtr mean_pool(std::string mask) {
  return std::make_shared<MeanPool>(std::move(mask));
}

}  // namespace ops

TopKResult top_k(const Tensor& x, std::int64_t k) {
  const Rows size = last_dimension("top_k", x);
  const auto kept = std::min(static_cast<std::size_t>(std::max<std::int64_t>(k, 1)), size.cols);
  Shape shape = x.shape();
  shape.set(shape.rank() - 1, static_cast<std::int64_t>(kept));
  TopKResult out{Tensor::allocate(DType::kFloat32, shape), Tensor::allocate(DType::kInt64, shape)};
  const kernels::TopK to{out.values.mutable_values<float>().data(),
                         out.indices.mutable_values<std::int64_t>().data(), kept};
  kernels::active().top_k(x.values<float>().data(), size.rows, size.cols, to);
  return out;
}

Tensor apply_ops(const std::vector<OpPtr>& chain, Tensor x, const Op::Lookup& find) {
  for (const OpPtr& op : chain) {
    x = op->apply(x, find);
  }
  return x;
}

}  // namespace maas
