// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/clock.h"
#include "maas/batching/model_stats.h"
#include "maas/runtime/item_stream.h"
#include "maas/tensor/tensor.h"

namespace maas {

enum class Method : std::uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kPatch,
  kDelete,
  kOptions,
  kConnect,
  kTrace,
  kQuery,
  kOther,
};

// Equal when ASCII case is ignored, as names of fields and their keywords are compared.
bool same_token(std::string_view a, std::string_view b) noexcept;

struct Header {
  std::string_view name;
  std::string_view value;
};

// A request as the transport received it. Views into the connection's buffers, valid until the
// request is answered.
struct HttpRequest {
  Method method = Method::kGet;
  std::string_view verb;         // the method as sent
  std::string_view authority{};  // whom it is for: of the target, else the field Host
  std::string_view path;         // as sent, percent-encoded, without the query
  std::string_view query;        // behind the '?'
  std::string_view version = "1.1";
  std::string_view client;  // "address:port"; empty where there is none
  std::span<const Header> headers;
  std::string_view body;
  std::shared_ptr<void>
      memory{};  // of `body`, for those who keep parts of it; null: not to be kept

  // The first field of that name (ASCII case is ignored); empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

// How the items of a body that is sent while it is made are written: as server-sent events, as
// lines of JSON, or one behind the other as they are.
enum class StreamFormat : std::uint8_t { kEvents, kLines, kBytes };

// A body that is sent while it is made.
struct ResponseStream {
  std::shared_ptr<ItemStream> items;  // null: there is none
  StreamFormat format = StreamFormat::kEvents;
  Duration patience = Duration::max();  // from one item to the next
  ModelStats* stats = nullptr;          // where items are counted, kept by the catalogue
  std::string before{};                 // stands before each item
  std::string behind{};                 // and this behind it
  bool sized = false;                   // `headers` say the length of the body
  bool upgraded = false;                // the connection is the application's from here on

  explicit operator bool() const noexcept { return items != nullptr; }
};

// An answer. The transport adds Content-Length or Transfer-Encoding, Connection and X-Request-Id.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";  // of static storage or the catalogue's
  std::string headers;                                 // further complete lines, "Allow: GET\r\n"
  std::string body;
  std::vector<Tensor> tensors{};  // whose bytes follow `body` as they are; none of them of kBytes
  ResponseStream stream{};        // in place of `body`

  // Of `body` and all that follows it.
  [[nodiscard]] std::size_t body_size() const noexcept;
  void clear() noexcept;  // keeps the capacity, if it is not large
};

}  // namespace maas
