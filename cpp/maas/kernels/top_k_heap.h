// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maas/kernels/kernels.h"

// What top_k keeps while it reads a row: a heap inside the output row, the least entry at the root.
// Everything here has internal linkage, so that each instruction set's file gets its own copy and
// the linker cannot hand one compiled for AVX-512 to the portable code.
namespace maas::kernels {

struct TopKHeap {
  float* values;
  std::int64_t* indices;
  std::size_t size;
};

// NaN counts as greater than any number, and no NaN as greater than another.
[[maybe_unused]] static bool is_greater(float a, float b) noexcept {
  return a > b || (a != a && b == b);
}

// Whether entry a comes after entry b in the result: it has the lesser value, or the same value at
// a higher index.
[[maybe_unused]] static bool ranks_below(const TopKHeap& heap,
                                         std::size_t a,
                                         std::size_t b) noexcept {
  if (is_greater(heap.values[b], heap.values[a])) {
    return true;
  }
  return !is_greater(heap.values[a], heap.values[b]) && heap.indices[a] > heap.indices[b];
}

[[maybe_unused]] static void swap_entries(const TopKHeap& heap,
                                          std::size_t a,
                                          std::size_t b) noexcept {
  const float value = heap.values[a];
  const std::int64_t index = heap.indices[a];
  heap.values[a] = heap.values[b];
  heap.indices[a] = heap.indices[b];
  heap.values[b] = value;
  heap.indices[b] = index;
}

[[maybe_unused]] static void sink(const TopKHeap& heap, std::size_t parent) noexcept {
  for (;;) {
    std::size_t least = parent;
    for (std::size_t child = 2 * parent + 1; child < heap.size && child <= 2 * parent + 2;
         ++child) {
      least = ranks_below(heap, child, least) ? child : least;
    }
    if (least == parent) {
      return;
    }
    swap_entries(heap, parent, least);
    parent = least;
  }
}

// The heap of the row's first k entries.
[[maybe_unused]] static TopKHeap start_heap(const float* in,
                                            const TopK& out,
                                            std::size_t row) noexcept {
  const TopKHeap heap = {out.values + row * out.k, out.indices + row * out.k, out.k};
  for (std::size_t i = 0; i < out.k; ++i) {
    heap.values[i] = in[i];
    heap.indices[i] = static_cast<std::int64_t>(i);
  }
  for (std::size_t i = out.k / 2; i-- > 0;) {
    sink(heap, i);
  }
  return heap;
}

[[maybe_unused]] static void replace_least(const TopKHeap& heap,
                                           float value,
                                           std::size_t index) noexcept {
  heap.values[0] = value;
  heap.indices[0] = static_cast<std::int64_t>(index);
  sink(heap, 0);
}

// Takes the entry in when it is greater than the least.
[[maybe_unused]] static void offer(const TopKHeap& heap, float value, std::size_t index) noexcept {
  if (is_greater(value, heap.values[0])) {
    replace_least(heap, value, index);
  }
}

// Offers in[from + i] for each bit i of `bits`.
[[maybe_unused]] static void offer_each(const TopKHeap& heap,
                                        const float* in,
                                        std::size_t from,
                                        unsigned bits) noexcept {
  for (; bits != 0; bits &= bits - 1) {
    const std::size_t at = from + static_cast<unsigned>(__builtin_ctz(bits));
    offer(heap, in[at], at);
  }
}

// From heap to descending order: the least goes last, again and again.
[[maybe_unused]] static void sort_heap(TopKHeap heap) noexcept {
  while (heap.size > 1) {
    --heap.size;
    swap_entries(heap, 0, heap.size);
    sink(heap, 0);
  }
}

}  // namespace maas::kernels
