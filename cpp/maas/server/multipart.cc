// SPDX-License-Identifier: Apache-2.0
#include "maas/server/multipart.h"

#include <algorithm>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/http.h"
#include "maas/server/media_type.h"
#include "maas/server/utf8.h"

namespace maas {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kMaxBoundary = 70;

class Multipart {
 public:
  Multipart(std::string_view body, std::string_view boundary)
      : body_(body), delimiter_("\r\n--" + std::string(boundary)) {}

  std::vector<FormPart> read();

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(ErrorCode::kInvalidArgument, "the body is no valid multipart/form-data at byte " +
                                                 std::to_string(at_) + ": " + problem);
  }
  [[nodiscard]] std::string_view rest() const noexcept { return body_.substr(at_); }
  bool take(std::string_view text) noexcept {
    if (!rest().starts_with(text)) {
      return false;
    }
    at_ += text.size();
    return true;
  }
  bool next_part();
  FormPart read_part();
  void read_head(FormPart& part);
  void read_field(std::string_view line, FormPart& part) const;
  void read_disposition(std::string_view value, FormPart& part) const;

  const std::string_view body_;
  const std::string delimiter_;
  std::size_t at_ = 0;
};

std::vector<FormPart> Multipart::read() {
  if (!take(std::string_view(delimiter_).substr(kLineEnd.size()))) {
    fail("it does not begin with the boundary that its Content-Type names");
  }
  std::vector<FormPart> parts;
  while (next_part()) {
    if (parts.size() == kMaxFormParts) {
      fail("it has more than " + std::to_string(kMaxFormParts) + " parts");
    }
    parts.push_back(read_part());
  }
  return parts;
}

// Behind a boundary: whether it begins a part, or was the last.
bool Multipart::next_part() {
  const bool last = take("--");
  at_ += std::min(rest().find_first_not_of(" \t"), rest().size());
  if (last) {
    take(kLineEnd);
    if (!rest().empty()) {
      fail("there is more behind the last boundary");
    }
    return false;
  }
  if (!take(kLineEnd)) {
    fail("a boundary is followed by neither a line end nor '--'");
  }
  return true;
}

FormPart Multipart::read_part() {
  FormPart part;
  read_head(part);
  const auto size = rest().find(delimiter_);
  if (size == std::string_view::npos) {
    fail("the part '" + part.name.substr(0, 64) + "' has no boundary behind it");
  }
  part.data = rest().substr(0, size);
  at_ += size + delimiter_.size();
  return part;
}

void Multipart::read_head(FormPart& part) {
  const std::string_view head = rest().substr(0, kMaxPartHead);
  bool named = false;
  for (std::size_t line = 0;;) {
    const auto end = head.find(kLineEnd, line);
    if (end == std::string_view::npos) {
      fail(head.size() < kMaxPartHead
               ? "the fields of a part do not end"
               : "the fields of a part take more than " + std::to_string(kMaxPartHead) + " bytes");
    }
    const std::string_view text = head.substr(line, end - line);
    line = end + kLineEnd.size();
    if (text.empty()) {
      at_ += line;
      break;
    }
    const bool disposes = same_token(text.substr(0, text.find(':')), "content-disposition");
    if (disposes && std::exchange(named, true)) {
      fail("a part has two Content-Disposition");
    }
    read_field(text, part);
  }
  if (!named) {
    fail("a part has no Content-Disposition");
  }
}

void Multipart::read_field(std::string_view line, FormPart& part) const {
  const auto colon = line.find(':');
  const bool plain = std::all_of(line.begin(), line.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' || c == '\t';
  });
  if (colon == std::string_view::npos || colon == 0 || !plain ||
      line.substr(0, colon).find_first_of(" \t") != std::string_view::npos) {
    fail("a field of a part is not like 'Name: value'");
  }
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value = value.substr(0, value.find_last_not_of(" \t") + 1);
  if (same_token(name, "content-disposition")) {
    read_disposition(value, part);
  } else if (same_token(name, "content-type")) {
    part.content_type = value;
  } else if (same_token(name, "content-transfer-encoding") && !same_token(value, "binary") &&
             !same_token(value, "8bit") && !same_token(value, "7bit")) {
    fail("a part is encoded; send its bytes as they are");
  }
}

void Multipart::read_disposition(std::string_view value, FormPart& part) const {
  const auto found = parse_media_type(value);
  if (!found || !same_token(found->essence, "form-data")) {
    fail("a Content-Disposition is not like 'form-data; name=\"x\"'");
  }
  const std::string* name = found->find("name");
  const std::string* filename = found->find("filename");
  if (name == nullptr || name->empty()) {
    fail("a part has no name");
  }
  if (!is_utf8(*name) || (filename != nullptr && !is_utf8(*filename))) {
    fail("a name is not UTF-8");
  }
  part.name = *name;
  part.is_file = filename != nullptr;
  part.filename = filename != nullptr ? *filename : "";
}

}  // namespace

std::vector<FormPart> parse_multipart(std::string_view body, std::string_view boundary) {
  return Multipart(body, boundary).read();
}

bool is_boundary(std::string_view text) noexcept {
  const auto allowed = [](char c) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return alphanumeric || std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kMaxBoundary && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace maas
