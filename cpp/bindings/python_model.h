// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gil.h"

#include "maas/base/clock.h"
#include "maas/base/log.h"
#include "maas/runtime/model.h"
#include "maas/server/catalog.h"

namespace maas {

// A Python callable as a Model. Its inputs are an endpoint's fields (tensors, or JSON texts as
// BYTES) and its outputs the bytes of the answer with their content type. The callable gets one
// column per field and the request ids (or a RequestInfo of each), and gives one answer per row;
// see _core.pyi. It takes the GIL while it runs and never otherwise.
class PythonModel final : public Model {
 public:
  struct Options {
    std::vector<FieldSpec> fields;
    bool asynchronous = false;  // answers later, through a Done, from its own event loop
    bool contexts = false;      // gets RequestInfos in place of ids
    bool streaming = false;     // answers with streams, through BatchStreams
    bool heads = false;         // its streams have heads
    std::shared_ptr<Clock> clock;
    LogSink log;
  };
  PythonModel(PyHandle function, Options options);
  // Of a callable with these fields, wherever it runs; streams are no outputs.
  static Signature signature_of(const std::vector<FieldSpec>& fields, bool streaming = false);

  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "python"; }
  void run(Batch batch, const ExecutorContext& context, BatchDone done) override;
  // A callable has no zeros to be warmed up with: its first request is its first call.
  void warm_up(std::int64_t rows, const ExecutorContext& context) override;

 private:
  const PyHandle function_;
  const Options options_;
  Signature signature_;
};

void bind_python_model(const pybind11::module_& module);

}  // namespace maas
