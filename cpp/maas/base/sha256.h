// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace maas {

// A SHA-256 that is fed piece by piece. One thread at a time.
class Sha256 {
 public:
  Sha256();
  void update(const void* data, std::size_t size);
  // The digest of all that came, as 64 hex digits. REQUIRES: called once, last
  [[nodiscard]] std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

[[nodiscard]] std::string sha256(std::string_view text);

// Whether this is 64 lower-case hex digits.
[[nodiscard]] bool is_sha256(std::string_view text) noexcept;

}  // namespace maas
