// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maas/kernels/kernels.h"

// The same maths as one writes it with Eigen's arrays (top_k: with std::partial_sort).
namespace eigen_maths {

void softmax(const float* in, float* out, std::size_t rows, std::size_t cols);
void argmax(const float* in, std::int64_t* out, std::size_t rows, std::size_t cols);
void top_k(const float* in, std::size_t rows, std::size_t cols, const maas::kernels::TopK& out);
void normalise_image(const std::uint8_t* hwc,
                     float* chw,
                     const maas::kernels::ImageShape& shape,
                     const maas::kernels::Normalisation& by);
void scale_shift_float32(const float* in, float* out, std::size_t n, float scale, float shift);
void scale_shift_uint8(const std::uint8_t* in, float* out, std::size_t n, float scale, float shift);
void l2_normalise(const float* in, float* out, std::size_t rows, std::size_t cols, float epsilon);
void mean_pool(const float* in,
               const std::int64_t* mask,
               float* out,
               const maas::kernels::PoolShape& shape);

}  // namespace eigen_maths
