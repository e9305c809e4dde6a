// SPDX-License-Identifier: Apache-2.0
#include "maas/server/request_parser.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>

#include "maas/server/authority.h"
#include "maas/server/head_fields.h"

namespace maas {
namespace {

namespace http = boost::beast::http;
using BeastCode = boost::beast::error_code;
using BeastView = boost::beast::string_view;

constexpr std::ptrdiff_t kMaxSizeDigits = 16;
constexpr std::size_t kChunkLineRoom = 768;  // beside the extension

std::string_view view(BeastView text) noexcept {
  return {text.data(), text.size()};
}

bool is_number(std::string_view text) noexcept {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A value that was folded over several lines does not begin behind the colon of its name.
bool is_folded(std::string_view name, std::string_view value) noexcept {
  const char* const colon = name.data() + name.size();
  const char* at = value.data();
  if (at <= colon || at - colon > std::ptrdiff_t{1} << 16U) {
    return true;  // assembled elsewhere
  }
  return !std::all_of(colon + 1, at, [](char c) { return c == ' ' || c == '\t'; });
}

// The fields that may stand in a request once only, and those that decide its framing.
enum Seen : unsigned { kHost = 1, kContentType = 2, kAuthorization = 4, kLength = 8, kCoding = 16 };

unsigned single_field(http::field field) noexcept {
  switch (field) {
    case http::field::host: return kHost;
    case http::field::content_type: return kContentType;
    case http::field::authorization: return kAuthorization;
    case http::field::content_length: return kLength;
    case http::field::transfer_encoding: return kCoding;
    default: return 0;
  }
}

// What is kept from request to request.
struct Scratch {
  HttpLimits limits;
  std::vector<Header> fields;
  RequestHead head;
  std::optional<Error> error;
  ByteBuffer* body = nullptr;
  const char* begin = nullptr;  // of what is being parsed
  bool trailing = false;        // the last chunk has come
};

class BeastParser final : public http::basic_parser<true> {
 public:
  explicit BeastParser(Scratch& scratch) : s_(scratch) {
    header_limit(static_cast<std::uint32_t>(s_.limits.head));
    body_limit(s_.limits.body);
  }

  void on_request_impl(
      http::verb, BeastView method, BeastView target, int version, BeastCode& code) override {
    s_.head.http.verb = view(method);
    s_.head.http.method = method_named(s_.head.http.verb);
    s_.head.http_1_0 = version < 11;
    s_.head.http.version = s_.head.http_1_0 ? "1.0" : "1.1";
    if (target.size() > s_.limits.target) {
      return refuse(
          414, "the request target is longer than " + std::to_string(s_.limits.target) + " bytes",
          code);
    }
    if (!split_target(view(target), s_.head.http)) {
      refuse(400, "the request target is not a path", code);
    }
  }

  void on_field_impl(http::field field,
                     BeastView beast_name,
                     BeastView beast_value,
                     BeastCode& code) override {
    const std::string_view name = view(beast_name);
    const std::string_view value = view(beast_value);
    if (s_.fields.size() == s_.limits.fields) {
      return refuse(
          431, "the request has more than " + std::to_string(s_.limits.fields) + " header fields",
          code);
    }
    if (is_folded(name, value)) {
      return refuse(400, "a header field is folded over several lines", code);
    }
    s_.fields.push_back({name, value});
    const unsigned bit = single_field(field);
    if ((seen_ & bit) != 0) {
      return refuse(400, "the header field " + std::string(name) + " stands twice", code);
    }
    seen_ |= bit;
    check_value(field, value, code);
  }

  void on_header_impl(BeastCode& code) override {
    RequestHead& head = s_.head;
    if (!head.http_1_0 && (seen_ & kHost) == 0) {
      return refuse(400, "the header field Host is missing", code);
    }
    if ((seen_ & kLength) != 0 && (seen_ & kCoding) != 0) {
      return refuse(400, "the request has both Content-Length and Transfer-Encoding", code);
    }
    if (head.http_1_0 && (seen_ & kCoding) != 0) {
      return refuse(400, "Transfer-Encoding is not part of HTTP/1.0", code);
    }
    if (host_ < s_.fields.size() && !head.http.authority.empty()) {
      s_.fields[host_].value = head.http.authority;  // that of the target wins
    } else if (host_ < s_.fields.size()) {
      head.http.authority = s_.fields[host_].value;
    }
    head.http.headers = s_.fields;
    head.keep_alive = keep_alive();
    head.chunked = chunked();
    head.content_length = static_cast<std::size_t>(content_length().value_or(0));
  }

  void on_chunk_header_impl(std::uint64_t size, BeastView extension, BeastCode& code) override {
    s_.trailing = size == 0;
    if (size_digits(extension.data()) > kMaxSizeDigits) {
      refuse(400, "the size of a chunk has too many digits", code);
    } else if (extension.size() > s_.limits.chunk_extension) {
      refuse(400, "a chunk extension is too long", code);
    } else if (++chunks_ > s_.limits.chunks) {
      refuse(413, "the body has more than " + std::to_string(s_.limits.chunks) + " chunks", code);
    }
  }

  std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes, BeastCode&) override {
    s_.body->append(view(bytes));
    return bytes.size();
  }

  void on_trailer_field_impl(http::field,
                             BeastView name,
                             BeastView value,
                             BeastCode& code) override {
    if (is_folded(view(name), view(value)) || ++trailers_ > s_.limits.trailers) {
      refuse(400, "the trailer is malformed", code);
    }
  }

  // Of a well-formed field of the trailer that Beast refuses because it would decide the framing:
  // it is dropped like any other. The bytes of its line at the beginning of `rest`, else 0.
  std::size_t drop_framing(const BeastCode& code, std::string_view rest) noexcept {
    const bool framing = code == http::error::bad_content_length ||
                         code == http::error::multiple_content_length ||
                         code == http::error::bad_transfer_encoding;
    const std::size_t end = rest.find("\r\n");
    const bool folded = rest.substr(std::min(end, rest.size())).find_first_of(" \t") == 2;
    if (!s_.trailing || !framing || folded || ++trailers_ > s_.limits.trailers) {
      return 0;
    }
    return end + 2;
  }

  // Bodies with a length are not the parser's business.
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastCode&) override {}
  std::size_t on_body_impl(BeastView, BeastCode&) override { return 0; }
  void on_finish_impl(BeastCode&) override {}
  void on_response_impl(int, BeastView, int, BeastCode&) override {}

