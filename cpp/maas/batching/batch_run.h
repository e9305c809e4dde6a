// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "maas/base/clock.h"
#include "maas/batching/assembler.h"
#include "maas/batching/error_split.h"
#include "maas/batching/job.h"
#include "maas/batching/model_stats.h"
#include "maas/runtime/model.h"

namespace maas {

// One batch on its way through the model: stacked, run, and each job given its rows. Shared by the
// executor that began it and by the model until it has answered, and its streams have ended.
class BatchRun : public std::enable_shared_from_this<BatchRun> {
 public:
  // Whose jobs they are; alive until ended() has returned. All are called from any thread.
  class Owner {
   public:
    virtual void answer(Job& job, Result<Reply> result, TimePoint now) noexcept = 0;
    // Once. With a `failure` the jobs that are left in the run's group have no answer yet; all
    // others are answered.
    virtual void settled(BatchRun& run, const std::optional<Error>& failure) noexcept = 0;
    // Once, and last: the model is done. Behind settled() at once, but for streams.
    virtual void ended(BatchRun& run) noexcept = 0;

   protected:
    ~Owner() = default;
  };
  // What a run needs of its owner; outlives it.
  struct Means {
    Owner& owner;
    Model& model;
    const Assembler& assembler;
    Clock& clock;
    InferenceStats& inference;  // told of each run that succeeds
  };

  BatchRun(const Means& means, ErrorSplit::Group group);
  // A model that lets its `done` go without calling it fails its batch, which would else hang.
  ~BatchRun();
  BatchRun(const BatchRun&) = delete;
  BatchRun& operator=(const BatchRun&) = delete;

  void start(const ExecutorContext& context) noexcept;

  [[nodiscard]] ErrorSplit::Group& group() noexcept { return group_; }
  [[nodiscard]] const ErrorSplit::Group& group() const noexcept { return group_; }
  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  // Of the longest job; 0 without padding.
  [[nodiscard]] std::int64_t length() const noexcept { return length_; }
  // Positions that its jobs fill of rows() times length().
  [[nodiscard]] std::int64_t tokens() const noexcept { return tokens_; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  // Jobs that were answered with a stream, which goes on until the run has ended.
  [[nodiscard]] std::int64_t streams() const noexcept { return streams_; }
  // Of the model.
  [[nodiscard]] Duration compute() const noexcept { return compute_; }
  // Adds what it was to the counters, when it has ended.
  void count_in(ModelStats& stats) const noexcept;

 private:
  void finish(Result<BatchResult> result) noexcept;
  std::optional<Error> deliver(const BatchResult& result, TimePoint now) noexcept;
  std::optional<Error> scatter(const BatchResult& result, TimePoint now);

  const Means means_;
  ErrorSplit::Group group_;
  const TimePoint started_;
  TimePoint computing_;  // when it was stacked
  std::int64_t rows_ = 0;
  std::int64_t length_ = 0;
  std::int64_t tokens_ = 0;
  std::int64_t streams_ = 0;
  bool failed_ = false;
  Jobs suspects_;            // one of them failed the others
  std::size_t settled_ = 0;  // jobs that are answered or suspects, from the first
  Duration compute_{};
  Duration output_{};  // taking the answer apart
  std::atomic<bool> finished_{false};
};

}  // namespace maas
