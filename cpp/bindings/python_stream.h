// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "caller.h"
#include <pybind11/pybind11.h>

#include "maas/base/file_descriptor.h"
#include "maas/base/guarded.h"
#include "maas/runtime/item_stream.h"
#include "maas/runtime/model.h"

namespace maas {

// How a thread without the GIL tells an event loop of Python something: a file that becomes
// readable, and the numbers of those whom it concerns. Any thread adds, the loop's takes.
class LoopEvents {
 public:
  LoopEvents();
  [[nodiscard]] int fileno() const noexcept { return file_.get(); }
  void add(std::uint64_t number) noexcept;
  std::vector<std::uint64_t> take() noexcept;

 private:
  FileDescriptor file_;
  Guarded<std::vector<std::uint64_t>> numbers_;
};

// Adds this number whenever it is told that something moved.
std::shared_ptr<StreamListener> listen_on(std::shared_ptr<LoopEvents> events, std::uint64_t number);

// What a callable that streams holds of one batch: the writing ends of its rows' streams, and the
// batch itself, which runs until end().
class BatchStreams {
 public:
  BatchStreams(const Batch& batch, std::shared_ptr<Clock> clock, BatchDone done);
  ~BatchStreams() { end(); }
  BatchStreams(const BatchStreams&) = delete;
  BatchStreams& operator=(const BatchStreams&) = delete;

  [[nodiscard]] const std::vector<std::shared_ptr<ItemStream>>& rows() const noexcept {
    return rows_;
  }
  // What each row's client sends meanwhile; null for nothing.
  [[nodiscard]] const std::vector<std::shared_ptr<ItemStream>>& inbound() const noexcept {
    return inbound_;
  }
  // Answers the batch: a failure for a row without a stream, None for the others. Items may have
  // been written by then. `heads` are the rows' outputs, of a model that has one.
  void begin(const pybind11::object& failures, const pybind11::object& heads);
  // Nothing more is written; a stream that has not ended fails.
  void end() noexcept;
  [[nodiscard]] const CallerHandle& caller() const noexcept { return caller_; }

 private:
  CallerHandle caller_;
  std::vector<std::shared_ptr<ItemStream>> rows_;
  std::vector<std::shared_ptr<ItemStream>> inbound_;
  BatchDone done_;
};

void bind_python_stream(const pybind11::module_& module);

}  // namespace maas
