// SPDX-License-Identifier: Apache-2.0
#include "python_model.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "caller.h"
#include "failure.h"
#include "python_stream.h"
#include <pybind11/stl.h>

#include "maas/server/field_part.h"

namespace maas {

RunningItems& RunningItems::current() noexcept {
  thread_local RunningItems running;
  return running;
}

namespace {

namespace py = pybind11;

py::str text_of(std::string_view text) {
  return {text.data(), text.size()};
}

// Of a head, whose bytes need be no UTF-8.
py::str latin1(std::string_view text) {
  return py::reinterpret_steal<py::str>(
      PyUnicode_DecodeLatin1(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr));
}

// The JSON text of a value; or the parts of a form or body: (form, bytes, content type, filename).
py::object value_of(const std::string& value) {
  if (!holds_parts(value)) {
    return py::bytes(value);
  }
  py::list parts;
  for (const FieldPart& part : unpack_parts(value)) {
    const char form = static_cast<char>(part.form);
    parts.append(py::make_tuple(text_of({&form, 1}), py::bytes(part.data.data(), part.data.size()),
                                latin1(part.content_type), text_of(part.filename)));
  }
  return parts;
}

// A tensor for a field that declares one; else the values of its rows.
py::list columns_of(const Batch& batch, const std::vector<FieldSpec>& fields) {
  py::list columns;
  for (std::size_t field = 0; field < fields.size(); ++field) {
    const Tensor& input = batch.inputs[field];
    if (fields[field].dtype) {
      columns.append(py::cast(input));
      continue;
    }
    py::list values(input.elements());
    for (std::size_t i = 0; i < input.elements(); ++i) {
      values[i] = value_of(input.strings()[i]);
    }
    columns.append(std::move(values));
  }
  return columns;
}

// What a handler may ask about one of its requests, also when that has been answered. Any thread
// may call it.
class RequestInfo {
 public:
  // `stream` is the row's, of a callable that streams: from its first item on, the deadline has
  // been met.
  RequestInfo(BatchItem item, std::shared_ptr<Clock> clock, std::shared_ptr<ItemStream> stream)
      : item_(std::move(item)), clock_(std::move(clock)), stream_(std::move(stream)) {}

  [[nodiscard]] py::str id() const { return text_of(item_.id.text()); }
  [[nodiscard]] bool cancelled() const {
    return (item_.cancellation && item_.cancellation->cancelled()) ||
           limit().expired(clock_->now());
  }
  [[nodiscard]] double remaining_s() const {
    if (limit().is_never()) {
      return std::numeric_limits<double>::infinity();
    }
    const std::chrono::duration<double> left = item_.deadline.at() - clock_->now();
    return std::max(left.count(), 0.0);
  }
  // On the engine's clock, which is time.monotonic() unless a test moves it; nothing without one.
  [[nodiscard]] std::optional<double> deadline() const {
    if (limit().is_never()) {
      return std::nullopt;
    }
    return std::chrono::duration<double>(limit().at().time_since_epoch()).count();
  }
  [[nodiscard]] py::str target() const { return text_of(origin().target); }
  [[nodiscard]] std::uint64_t local_call() const { return item_.local_call; }
  [[nodiscard]] py::str identity() const { return text_of(origin().identity); }
  [[nodiscard]] py::list headers() const {
    py::list headers;
    for (const auto& [name, value] : origin().headers) {
      headers.append(py::make_tuple(latin1(name), latin1(value)));
    }
    return headers;
  }

 private:
  [[nodiscard]] Deadline limit() const {
    return stream_ && stream_->begun() ? Deadline::never() : item_.deadline;
  }
  [[nodiscard]] const Origin& origin() const {
    static const Origin kNone;
    return item_.origin ? *item_.origin : kNone;
  }

  BatchItem item_;
  std::shared_ptr<Clock> clock_;
  std::shared_ptr<ItemStream> stream_;
};

using Streams = std::vector<std::shared_ptr<ItemStream>>;

py::list requests_of(const Batch& batch,
                     const PythonModel::Options& options,
                     const Streams& streams = {}) {
  py::list requests;
  for (std::size_t row = 0; row < batch.items.size(); ++row) {
    const BatchItem& item = batch.items[row];
    if (options.contexts || item.local_call != 0) {
      requests.append(RequestInfo(item, options.clock, streams.empty() ? nullptr : streams[row]));
    } else {
      requests.append(text_of(item.id.text()));
    }
  }
  return requests;
}

// The rows of one batch's answer while they are read from Python.
struct Answers {
  explicit Answers(std::size_t rows) : bodies(rows), types(rows), errors(rows) {}

  // bytes | (bytes, content type) | (code, http status, message, detail[, failed with others])
  void read(std::size_t row, const py::handle& answer) {
    if (py::isinstance<py::bytes>(answer)) {
      bodies[row] = py::cast<std::string>(answer);
      return;
    }
    const auto parts = py::cast<py::tuple>(answer);
    if (parts.size() == 2) {
      bodies[row] = py::cast<std::string>(parts[0]);
      types[row] = py::cast<std::string>(parts[1]);
      return;
    }
    errors[row] = read_failure(parts);
    failed = true;
  }

  BatchResult result() && {
    const Shape shape{static_cast<std::int64_t>(bodies.size())};
    BatchResult result;
    result.outputs.push_back(Tensor::from_strings(std::move(bodies), shape));
    result.outputs.push_back(Tensor::from_strings(std::move(types), shape));
    if (failed) {
      result.row_errors = std::move(errors);
    }
    return result;
  }

