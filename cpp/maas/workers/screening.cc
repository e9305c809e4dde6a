// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/screening.h"

#include <chrono>
#include <string>

namespace maas {
namespace {

// Different models of a pool may take the same inputs.
Digest name_of(const WorkerTask& task, std::size_t item) {
  Digest digest = digest_of(task.batch, item, *task.signature);
  digest[0] ^= task.model;
  return digest;
}

Error refused(const Suspects::Record& culprit, TimePoint now) {
  const auto left =
      std::chrono::ceil<std::chrono::minutes>(Suspects::kMemory - (now - culprit.latest)).count();
  return Error(ErrorCode::kUnprocessable, "a request like this one ended its worker process " +
                                              std::to_string(culprit.alone) +
                                              " times; it is refused for " + std::to_string(left) +
                                              (left == 1 ? " minute" : " minutes"))
      .as_final();
}

}  // namespace

std::optional<Suspects::Record> Screening::find(const WorkerTask& task,
                                                std::size_t item,
                                                TimePoint now) {
  const Digest digest = name_of(task, item);
  return suspects_.with([&](Suspects& suspects) { return suspects.find(digest, now); });
}

std::optional<Error> Screening::refusal(WorkerTask& task, TimePoint now) {
  if (!any_.load(std::memory_order_relaxed)) {
    return std::nullopt;
  }
  std::optional<Suspects::Record> culprit;
  int newcomers =
      0;  // suspects that are not of a batch that failed: the batcher divides that itself
  for (std::size_t i = 0; i < task.batch.items.size(); ++i) {
    if (const auto record = find(task, i, now)) {
      task.exclusive = true;
      newcomers += record->last.text() == task.batch.items[i].id.text() ? 0 : 1;
      culprit = record->is_culprit() ? record : culprit;
    }
  }
  // The batcher finds one of them for certain, and several at the price of their neighbours.
  if (task.batch.items.size() > 1 && task.divides && (culprit || newcomers == 1)) {
    return Error(ErrorCode::kInternal, "a request of this batch may have ended a worker process")
        .with_http_status(503)
        .as_shared();
  }
  return culprit ? std::optional(refused(*culprit, now)) : std::nullopt;
}

void Screening::suspect(const WorkerTask& task, std::size_t item, bool alone, TimePoint now) {
  const Digest digest = name_of(task, item);
  const RequestId& id = task.batch.items[item].id;
  suspects_.with([&](Suspects& suspects) { suspects.died(digest, id, alone, now); });
  any_ = true;
}

bool Screening::died(const std::vector<TaskPtr>& tasks, TimePoint now) {
  const bool alone = tasks.size() == 1 && tasks.front()->batch.items.size() == 1;
  bool known = !tasks.empty();
  for (const TaskPtr& task : tasks) {
    for (std::size_t i = 0; i < task->batch.items.size(); ++i) {
      const auto record = find(*task, i, now);
      known = known && record && record->last.text() == task->batch.items[i].id.text();
      suspect(*task, i, alone, now);
    }
  }
  return known;
}

void Screening::answered(const WorkerTask& task) {
  if (!any_.load(std::memory_order_relaxed)) {
    return;
  }
  for (std::size_t i = 0; i < task.batch.items.size(); ++i) {
    const Digest digest = name_of(task, i);
    suspects_.with([&](Suspects& suspects) {
      suspects.answered(digest);
      any_ = !suspects.empty();
    });
  }
}

bool Screening::is_culprit(const WorkerTask& task, TimePoint now) {
  for (std::size_t i = 0; i < task.batch.items.size(); ++i) {
    const auto record = find(task, i, now);
    if (record && record->is_culprit()) {
      return true;
    }
  }
  return false;
}

}  // namespace maas
