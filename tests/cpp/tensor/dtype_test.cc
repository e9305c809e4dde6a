// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/dtype.h"

#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

TEST(DType, names_are_distinct_and_lead_back) {
  std::set<std::string_view> protocol;
  std::set<std::string_view> numpy;
  for (std::size_t i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_from_protocol(protocol_name(dtype)), dtype);
    EXPECT_EQ(dtype_from_numpy(numpy_name(dtype)), dtype);
    EXPECT_EQ(parse_numpy_dtype(numpy_name(dtype)), dtype);
    protocol.insert(protocol_name(dtype));
    numpy.insert(numpy_name(dtype));
  }
  EXPECT_EQ(protocol.size(), kDTypes);
  EXPECT_EQ(numpy.size(), kDTypes);
  EXPECT_EQ(static_cast<std::size_t>(DType::kBytes), kDTypes - 1);
}

TEST(DType, has_the_protocols_names_and_sizes) {
  EXPECT_EQ(protocol_name(DType::kFloat32), "FP32");
  EXPECT_EQ(protocol_name(DType::kBfloat16), "BF16");
  EXPECT_EQ(protocol_name(DType::kBytes), "BYTES");
  EXPECT_EQ(numpy_name(DType::kUint8), "uint8");
  for (const auto& [name, size] :
       {std::pair("BOOL", 1U), std::pair("INT16", 2U), std::pair("FP16", 2U),
        std::pair("UINT32", 4U), std::pair("FP64", 8U), std::pair("INT64", 8U)}) {
    EXPECT_EQ(dtype_size(*dtype_from_protocol(name)), size) << name;
  }
  EXPECT_EQ(dtype_size(DType::kBytes), sizeof(std::string));
}

TEST(DType, an_unknown_name_is_refused_with_the_names_there_are) {
  EXPECT_FALSE(dtype_from_protocol("fp32"));
  EXPECT_FALSE(dtype_from_numpy("FP32"));
  EXPECT_FALSE(dtype_from_numpy(""));
  try {
    (void)parse_numpy_dtype("float");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("'float'"));
    EXPECT_THAT(error.message(), ::testing::HasSubstr("float16 bfloat16 float32"));
  }
}

}  // namespace
}  // namespace maas
