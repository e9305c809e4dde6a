// SPDX-License-Identifier: Apache-2.0
#include "maas/server/mount_handler.h"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "maas/base/error.h"

namespace maas {
namespace {

Tensor text(std::string_view value) {
  return Tensor::from_strings({std::string(value)}, Shape{1});
}

// Names and values, each with a zero byte behind it, which neither can hold.
std::string fields_of(const Exchange& exchange) {
  std::string fields;
  for (const Header& header : traced(exchange.http.headers, exchange.trace)) {
    for (const char c : header.name) {
      fields += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    }
    fields += '\0';
    fields += header.value;
    fields += '\0';
  }
  return fields;
}

bool wants_upgrade(const HttpRequest& http) noexcept {
  return http.method == Method::kGet && same_token(http.header("Upgrade"), "websocket");
}

[[noreturn]] void refuse_head() {
  throw Error(ErrorCode::kInternal, "the application answered with a head that is none");
}

// "200\r\nName: value\r\nName: value"
void read_head(std::string_view head, HttpResponse& response) {
  const auto end = std::from_chars(head.data(), head.data() + head.size(), response.status);
  if (end.ec != std::errc() || response.status < 100 || response.status > 599) {
    refuse_head();
  }
  response.content_type = {};
  head.remove_prefix(static_cast<std::size_t>(end.ptr - head.data()));
  while (!head.empty()) {
    head.remove_prefix(2);
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) {
      refuse_head();
    }
    response.stream.sized =
        response.stream.sized || same_token(line.substr(0, colon), "Content-Length");
    response.headers += line;
    response.headers += "\r\n";
    head.remove_prefix(line.size());
  }
}

class MountHandler final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    const HttpRequest& http = exchange.http;
    const MountSpec& mount = *exchange.mount;
    Exchange::require_admission(*mount.model);
    if (wants_upgrade(http)) {
      exchange.request.inbound = std::make_shared<ItemStream>();
    }
    const std::string fields = fields_of(exchange);
    for (const std::string_view part : {http.verb, http.path, http.query, std::string_view(fields),
                                        http.version, http.client, http.body}) {
      exchange.request.inputs.push_back(text(part));
    }
    exchange.submit(mount.model, {});
  }

  void finish(Exchange& exchange, Reply reply) const override {
    if (!reply.stream || reply.outputs.size() != 1 || reply.outputs.front().elements() != 1) {
      refuse_head();
    }
    read_head(reply.outputs.front().strings().front(), exchange.response);
    exchange.respond_with(std::move(reply.stream), StreamFormat::kBytes);
  }
};

}  // namespace

std::unique_ptr<Handler> make_mount_handler(const RouteContext& /*context*/) {
  return std::make_unique<MountHandler>();
}

}  // namespace maas
