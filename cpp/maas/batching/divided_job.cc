// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/divided_job.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

#include "maas/base/error.h"

namespace maas {
namespace {

using Rejoined = UniqueFunction<void(Job&, Result<Reply>)>;

// The whole, while its parts are on their way. Shared by them.
class Whole {
 public:
  Whole(std::shared_ptr<Job> job, std::size_t parts, Rejoined rejoined)
      : job_(std::move(job)), answers_(parts), missing_(parts), rejoined_(std::move(rejoined)) {}

  [[nodiscard]] const Job& job() const noexcept { return *job_; }

  // From any thread, once per part.
  void take(std::size_t part, Result<Reply> answer) noexcept {
    answers_[part].emplace(std::move(answer));
    if (missing_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      rejoined_(*job_, rejoin());
    }
  }

 private:
  Result<Reply> rejoin() noexcept {
    for (const auto& answer : answers_) {
      if (!*answer) {
        return answer->error();
      }
    }
    try {
      return joined();
    } catch (...) {
      return current_error();
    }
  }

  Reply joined() {
    Reply reply = std::move(**answers_.front());
    for (std::size_t i = 0; i < reply.outputs.size(); ++i) {
      std::vector<Tensor> parts;
      parts.push_back(std::move(reply.outputs[i]));
      for (std::size_t part = 1; part < answers_.size(); ++part) {
        parts.push_back(std::move((**answers_[part]).outputs[i]));
      }
      reply.outputs[i] = concat_rows(parts);
    }
    for (const auto& answer : answers_) {
      const Timings& part = (**answer).timings;
      reply.timings.queue = std::max(reply.timings.queue, part.queue);
      reply.timings.input = std::max(reply.timings.input, part.input);
      reply.timings.compute = std::max(reply.timings.compute, part.compute);
      reply.timings.output = std::max(reply.timings.output, part.output);
      reply.timings.batch_rows = std::max(reply.timings.batch_rows, part.batch_rows);
    }
    return reply;
  }

  const std::shared_ptr<Job> job_;
  std::vector<std::optional<Result<Reply>>> answers_;  // each written by one thread
  std::atomic<std::size_t> missing_;
  Rejoined rejoined_;
};

class Part final : public Job {
 public:
  Part(std::shared_ptr<Whole> whole, std::size_t index)
      : Job(cancellation_of(whole->job())), whole_(std::move(whole)), index_(index) {}

  void complete(Result<Reply> result) noexcept override { whole_->take(index_, std::move(result)); }

 private:
  const std::shared_ptr<Whole> whole_;
  const std::size_t index_;
};

// The rows of the inputs that have rows; the others are the part's as they are.
void take_rows(Request& part,
               const Request& whole,
               std::int64_t first,
               const Signature& signature) {
  for (std::size_t i = 0; i < whole.inputs.size(); ++i) {
    if (!whole.inputs[i].is_absent() && signature.has_rows(signature.inputs[i])) {
      part.inputs[i] = whole.inputs[i].rows(first, part.rows);
    }
  }
}

}  // namespace

std::vector<std::shared_ptr<Job>> divide(const std::shared_ptr<Job>& whole,
                                         const Signature& signature,
                                         std::int64_t rows_each,
                                         Rejoined rejoined) {
  const Request& request = whole->request;
  const Job::Place place = whole->place;
  const auto count = static_cast<std::size_t>((request.rows + rows_each - 1) / rows_each);
  const auto shared = std::make_shared<Whole>(whole, count, std::move(rejoined));
  std::vector<std::shared_ptr<Job>> parts;
  parts.reserve(count);
  for (std::size_t index = 0; index < count; ++index) {
    auto part = std::make_shared<Part>(shared, index);
    const std::int64_t first = static_cast<std::int64_t>(index) * rows_each;
    part->request = {request.id,       request.deadline,
                     request.priority, std::min(rows_each, request.rows - first),
                     request.inputs,   request.origin};
    take_rows(part->request, request, first, signature);
    part->place = place;
    part->place.bytes = 0;  // the whole has taken them
    part->place.is_part = true;
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace maas
