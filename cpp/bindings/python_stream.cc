// SPDX-License-Identifier: Apache-2.0
#include "python_stream.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "failure.h"
#include <pybind11/stl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "maas/exec/wake.h"

namespace maas {
namespace {

namespace py = pybind11;

// The writing end of one row's stream.
struct StreamWriter {
  std::shared_ptr<ItemStream> items;
};

// The reading end of what one row's client sends.
struct StreamReader {
  std::shared_ptr<ItemStream> items;
  std::shared_ptr<StreamListener> listener;  // the stream keeps it weakly
};

class LoopListener final : public StreamListener {
 public:
  LoopListener(std::shared_ptr<LoopEvents> events, std::uint64_t number) noexcept
      : events_(std::move(events)), number_(number) {}
  void moved() noexcept override { events_->add(number_); }

 private:
  const std::shared_ptr<LoopEvents> events_;
  const std::uint64_t number_;
};

std::string_view view_of(const py::bytes& item) {
  return {PyBytes_AS_STRING(item.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(item.ptr()))};
}

// The reader is woken at once: the batch around it, which keeps wake-ups back, may go on for long.
int offer(const StreamWriter& self, const py::bytes& item) {
  const WakeScope wakes;
  return static_cast<int>(self.items->write(view_of(item)));
}

void end(const StreamWriter& self, const std::optional<py::tuple>& failure) {
  const WakeScope wakes;
  self.items->end(failure ? std::optional(read_failure(*failure)) : std::nullopt);
}

py::list writers_of(const BatchStreams& self) {
  py::list writers;
  for (const auto& items : self.rows()) {
    writers.append(StreamWriter{items});
  }
  return writers;
}

py::list readers_of(const BatchStreams& self) {
  py::list readers;
  for (const auto& items : self.inbound()) {
    readers.append(items ? py::cast(StreamReader{items, nullptr}) : py::none());
  }
  return readers;
}

// The bytes that have come and whether they were the last; None when nothing has.
py::object take(const StreamReader& self) {
  const WakeScope wakes;
  ItemStream::Burst burst;
  if (!self.items->take(burst)) {
    return py::none();
  }
  return py::make_tuple(py::bytes(burst.bytes), burst.over);
}

}  // namespace

std::shared_ptr<StreamListener> listen_on(std::shared_ptr<LoopEvents> events,
                                          std::uint64_t number) {
  return std::make_shared<LoopListener>(std::move(events), number);
}

LoopEvents::LoopEvents() : file_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!file_.is_open()) {
    throw Error(ErrorCode::kUnavailable, "no file is left for an eventfd; raise `ulimit -n`");
  }
}

void LoopEvents::add(std::uint64_t number) noexcept {
  const bool first = numbers_.with([&](auto& numbers) {
    numbers.push_back(number);
    return numbers.size() == 1;
  });
  if (first) {
    const std::uint64_t one = 1;
    (void)!::write(file_.get(), &one, sizeof one);
  }
}

std::vector<std::uint64_t> LoopEvents::take() noexcept {
  std::uint64_t count = 0;
  (void)!::read(file_.get(), &count, sizeof count);
  return numbers_.with([](auto& numbers) { return std::exchange(numbers, {}); });
}

namespace {

// A client that leaves closes its stream, also while nobody reads it yet.
void close_with(const Cancellation& cancellation, const std::weak_ptr<ItemStream>& items) {
  cancellation.on_cancel([items] {
    if (const auto stream = items.lock()) {
      stream->close();
    }
  });
}

}  // namespace

BatchStreams::BatchStreams(const Batch& batch, std::shared_ptr<Clock> clock, BatchDone done)
    : caller_{batch.items, std::move(clock)}, done_(std::move(done)) {
  for (BatchItem& item : caller_.items) {
    item.deadline = Deadline::never();  // a stream that has begun may go on beyond it
    const auto& items = rows_.emplace_back(std::make_shared<ItemStream>());
    inbound_.push_back(item.inbound);
    close_with(*item.cancellation, items);
  }
}

void BatchStreams::begin(const py::object& failures, const py::object& heads) {
  if (!done_) {
    throw Error(ErrorCode::kInvalidArgument, "this batch has ended already");
  }
  const auto list = py::cast<py::list>(failures);
  if (list.size() != rows_.size()) {
    throw Error(ErrorCode::kInvalidArgument, "one failure or None is needed for each row");
  }
  BatchResult result;
  result.streams = rows_;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (!list[row].is_none()) {
      result.row_errors.resize(rows_.size());
      result.row_errors[row] = read_failure(py::cast<py::tuple>(list[row]));
    }
  }
  if (!heads.is_none()) {
    result.outputs.push_back(Tensor::from_strings(py::cast<std::vector<std::string>>(heads),
                                                  Shape{static_cast<std::int64_t>(rows_.size())}));
  }
  const WakeScope wakes;
  done_(std::move(result));
}

void BatchStreams::end() noexcept {
  const WakeScope wakes;
  for (const auto& items : rows_) {
    items->end(Error(ErrorCode::kInternal, "the handler was dropped before its stream ended"));
  }
  done_ = {};
}

void bind_python_stream(const py::module_& module) {
  py::class_<LoopEvents, std::shared_ptr<LoopEvents>>(module, "LoopEvents", py::is_final())
      .def(py::init<>())
      .def("fileno", &LoopEvents::fileno)
      .def("take", &LoopEvents::take);
  py::class_<StreamWriter>(module, "StreamWriter", py::is_final())
      .def("offer", &offer, py::arg("item"))
      .def(
          "wait", [](const StreamWriter& self) { return self.items->wait_for_room(); },
          py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("full", [](const StreamWriter& self) { return self.items->full(); })
      .def("end", &end, py::arg("failure") = py::none())
      .def_property_readonly("closed",
                             [](const StreamWriter& self) { return self.items->closed(); })
      .def(
          "watch",
          [](const StreamWriter& self, std::shared_ptr<LoopEvents> events, std::uint64_t number) {
            self.items->watch_writer(listen_on(std::move(events), number));
          },
          py::arg("events"), py::arg("number"));
  py::class_<StreamReader>(module, "StreamReader", py::is_final())
      .def("take", &take)
      .def(
          "watch",
          [](StreamReader& self, std::shared_ptr<LoopEvents> events, std::uint64_t number) {
            self.listener = listen_on(std::move(events), number);
            self.items->watch_reader(self.listener);
          },
          py::arg("events"), py::arg("number"));
  py::class_<BatchStreams>(module, "BatchStreams", py::is_final())
      .def("writers", &writers_of)
      .def("readers", &readers_of)
      .def("begin", &BatchStreams::begin, py::arg("failures"), py::arg("heads") = py::none())
      .def("end", &BatchStreams::end)
      .def_property_readonly("caller", &BatchStreams::caller);
}

}  // namespace maas
