// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/dlpack.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas::dlpack {
namespace {

using ::testing::ElementsAre;

// An array of a foreign library, that counts how often it was let go.
template <typename M>
struct Foreign {
  explicit Foreign(std::vector<std::int64_t> dims, std::vector<std::int64_t> steps = {})
      : shape(std::move(dims)), strides(std::move(steps)) {
    std::iota(numbers.begin(), numbers.end(), 0);
    managed.array = {.data = numbers.data(),
                     .device = {kCpu, 0},
                     .ndim = static_cast<std::int32_t>(shape.size()),
                     .dtype = {0, 32, 1},
                     .shape = shape.data(),
                     .strides = strides.empty() ? nullptr : strides.data(),
                     .byte_offset = 0};
    managed.context = this;
    managed.deleter = [](M* self) { ++static_cast<Foreign*>(self->context)->deleted; };
  }
  std::vector<std::int32_t> numbers = std::vector<std::int32_t>(24);
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  M managed{};
  int deleted = 0;
};

Error import_error(Foreign<Managed>& foreign) {
  try {
    (void)import_tensor(&foreign.managed);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(foreign.deleted, 1);
    return error;
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

TEST(DlpackImport, shares_the_memory_and_lets_it_go_once_with_the_last_tensor) {
  Foreign<Managed> foreign({2, 3});
  {
    Tensor row;
    {
      const Tensor tensor = import_tensor(&foreign.managed);
      EXPECT_EQ(tensor.data(), foreign.numbers.data());
      EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
      row = tensor.rows(1, 1);
    }
    EXPECT_EQ(foreign.deleted, 0);
    EXPECT_THAT(row.values<std::int32_t>(), ElementsAre(3, 4, 5));
  }
  EXPECT_EQ(foreign.deleted, 1);
}

TEST(DlpackImport, begins_at_the_byte_offset) {
  Foreign<Managed> foreign({2});
  foreign.managed.array.byte_offset = 5 * sizeof(std::int32_t);
  EXPECT_THAT(import_tensor(&foreign.managed).values<std::int32_t>(), ElementsAre(5, 6));
}

TEST(DlpackImport, strides_of_a_compact_array_cost_no_copy) {
  Foreign<Managed> foreign({2, 1, 3}, {3, 77, 1});  // a dimension of 1 may have any stride
  EXPECT_EQ(import_tensor(&foreign.managed).data(), foreign.numbers.data());
}

TEST(DlpackImport, copies_what_is_strided_and_lets_it_go_at_once) {
  Foreign<Managed> transposed({3, 2}, {1, 3});
  const Tensor tensor = import_tensor(&transposed.managed);
  EXPECT_EQ(transposed.deleted, 1);
  EXPECT_THAT(tensor.values<std::int32_t>(), ElementsAre(0, 3, 1, 4, 2, 5));
  Foreign<Managed> backward({4}, {-2});
  backward.managed.array.byte_offset = 6 * sizeof(std::int32_t);
  EXPECT_THAT(import_tensor(&backward.managed).values<std::int32_t>(), ElementsAre(6, 4, 2, 0));
  Foreign<Managed> repeated({2, 2}, {0, 1});
  EXPECT_THAT(import_tensor(&repeated.managed).values<std::int32_t>(), ElementsAre(0, 1, 0, 1));
}

TEST(DlpackImport, takes_scalars_and_empty_arrays) {
  Foreign<Managed> scalar({});
  const Tensor one = import_tensor(&scalar.managed);
  EXPECT_EQ(one.shape().rank(), 0U);
  EXPECT_EQ(one.values<std::int32_t>()[0], 0);
  Foreign<Managed> empty({0, 3}, {3, 1});
  empty.managed.array.data = nullptr;
  EXPECT_EQ(import_tensor(&empty.managed).elements(), 0U);
  Foreign<Managed> odd({3, 0, 2}, {5, 5, 5});
  EXPECT_EQ(import_tensor(&odd.managed).shape(), (Shape{3, 0, 2}));
}

TEST(DlpackImport, needs_no_deleter) {
  Foreign<Managed> foreign({2});
  foreign.managed.deleter = nullptr;
  EXPECT_EQ(import_tensor(&foreign.managed).elements(), 2U);
}

TEST(DlpackImport, refuses_other_devices_types_and_shapes_and_lets_them_go_once) {
  const auto refused = [](const std::function<void(Array&)>& change) {
    Foreign<Managed> foreign({2, 3});
    change(foreign.managed.array);
    return import_error(foreign).message();
  };
  EXPECT_THAT(refused([](Array& a) { a.device.type = 2; }), ::testing::HasSubstr("CPU memory"));
  EXPECT_THAT(refused([](Array& a) { a.dtype = {5, 64, 1}; }), ::testing::HasSubstr("type"));
  EXPECT_THAT(refused([](Array& a) { a.dtype.lanes = 4; }), ::testing::HasSubstr("type"));
  EXPECT_THAT(refused([](Array& a) { a.dtype.bits = 4; }), ::testing::HasSubstr("type"));
  EXPECT_THAT(refused([](Array& a) { a.ndim = -1; }), ::testing::HasSubstr("dimensions"));
  Foreign<Managed> deep(std::vector<std::int64_t>(9, 1));
  EXPECT_THAT(import_error(deep).message(), ::testing::HasSubstr("8 dimensions"));
  Foreign<Managed> negative({-2, 3});
  EXPECT_THAT(import_error(negative).message(), ::testing::HasSubstr("[-2, 3]"));
}

TEST(DlpackImport, takes_the_versioned_form_up_to_version_1) {
  Foreign<ManagedVersioned> foreign({3});
  foreign.managed.version = {1, 9};
  foreign.managed.flags = kReadOnly;
  {
    const Tensor tensor = import_versioned(&foreign.managed);
    EXPECT_THAT(tensor.values<std::int32_t>(), ElementsAre(0, 1, 2));
  }
  EXPECT_EQ(foreign.deleted, 1);
  Foreign<ManagedVersioned> newer({3});
  newer.managed.version = {2, 0};
  EXPECT_THROW((void)import_versioned(&newer.managed), Error);
  EXPECT_EQ(newer.deleted, 1);
}

TEST(DlpackExport, is_a_view_that_keeps_the_memory_until_its_deleter) {
  const auto owner = std::make_shared<std::vector<float>>(6, 2.5F);
  Managed* managed = nullptr;
  {
    const Tensor tensor = Tensor::borrow(DType::kFloat32, {3, 2}, owner->data(), owner);
    managed = export_tensor(tensor.rows(1, 2));
  }
  EXPECT_EQ(owner.use_count(), 2);
  EXPECT_EQ(managed->array.data, owner->data() + 2);
  EXPECT_EQ(managed->array.ndim, 2);
  EXPECT_EQ(managed->array.shape[0], 2);
  EXPECT_EQ(managed->array.device.type, kCpu);
  managed->deleter(managed);
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(DlpackExport, goes_round_for_every_dtype_in_both_forms) {
  for (std::size_t i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (dtype == DType::kBytes) {
      continue;
    }
    const Tensor tensor = Tensor::zeros(dtype, {2, 0, 3});
    for (const Tensor& back :
         {import_tensor(export_tensor(tensor)), import_versioned(export_versioned(tensor))}) {
      EXPECT_EQ(back.dtype(), dtype);
      EXPECT_EQ(back.shape(), tensor.shape());
      EXPECT_EQ(back.data(), tensor.data());
    }
  }
  ManagedVersioned* const managed = export_versioned(Tensor::zeros(DType::kInt8, {}));
  EXPECT_EQ(managed->version.major, 1U);
  EXPECT_EQ(managed->flags, 0U);
  EXPECT_EQ(managed->array.ndim, 0);
  managed->deleter(managed);
}

TEST(DlpackExport, refuses_bytes) {
  const Tensor tensor = Tensor::allocate(DType::kBytes, {1});
  EXPECT_THROW((void)export_tensor(tensor), Error);
  EXPECT_THROW((void)export_versioned(tensor), Error);
}

}  // namespace
}  // namespace maas::dlpack
