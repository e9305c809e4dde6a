// SPDX-License-Identifier: Apache-2.0
#include "maas/base/request_id.h"

#include <algorithm>
#include <atomic>
#include <random>

namespace maas {
namespace {

constexpr std::uint8_t kMadeSize = 16;

// Secret keys, new in each process. mix() alone can be undone, so that one id would betray the
// next.
struct Keys {
  std::uint64_t before = random();
  std::uint64_t between = random();
  std::uint64_t behind = random();

  static std::uint64_t random() {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
  }
};

// SplitMix64's finaliser: a bijection, so distinct counters give distinct ids.
std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

}  // namespace

RequestId RequestId::next() noexcept {
  static const Keys kKeys;
  static std::atomic<std::uint64_t> counter{0};
  const std::uint64_t number = counter.fetch_add(1, std::memory_order_relaxed);
  std::uint64_t bits = mix(mix(number ^ kKeys.before) ^ kKeys.between) ^ kKeys.behind;
  RequestId id;
  id.size_ = kMadeSize;
  for (std::size_t i = 0; i < kMadeSize; ++i) {
    id.text_[i] = "0123456789abcdef"[bits >> 60U];
    bits <<= 4U;
  }
  return id;
}

RequestId RequestId::accepted(std::string_view text) noexcept {
  const bool fit = text.size() <= kMaxSize && std::all_of(text.begin(), text.end(), [](char c) {
                     return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                            (c >= 'A' && c <= 'Z') ||
                            std::string_view("-_.:/+=@~").find(c) != std::string_view::npos;
                   });
  return fit ? from(text) : RequestId();
}

RequestId RequestId::from(std::string_view text) noexcept {
  RequestId id;
  id.size_ = static_cast<std::uint8_t>(std::min(text.size(), id.text_.size()));
  std::copy_n(text.begin(), id.size_, id.text_.begin());
  return id;
}

}  // namespace maas
