// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/suspects.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>

namespace maas {
namespace {

// SipHash-2-4 with 128 bits of result (Aumasson and Bernstein), fed piece by piece.
class KeyedHash {
 public:
  explicit KeyedHash(const Digest& key)
      : v0_(0x736f6d6570736575U ^ key[0]),
        v1_(0x646f72616e646f6dU ^ key[1] ^ 0xeeU),
        v2_(0x6c7967656e657261U ^ key[0]),
        v3_(0x7465646279746573U ^ key[1]) {}

  void add(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    total_ += size;
    while (size > 0) {
      if (filled_ == 0 && size >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, 8);
        mix(word);
        bytes += 8;
        size -= 8;
        continue;
      }
      word_ |= std::uint64_t{*bytes++} << (8 * filled_);
      --size;
      if (++filled_ == 8) {
        mix(word_);
        word_ = 0;
        filled_ = 0;
      }
    }
  }
  template <typename T>
  void add(const T& value) {
    add(&value, sizeof(value));
  }

  Digest finish() {
    mix(word_ | (total_ << 56U));
    v2_ ^= 0xeeU;
    rounds(4);
    const std::uint64_t first = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xddU;
    rounds(4);
    return {first, v0_ ^ v1_ ^ v2_ ^ v3_};
  }

 private:
  void mix(std::uint64_t word) {
    v3_ ^= word;
    rounds(2);
    v0_ ^= word;
  }
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0_ += v1_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v3_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ += v3_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ += v1_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v2_ = std::rotl(v2_, 32);
    }
  }

  std::uint64_t v0_;
  std::uint64_t v1_;
  std::uint64_t v2_;
  std::uint64_t v3_;
  std::uint64_t word_ = 0;
  std::uint64_t total_ = 0;
  unsigned filled_ = 0;
};

const Digest& process_key() {
  static const Digest kKey = [] {
    std::random_device device;
    const auto word = [&] { return (std::uint64_t{device()} << 32U) | device(); };
    return Digest{word(), word()};
  }();
  return kKey;
}

void add_tensor(KeyedHash& hash, const Tensor& tensor) {
  hash.add(tensor.dtype());
  hash.add(tensor.shape().rank());
  for (const std::int64_t size : tensor.shape().dims()) {
    hash.add(size);
  }
  if (tensor.is_absent()) {
    return;
  }
  if (tensor.dtype() != DType::kBytes) {
    hash.add(tensor.data(), tensor.byte_size());
    return;
  }
  for (const std::string& text : tensor.strings()) {
    hash.add(text.size());
    hash.add(text.data(), text.size());
  }
}

}  // namespace

Digest digest_of(const Batch& batch, std::size_t index, const Signature& signature) {
  std::int64_t first = 0;
  for (std::size_t i = 0; i < index; ++i) {
    first += batch.items[i].rows;
  }
  KeyedHash hash(process_key());
  for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
    const Tensor& input = batch.inputs[i];
    const bool rows = !input.is_absent() && i < signature.inputs.size() &&
                      signature.has_rows(signature.inputs[i]);
    add_tensor(hash, rows ? input.rows(first, batch.items[index].rows) : input);
  }
  return hash.finish();
}

void Suspects::died(const Digest& digest, const RequestId& id, bool alone, TimePoint now) {
  if (records_.size() >= kMost && !records_.contains(digest)) {
    records_.erase(std::min_element(
        records_.begin(), records_.end(),
        [](const auto& a, const auto& b) { return a.second.latest < b.second.latest; }));
  }
  Record& record = records_[digest];
  record.alone += alone ? 1 : 0;
  record.last = id;
  record.latest = now;
}

std::optional<Suspects::Record> Suspects::find(const Digest& digest, TimePoint now) {
  const auto found = records_.find(digest);
  if (found == records_.end()) {
    return std::nullopt;
  }
  if (now - found->second.latest >= kMemory) {
    records_.erase(found);
    return std::nullopt;
  }
  return found->second;
}

}  // namespace maas