  // Notes the refusal that a callback has not explained itself.
  void explain(const BeastCode& code, std::string_view input) {
    if (s_.error) {
      return;
    }
    BeastCode ignored;
    if (code == http::error::header_limit) {
      const bool in_target = s_.fields.empty() && s_.head.http.path.empty();
      refuse(in_target ? 414 : 431,
             "the request head is longer than " + std::to_string(s_.limits.head) + " bytes",
             ignored);
    } else if (code == http::error::body_limit) {
      refuse(413, "the body is longer than " + std::to_string(s_.limits.body) + " bytes", ignored);
    } else if (code == http::error::bad_version && is_later_version(input)) {
      refuse(505, "the server speaks HTTP/1.1 and HTTP/1.0", ignored);
    } else {
      refuse(400, "the request is malformed: " + code.message(), ignored);
    }
  }

 private:
  // Of the number that ends here. Leading zeros are digits, too.
  [[nodiscard]] std::ptrdiff_t size_digits(const char* end) const noexcept {
    const char* begin = end;
    while (begin != s_.begin && std::isxdigit(static_cast<unsigned char>(begin[-1])) != 0) {
      --begin;
    }
    return end - begin;
  }

  void check_value(http::field field, std::string_view value, BeastCode& code) {
    switch (field) {
      case http::field::host:
        host_ = s_.fields.size() - 1;
        if (!parse_authority(value)) {
          refuse(400, "the header field Host is malformed", code);
        }
        break;
      case http::field::content_length:
        if (!is_number(value)) {
          refuse(400, "the header field Content-Length is not a number", code);
        }
        break;
      case http::field::transfer_encoding: check_coding(value, code); break;
      case http::field::expect:
        s_.head.expects_continue = same_token(value, "100-continue");
        if (!s_.head.expects_continue) {
          refuse(417, "the only expectation that the server meets is 100-continue", code);
        }
        break;
      default: break;
    }
  }

  void check_coding(std::string_view value, BeastCode& code) {
    switch (read_transfer_coding(value)) {
      case TransferCoding::kChunked: break;
      case TransferCoding::kUnknown:
        refuse(501, "the only transfer coding that the server knows is chunked", code);
        break;
      case TransferCoding::kMalformed:
        refuse(400, "the header field Transfer-Encoding is malformed", code);
        break;
    }
  }

  // As soon as the number is there, whatever follows: so it is seen however the bytes are divided.
  static bool is_later_version(std::string_view input) noexcept {
    for (int i = 0; i < 2; ++i) {
      const std::size_t space = input.find(' ');
      if (space == std::string_view::npos) {
        return false;
      }
      input.remove_prefix(space + 1);
    }
    return input.starts_with("HTTP/2.0") || input.starts_with("HTTP/3.0");
  }

