// SPDX-License-Identifier: Apache-2.0
// Requests through the real router, handlers and batchers, without sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "waiting_inbox.h"

#include "maas/batching/engine.h"
#include "maas/server/catalog_check.h"
#include "maas/server/router.h"

namespace maas::testing {

// Adds one to every element of each float32 input. A row whose first element is 13 fails; an output
// of other dtypes is the input.
class AddOne final : public Model {
 public:
  explicit AddOne(Signature signature) : signature_(std::move(signature)) {}
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "test"; }

  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    BatchResult result;
    for (const Tensor& input : batch.inputs) {
      result.outputs.push_back(input.dtype() == DType::kFloat32 ? add_one(input) : input);
    }
    if (batch.inputs.front().dtype() == DType::kFloat32 && batch.inputs.front().elements() > 0 &&
        batch.inputs.front().values<float>().front() == 13.0F) {
      throw Error(ErrorCode::kInternal, "internal error");
    }
    done(std::move(result));
  }

 private:
  static Tensor add_one(const Tensor& input) {
    Tensor out = Tensor::allocate(DType::kFloat32, input.shape());
    for (std::size_t i = 0; i < input.elements(); ++i) {
      out.mutable_values<float>()[i] = input.values<float>()[i] + 1;
    }
    return out;
  }
  const Signature signature_;
};

// Answers like a Python callable: the texts of its inputs with spaces between as the body, of the
// media type it is made with. The text "fail" is refused as unprocessable, "teapot" with 418.
class Texts final : public Model {
 public:
  Texts(std::size_t inputs, std::string type) : type_(std::move(type)) {
    for (std::size_t i = 0; i < inputs; ++i) {
      signature_.inputs.push_back({"f" + std::to_string(i), DType::kBytes, Shape{}});
    }
    signature_.outputs = {{"body", DType::kBytes, Shape{}}, {"type", DType::kBytes, Shape{}}};
  }
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "python"; }

  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    std::vector<std::string> bodies;
    BatchResult result;
    for (std::size_t row = 0; row < static_cast<std::size_t>(batch.rows); ++row) {
      std::string body;
      for (const Tensor& input : batch.inputs) {
        const std::string& text = input.strings()[row];
        body += (body.empty() || text.empty() ? "" : " ") + text;
      }
      result.row_errors.push_back(error_for(body));
      bodies.push_back(std::move(body));
    }
    result.outputs = {
        Tensor::from_strings(std::move(bodies), Shape{batch.rows}),
        Tensor::from_strings(std::vector<std::string>(static_cast<std::size_t>(batch.rows), type_),
                             Shape{batch.rows})};
    done(std::move(result));
  }

 private:
  static std::optional<Error> error_for(std::string_view text) {
    if (text == R"("fail")") {
      return Error(ErrorCode::kUnprocessable, "no", R"([{"loc":["body","f0"]}])");
    }
    if (text == R"("teapot")") {
      return Error(ErrorCode::kInvalidArgument, "short and stout").with_http_status(418);
    }
    return std::nullopt;
  }
  Signature signature_;
  const std::string type_;
};

inline Signature floats(const Shape& row) {
  return {.inputs = {{"x", DType::kFloat32, row}}, .outputs = {{"y", DType::kFloat32, row}}};
}

inline OutputSpec output(std::string field, std::size_t source = 0, std::vector<OpPtr> ops = {}) {
  OutputSpec spec;
  spec.field = std::move(field);
  spec.source = source;
  spec.ops = std::move(ops);
  return spec;
}

// An engine, a router over it, and a host that runs one exchange at a time to its answer.
class Harness {
 public:
  explicit Harness(ServerOptions wanted = {}) : options(std::move(wanted)) { state.ready = true; }

  std::shared_ptr<ServedModel> serve(const std::string& name,
                                     std::shared_ptr<Model> model,
                                     std::int64_t max_batch_size = 8) {
    return engine.serve({name, 1}, std::move(model), {.max_batch_size = max_batch_size});
  }
  void publish(Catalog catalog) {
    check_catalog(catalog);
    state.published.store(make_published(std::move(catalog)));
  }

  HttpResponse call(Method method,
                    std::string_view path,
                    std::string_view body = {},
                    const std::vector<Header>& headers = {}) {
    Host host;
    const auto inbox = std::make_shared<WaitingInbox>();
    const auto exchange = std::make_shared<Exchange>(host, inbox);
    exchange->http.method = method;
    exchange->http.path = path;
    exchange->http.headers = headers;
    exchange->http.body = body;
    exchange->arrived = engine.clock()->now();
    router.dispatch(*exchange);
    while (!exchange->is_answered()) {
      for (const auto& answered : inbox->wait()) {
        answered->deliver(engine.clock()->now());
      }
    }
    while (exchange.use_count() > 1) {
      std::this_thread::yield();  // the executor that answered lets go of it in a moment
    }
    kept = exchange;  // what the response views
    return exchange->response;
  }
  HttpResponse get(std::string_view path) { return call(Method::kGet, path); }
  HttpResponse post(std::string_view path, std::string_view body) {
    return call(Method::kPost, path, body);
  }

  Engine engine{CoreBudget{}, std::make_shared<SystemClock>(), [](const LogRecord&) {}};
  ServerOptions options;
  ServerState state;
  Router router{RouteContext{options, state}};
  std::shared_ptr<Exchange> kept;

 private:
  class Host final : public ExchangeHost {
   public:
    void watch(Exchange&) noexcept override {}
    void withdrawn(const ServedModel&, Withdrawal) noexcept override {}
    void delivered() noexcept override {}
  };
};

}  // namespace maas::testing
