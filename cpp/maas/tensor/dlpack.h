// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "maas/tensor/tensor.h"

namespace maas::dlpack {

// The C ABI of DLPack 1.0 (dmlc.github.io/dlpack): how numpy, torch and others hand each other
// arrays without a copy. Field order and widths are the standard's.
struct Version {
  std::uint32_t major;
  std::uint32_t minor;
};
struct Device {
  std::int32_t type;
  std::int32_t id;
};
struct DataType {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};
struct Array {
  void* data;
  Device device;
  std::int32_t ndim;
  DataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null for a compact row-major array
  std::uint64_t byte_offset;
};
// "dltensor", the form before 1.0.
struct Managed {
  Array array;
  void* context;
  void (*deleter)(Managed*);
};
// "dltensor_versioned".
struct ManagedVersioned {
  Version version;
  void* context;
  void (*deleter)(ManagedVersioned*);
  std::uint64_t flags;  // bit 0: read-only
  Array array;
};

inline constexpr std::int32_t kCpu = 1;
inline constexpr std::uint64_t kReadOnly = 1;

// A view of `tensor` that shares its memory; its deleter must be called once. Throws
// invalid_argument for BYTES, which DLPack cannot express.
Managed* export_tensor(const Tensor& tensor);
ManagedVersioned* export_versioned(const Tensor& tensor);

// Takes `managed`: its memory is freed with the last Tensor that shares it. Not contiguous arrays
// are copied. Throws invalid_argument for a device that is not the CPU or a dtype that is not ours.
Tensor import_tensor(Managed* managed);
Tensor import_versioned(ManagedVersioned* managed);

}  // namespace maas::dlpack
