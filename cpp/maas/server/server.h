// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "maas/base/clock.h"
#include "maas/batching/engine.h"
#include "maas/server/catalog.h"
#include "maas/server/content_coding.h"
#include "maas/server/http_limits.h"

namespace maas {

class PendingCall;

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8000;  // 0 lets the system choose
  HttpLimits limits{};
  Duration request_timeout = std::chrono::seconds(30);  // of requests under /v2/models
  CompressionPolicy compression{};                      // of answers under /v2/models
  std::vector<std::string> allowed_hosts{};  // empty: loopback's when bound to it, else any
  std::vector<std::string> cors_origins{};   // "https://host[:port]" or "*"
  std::string access_log{};                  // a file, "-" for standard error, empty for none
  bool access_log_json = false;
  bool make_traces = false;  // for requests that belong to none
  std::string docs_page{};   // HTML served at /docs
  std::string title = "maas";
  std::string version{};
};

// The HTTP server over an engine: the root object that everything else hangs from. Its methods may
// be called from any thread. The engine must outlive it.
class Server {
 public:
  Server(Engine& engine, ServerOptions options);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Replaces what is served; requests under way keep what they came under, which is what it
  // returns: it has expired when none of them is left. Throws already_exists when two endpoints or
  // models share a path or name, or a path is the server's own.
  std::weak_ptr<const void> publish(Catalog catalog);
  // Not ready, for this reason, until it is told an empty one.
  void set_unready(std::string reason);
  // Binds and begins to accept. Throws unavailable that names address and reason.
  void start();
  [[nodiscard]] int port() const;
  // Readiness off, no new connections; waits until every request is answered. At the timeout it
  // answers the rest with 503 and returns false.
  bool drain(Duration timeout);
  // Closes all connections and joins the I/O threads; waits for no model. Safe to call twice.
  void stop();

  struct Call {
    std::string method;
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
  };
  struct Answer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
  };
  // One request through the real router and batchers, without a socket: it is in its queue when
  // this returns. The server must outlive what it returns.
  std::shared_ptr<PendingCall> begin(Call call);
  // The same, to its answer. Blocks.
  Answer handle(Call call);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace maas
