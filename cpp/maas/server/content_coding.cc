// SPDX-License-Identifier: Apache-2.0
#include "maas/server/content_coding.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <zlib.h>

#include "maas/base/error.h"
#include "maas/server/accept.h"
#include "maas/server/inference_header.h"
#include "maas/server/names.h"

namespace maas {
namespace {

constexpr int kGzip = 16 + MAX_WBITS;  // zlib's way to name the format
constexpr int kZlib = MAX_WBITS;
constexpr int kQuickest = 1;
constexpr std::size_t kFirstGuess = 4;  // times as long as its compressed form
constexpr uInt kMostAtOnce = std::numeric_limits<uInt>::max();

[[noreturn]] void refuse_coding(std::string_view coding) {
  throw Error(ErrorCode::kInvalidArgument,
              "the Content-Encoding " + in_quotes(coding) +
                  " is not supported; send gzip, deflate or the body as it is")
      .with_http_status(415);
}

[[noreturn]] void refuse_body(std::string_view coding) {
  throw Error(ErrorCode::kInvalidArgument,
              "the body is not complete " + std::string(coding) + " data");
}

// zlib's own memory, about 40 KiB, lives as long as this.
class Inflater {
 public:
  explicit Inflater(int format) {
    if (inflateInit2(&stream_, format) != Z_OK) {
      throw Error(ErrorCode::kUnavailable, "there is no memory to decompress the body");
    }
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void set_input(std::string_view text) noexcept {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    rest_ = text.size();
  }
  // As much as `out` has room for; Z_OK when there may be more.
  int step(ByteBuffer& out) noexcept {
    stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(rest_, kMostAtOnce));
    const std::size_t offered = stream_.avail_in;
    const std::size_t room = std::min<std::size_t>(out.room().size(), kMostAtOnce);
    stream_.next_out = reinterpret_cast<Bytef*>(out.room().data());
    stream_.avail_out = static_cast<uInt>(room);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    out.add(room - stream_.avail_out);
    rest_ -= offered - stream_.avail_in;
    return code;
  }
  [[nodiscard]] bool has_input() const noexcept { return rest_ > 0; }
  // A gzip body may have several members.
  void begin_next() noexcept { inflateReset(&stream_); }

 private:
  z_stream stream_{};
  std::size_t rest_ = 0;
};

struct Coding {
  std::string_view name;  // empty for none
  bool gzip = false;
};

// One body, however many members it has.
class BodyInflater {
 public:
  BodyInflater(const Coding& coding, ByteBuffer& out, std::size_t max_bytes)
      : coding_(coding), out_(out), max_bytes_(max_bytes), inflater_(coding.gzip ? kGzip : kZlib) {}

  void run(std::string_view body) {
    inflater_.set_input(body);
    out_.reserve(std::min(std::max<std::size_t>(kFirstGuess * body.size(), 256), max_bytes_ + 1));
    bool is_complete = false;
    while (!is_complete) {
      const int code = inflater_.step(out_);
      if (out_.size() > max_bytes_) {
        grow();
      }
      if (code == Z_STREAM_END) {
        is_complete = !begin_next_member();
      } else {
        go_on(code);
      }
    }
  }

 private:
  // False at the end.
  bool begin_next_member() {
    if (!inflater_.has_input()) {
      return false;
    }
    if (!coding_.gzip) {
      refuse_body(coding_.name);
    }
    inflater_.begin_next();
    return true;
  }
  void go_on(int code) {
    if ((code == Z_OK || code == Z_BUF_ERROR) && out_.room().empty()) {
      grow();
    } else if (code != Z_OK || !inflater_.has_input()) {
      refuse_body(coding_.name);
    }
  }
  void grow() {
    if (out_.capacity() > max_bytes_) {
      throw Error(ErrorCode::kTooLarge,
                  "the decompressed body is longer than " + std::to_string(max_bytes_) + " bytes");
    }
    // One more than it may be, so that one that is too long shows.
    out_.reserve(std::min(2 * out_.capacity(), max_bytes_ + 1));
  }

  const Coding coding_;
  ByteBuffer& out_;
  const std::size_t max_bytes_;
  Inflater inflater_;
};

Coding coding_of(const HttpRequest& http) {
  Coding found;
  for (const Header& header : http.headers) {
    if (!same_token(header.name, "Content-Encoding") || same_token(header.value, "identity") ||
        header.value.empty()) {
      continue;
    }
    const bool gzip = same_token(header.value, "gzip") || same_token(header.value, "x-gzip");
    if (!found.name.empty() || !(gzip || same_token(header.value, "deflate"))) {
      refuse_coding(header.value);
    }
    found = {gzip ? "gzip" : "deflate", gzip};
  }
  return found;
}

// The body and what follows it, deflated; empty when that is no shorter.
std::string deflated(const HttpResponse& response, bool gzip) {
  constexpr int kMemory = 8;  // zlib's default
  z_stream stream{};
  if (deflateInit2(&stream, kQuickest, Z_DEFLATED, gzip ? kGzip : kZlib, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(response.body_size() - 1, '\0');
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const auto put = [&](const void* data, std::size_t size, int flush) {
    stream.next_in = static_cast<Bytef*>(const_cast<void*>(data));
    stream.avail_in = static_cast<uInt>(size);
    return deflate(&stream, flush);
  };
  int code = put(response.body.data(), response.body.size(), Z_NO_FLUSH);
  for (const Tensor& tensor : response.tensors) {
    code = stream.avail_in != 0 ? Z_BUF_ERROR : put(tensor.data(), tensor.byte_size(), Z_NO_FLUSH);
  }
  code = stream.avail_in != 0 ? Z_BUF_ERROR : put(nullptr, 0, Z_FINISH);
  out.resize(code == Z_STREAM_END ? out.size() - stream.avail_out : 0);
  deflateEnd(&stream);
  return out;
}

}  // namespace

void decode_body(HttpRequest& http, std::size_t max_bytes) {
  const Coding coding = coding_of(http);
  if (coding.name.empty()) {
    return;
  }
  ByteBuffer plain;
  if (const auto tensors_at = inference_header_length(http)) {
    plain.align(*tensors_at);
  }
  BodyInflater(coding, plain, max_bytes).run(http.body);
  http.body = plain.view();
  http.memory = plain.lend();
}

void encode_body(const HttpRequest& http, const CompressionPolicy& policy, HttpResponse& response) {
  const std::size_t size = response.body_size();
  if (policy.when == Compression::kNever || size < std::max<std::size_t>(policy.min_bytes, 1) ||
      size > kMostAtOnce) {
    return;
  }
  const AcceptedCodings accepted = accepted_codings(http.headers);
  if (!(accepted.gzip || accepted.deflate) ||
      (policy.when == Compression::kAsked && !accepted.alone)) {
    return;
  }
  std::string shorter = deflated(response, accepted.gzip);
  if (!shorter.empty()) {
    response.body = std::move(shorter);
    response.tensors.clear();
    response.headers +=
        accepted.gzip ? "Content-Encoding: gzip\r\n" : "Content-Encoding: deflate\r\n";
    response.headers += "Vary: Accept-Encoding\r\n";
  }
}

}  // namespace maas
