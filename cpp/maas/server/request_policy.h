// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maas/server/http.h"
#include "maas/server/server.h"

namespace maas {

// Who may speak to the server through a browser: for which names it answers, and which pages may
// make it do something. A page that has a name of its own point to this machine, or that sends a
// form to it, is refused. Constant; any thread may ask it.
class RequestPolicy {
 public:
  // `port` is the server's once it listens, 0 before.
  RequestPolicy(const ServerOptions& options, const std::atomic<int>& port);

  // Throws an Error with status 421 for a host that is none of the server's, and forbidden for what
  // a page of another origin would have done.
  void check(const HttpRequest& http) const;
  // The fields that let the page read the answer, complete lines; empty where none are configured.
  // Valid as long as the policy.
  [[nodiscard]] std::string_view cors_fields(const HttpRequest& http) const noexcept;
  // What a preflight is answered with besides, complete lines; nothing when `http` is none, or its
  // origin is not listed.
  [[nodiscard]] std::string preflight_fields(const HttpRequest& http,
                                             std::string_view methods) const;

 private:
  struct Origin {
    std::string name;
    std::string fields;
  };

  [[nodiscard]] bool is_own_host(std::string_view authority) const noexcept;
  [[nodiscard]] const Origin* find_origin(std::string_view name) const noexcept;
  void check_origin(const HttpRequest& http) const;

  std::vector<std::string> hosts_;  // empty: any
  bool own_port_ = false;           // of the hosts, where they name none: the server's alone
  const std::atomic<int>& port_;
  std::vector<Origin> origins_;
  std::string unlisted_;  // the fields for a page of an origin that is not listed
};

}  // namespace maas