  void refuse(int status, std::string message, BeastCode& code) {
    s_.error.emplace(status == 413 ? ErrorCode::kTooLarge : ErrorCode::kInvalidArgument,
                     std::move(message));
    s_.error->with_http_status(status);
    code = http::make_error_code(http::error::bad_value);
  }

  Scratch& s_;
  unsigned seen_ = 0;
  std::size_t host_ = std::numeric_limits<std::size_t>::max();  // where it is among the fields
  std::size_t chunks_ = 0;
  std::size_t trailers_ = 0;
};

}  // namespace

struct RequestParser::Impl {
  Scratch scratch;
  std::optional<BeastParser> beast;
  std::size_t blank_lines = 0;

  std::size_t put(std::string_view input) {
    BeastCode code;
    scratch.begin = input.data();
    const std::size_t used = beast->put({input.data(), input.size()}, code);
    if (!code || code == http::error::need_more) {
      return used;
    }
    const std::string_view rest = input.substr(used);
    const std::size_t dropped = beast->drop_framing(code, rest);
    if (dropped == 0) {
      if (beast->is_header_done() && !scratch.trailing) {
        check_length_of_line(rest);  // before what the line says: its end may not have come yet
      }
      beast->explain(code, rest);
    }
    return used + dropped;
  }

  // `rest` begins with a chunk.
  void check_length_of_line(std::string_view rest) {
    const std::size_t room = kChunkLineRoom + scratch.limits.chunk_extension;
    if (std::min(line_of(rest).find("\r\n"), line_of(rest).size()) > room) {
      scratch.error.emplace(ErrorCode::kInvalidArgument, "a chunk's first line is too long");
    }
  }

  // `rest` is the beginning of a chunk that asks for more: of a line that has ended it asks because
  // a quote is open, which the line's end cannot be part of.
  void check_chunk_line(std::string_view rest) {
    check_length_of_line(rest);
    if (!scratch.error && line_of(rest).find("\r\n") != std::string_view::npos) {
      scratch.error.emplace(ErrorCode::kInvalidArgument, "a chunk's first line is malformed");
    }
  }

  // Without the end of the chunk before.
  static std::string_view line_of(std::string_view rest) noexcept {
    return rest.starts_with("\r\n") ? rest.substr(2) : rest;
  }
};

RequestParser::RequestParser(const HttpLimits& limits) : impl_(std::make_unique<Impl>()) {
  impl_->scratch.limits = limits;
  impl_->scratch.fields.reserve(16);
  reset();
}

RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  impl_->scratch.fields.clear();
  impl_->scratch.head = {};
  impl_->scratch.error.reset();
  impl_->scratch.trailing = false;
  impl_->beast.emplace(impl_->scratch);
  impl_->blank_lines = 0;
}

std::size_t RequestParser::parse_head(std::string_view input) {
  std::size_t used = 0;
  // Old clients end a body with an empty line that its length does not count.
  while (impl_->blank_lines < 2 && !impl_->beast->got_some() &&
         input.substr(used).starts_with("\r\n")) {
    used += 2;
    ++impl_->blank_lines;
  }
  if (!impl_->beast->got_some() && input.substr(used) == "\r") {
    return used;  // half an empty line
  }
  while (used < input.size() && !head_done() && !error()) {
    const std::size_t step = impl_->put(input.substr(used));
    used += step;
    if (step == 0) {
      break;
    }
  }
  if (!head_done() && !error() && input.substr(used).starts_with('\n')) {
    impl_->scratch.error.emplace(ErrorCode::kInvalidArgument, "a line of the head has no CR");
  }
  return used;
}

std::size_t RequestParser::parse_chunks(std::string_view input, ByteBuffer& body) {
  impl_->scratch.body = &body;
  std::size_t used = 0;
  while (used < input.size() && !chunks_done() && !error()) {
    const std::size_t step = impl_->put(input.substr(used));
    used += step;
    if (step == 0) {
      break;
    }
  }
  if (!chunks_done() && !error() && !impl_->scratch.trailing) {
    impl_->check_chunk_line(input.substr(used));
  }
  return used;
}

bool RequestParser::head_done() const noexcept {
  return impl_->beast->is_header_done();
}

bool RequestParser::chunks_done() const noexcept {
  return impl_->beast->is_done();
}

const RequestHead& RequestParser::head() const noexcept {
  return impl_->scratch.head;
}

const std::optional<Error>& RequestParser::error() const noexcept {
  return impl_->scratch.error;
}

}  // namespace maas
