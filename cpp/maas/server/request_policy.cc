// SPDX-License-Identifier: Apache-2.0
#include "maas/server/request_policy.h"

#include <algorithm>

#include "maas/base/error.h"
#include "maas/server/authority.h"
#include "maas/server/names.h"

namespace maas {
namespace {

constexpr std::string_view kExposed =
    "Access-Control-Expose-Headers: X-Request-Id, X-Model-Version, Retry-After, "
    "Inference-Header-Content-Length\r\n";
constexpr std::string_view kPreflight =
    "Access-Control-Allow-Headers: Accept, Authorization, Content-Encoding, Content-Type, "
    "Inference-Header-Content-Length, X-Request-Id, X-Request-Priority, X-Request-Timeout-Ms, "
    "traceparent, tracestate\r\nAccess-Control-Max-Age: 600\r\n";

bool is_loopback(std::string_view host) noexcept {
  return host == "::1" || host == "localhost" || host.starts_with("127.");
}

// As it stands in a URL.
std::string in_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// `listed` is a name, or "*.name" for all below it.
bool covers(std::string_view listed, std::string_view host) noexcept {
  if (!listed.starts_with("*.")) {
    return same_token(listed, host);
  }
  const std::string_view below = listed.substr(1);
  return host.size() > below.size() && same_token(host.substr(host.size() - below.size()), below);
}

// Requests that change nothing, which any page may cause anyway. A WebSocket is opened by GET.
bool is_harmless(const HttpRequest& http) noexcept {
  return (http.method == Method::kGet && !same_token(http.header("Upgrade"), "websocket")) ||
         http.method == Method::kHead || http.method == Method::kOptions;
}

// "https://host:port" without the scheme.
std::string_view host_of(std::string_view origin) noexcept {
  const std::size_t at = origin.find("://");
  return at == std::string_view::npos ? std::string_view() : origin.substr(at + 3);
}

}  // namespace

RequestPolicy::RequestPolicy(const ServerOptions& options, const std::atomic<int>& port)
    : hosts_(options.allowed_hosts), port_(port) {
  if (hosts_.empty() && is_loopback(options.host)) {
    hosts_ = {"localhost", "127.0.0.1", "[::1]", in_brackets(options.host)};
    own_port_ = true;
  }
  if (std::find(hosts_.begin(), hosts_.end(), "*") != hosts_.end()) {
    hosts_.clear();
  }
  for (const std::string& name : options.cors_origins) {
    std::string& fields =
        origins_.emplace_back(Origin{name, "Access-Control-Allow-Origin: "}).fields;
    fields += name;
    fields += name == "*" ? "\r\n" : "\r\nVary: Origin\r\n";
    fields += kExposed;
  }
  unlisted_ = origins_.empty() ? "" : "Vary: Origin\r\n";
}

void RequestPolicy::check(const HttpRequest& http) const {
  if (!http.authority.data()) {
    // A call without a socket, or HTTP/1.0 without a host: no browser sends it.
  } else if (!is_own_host(http.authority)) {
    throw Error(ErrorCode::kInvalidArgument,
                "this server does not answer for the host " + in_quotes(http.authority) +
                    "; the setting allowed_hosts lists those that it answers for")
        .with_http_status(421);
  }
  if (!is_harmless(http)) {
    check_origin(http);
  }
}

bool RequestPolicy::is_own_host(std::string_view authority) const noexcept {
  if (hosts_.empty()) {
    return true;
  }
  const auto wanted = parse_authority(authority);
  return wanted && std::any_of(hosts_.begin(), hosts_.end(), [&](const std::string& listed) {
           const auto own = parse_authority(listed);
           const std::string_view name = own ? own->host : std::string_view(listed);
           const int own_port = own && own->port ? *own->port : own_port_ ? port_.load() : 0;
           return covers(name, wanted->host) &&
                  (own_port == 0 || !wanted->port || *wanted->port == own_port);
         });
}

const RequestPolicy::Origin* RequestPolicy::find_origin(std::string_view name) const noexcept {
  const auto found = std::find_if(origins_.begin(), origins_.end(), [&](const Origin& origin) {
    return origin.name == "*" || same_token(origin.name, name);
  });
  return found == origins_.end() || name.empty() ? nullptr : &*found;
}

void RequestPolicy::check_origin(const HttpRequest& http) const {
  std::string_view origin;
  std::string_view site;
  for (const Header& header : http.headers) {
    if (same_token(header.name, "Origin")) {
      origin = header.value.empty() ? std::string_view("null") : header.value;
    } else if (same_token(header.name, "Sec-Fetch-Site")) {
      site = header.value;
    }
  }
  if (find_origin(origin) != nullptr) {
    return;
  }
  // The scheme may differ: a proxy in front ends TLS.
  const bool own_page =
      origin.empty() || (!host_of(origin).empty() && same_token(host_of(origin), http.authority));
  const bool own_site = site.empty() || same_token(site, "same-origin") || same_token(site, "none");
  if (!own_page || !own_site) {
    throw Error(ErrorCode::kForbidden,
                "a page of another origin may not do this; the setting cors_origins lists those "
                "that may");
  }
}

std::string_view RequestPolicy::cors_fields(const HttpRequest& http) const noexcept {
  if (origins_.empty()) {
    return {};
  }
  const Origin* origin = find_origin(http.header("Origin"));
  return origin != nullptr ? std::string_view(origin->fields) : std::string_view(unlisted_);
}

std::string RequestPolicy::preflight_fields(const HttpRequest& http,
                                            std::string_view methods) const {
  if (http.method != Method::kOptions || http.header("Access-Control-Request-Method").empty() ||
      find_origin(http.header("Origin")) == nullptr) {
    return {};
  }
  return "Access-Control-Allow-Methods: " + std::string(methods) + "\r\n" + std::string(kPreflight);
}

}  // namespace maas
