// SPDX-License-Identifier: Apache-2.0
#include "maas/server/http.h"

#include <algorithm>

namespace maas {
namespace {

constexpr std::size_t kKeptBody = std::size_t{1} << 20U;

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool same_token(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view HttpRequest::header(std::string_view name) const noexcept {
  for (const Header& header : headers) {
    if (same_token(header.name, name)) {
      return header.value;
    }
  }
  return {};
}

std::size_t HttpResponse::body_size() const noexcept {
  std::size_t size = body.size();
  for (const Tensor& tensor : tensors) {
    size += tensor.byte_size();
  }
  return size;
}

void HttpResponse::clear() noexcept {
  status = 200;
  content_type = "application/json";
  headers.clear();
  body.clear();
  if (body.capacity() > kKeptBody) {
    body.shrink_to_fit();
  }
  tensors.clear();
  stream = {};
}

}  // namespace maas