  std::vector<std::string> bodies;
  std::vector<std::string> types;
  std::vector<std::optional<Error>> errors;
  bool failed = false;
};

Result<BatchResult> read_answers(const py::object& given, std::size_t rows) {
  const auto list = py::cast<py::list>(given);
  if (list.size() != rows) {
    return Error(ErrorCode::kInternal, "the handler gave " + std::to_string(list.size()) +
                                           " answers to " + std::to_string(rows) + " requests")
        .as_final();
  }
  Answers answers(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    answers.read(row, list[row]);
  }
  return std::move(answers).result();
}

// Takes the answers of one asynchronous batch. Dropped without them, it fails the batch: nobody
// waits for ever for a coroutine that was lost.
class Done {
 public:
  Done(BatchDone done, std::size_t rows, CallerHandle caller)
      : done_(std::move(done)), rows_(rows), caller_(std::move(caller)) {}
  ~Done() {
    if (done_) {
      done_(Error(ErrorCode::kInternal, "the handler was dropped before it answered"));
    }
  }
  Done(const Done&) = delete;
  Done& operator=(const Done&) = delete;

  void answer(const py::object& answers) {
    if (!done_) {
      throw Error(ErrorCode::kInvalidArgument, "this batch has been answered already");
    }
    // With the GIL: handing the answers on is quick, and a thread that let the GIL go here could
    // find the interpreter ended by whoever got the answer, which no C++ frame survives.
    std::exchange(done_, {})(read_answers(answers, rows_));
  }
  [[nodiscard]] CallerHandle caller() const { return caller_; }

 private:
  BatchDone done_;
  const std::size_t rows_;
  const CallerHandle caller_;
};

// Calls the handler, with the GIL. Nothing when its answers come later, through `done`.
std::optional<Result<BatchResult>> call(const py::object& function,
                                        const PythonModel::Options& options,
                                        const Batch& batch,
                                        BatchDone& done) {
  const py::gil_scoped_acquire gil;
  const RunningScope running({batch.items, options.clock.get()});
  try {
    const auto rows = static_cast<std::size_t>(batch.rows);
    const py::list columns = columns_of(batch, options.fields);
    if (options.streaming) {
      auto streams = std::make_unique<BatchStreams>(batch, options.clock, std::move(done));
      const CallerHandle caller = streams->caller();
      const RunningScope beyond_deadlines(caller.running());
      const py::list requests = requests_of(batch, options, streams->rows());
      function(columns, requests, std::move(streams));
      return std::nullopt;
    }
    const py::list requests = requests_of(batch, options);
    if (options.asynchronous) {
      function(
          columns, requests,
          std::make_unique<Done>(std::move(done), rows, CallerHandle{batch.items, options.clock}));
      return std::nullopt;
    }
    return read_answers(function(columns, requests), rows);
  } catch (const std::exception& error) {
    if (options.log) {
      options.log({LogLevel::kError, error.what(), std::string(batch.items.front().id.text())});
    }
    throw Error(ErrorCode::kInternal, "internal error");
  }
}

}  // namespace

Signature PythonModel::signature_of(const std::vector<FieldSpec>& fields, bool streaming) {
  Signature signature;
  for (const FieldSpec& field : fields) {
    signature.inputs.push_back(field.dtype ? TensorSpec{field.name, *field.dtype, field.row}
                                           : TensorSpec{field.name, DType::kBytes, Shape{}});
  }
  if (!streaming) {
    signature.outputs = {{"body", DType::kBytes, Shape{}},
                         {"content_type", DType::kBytes, Shape{}}};
  }
  return signature;
}

PythonModel::PythonModel(PyHandle function, Options options)
    : function_(std::move(function)),
      options_(std::move(options)),
      signature_(signature_of(options_.fields, options_.streaming)) {
  if (options_.heads) {
    signature_.outputs = {{"head", DType::kBytes, Shape{}}};
  }
}

void PythonModel::run(Batch batch, const ExecutorContext& /*context*/, BatchDone done) {
  if (interpreter_is_finalizing()) {
    throw Error(ErrorCode::kUnavailable, "the process is going down");
  }
  if (auto result = call(function_.get(), options_, batch, done)) {
    done(std::move(*result));
  }
}

void PythonModel::warm_up(std::int64_t /*rows*/, const ExecutorContext& /*context*/) {}

void bind_python_model(const py::module_& module) {
  static_cast<void>(py::class_<CallerHandle>(module, "Caller", py::is_final()));
  py::class_<RequestInfo>(module, "RequestInfo", py::is_final())
      .def_property_readonly("id", &RequestInfo::id)
      .def_property_readonly("cancelled", &RequestInfo::cancelled)
      .def("remaining_s", &RequestInfo::remaining_s)
      .def_property_readonly("deadline", &RequestInfo::deadline)
      .def_property_readonly("target", &RequestInfo::target)
      .def_property_readonly("headers", &RequestInfo::headers)
      .def_property_readonly("identity", &RequestInfo::identity)
      .def_property_readonly("local_call", &RequestInfo::local_call);
  py::class_<Done>(module, "Done", py::is_final())
      .def("__call__", &Done::answer, py::arg("answers"))
      .def_property_readonly("caller", &Done::caller);
}

}  // namespace maas
