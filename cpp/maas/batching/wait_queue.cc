// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/wait_queue.h"

#include <algorithm>
#include <utility>

namespace maas {
namespace {

constexpr std::size_t kKeptParts = 16;  // empty ones, for the next job of their key

// A job whose deadline comes before the window has ended, or with it, would wait in vain: at its
// deadline it is late.
bool misses(const Job& job, TimePoint window_end) noexcept {
  const Deadline deadline = job.request.deadline;
  return !deadline.is_never() && deadline.expired(window_end);
}

bool before(const Job::Place& a, const Job::Place& b) noexcept {
  return a.rank != b.rank ? a.rank < b.rank : a.sequence < b.sequence;
}

// The first job from `index` on that is wanted; past the last when none is.
template <typename Predicate>
std::size_t find_from(const std::deque<std::shared_ptr<Job>>& jobs,
                      std::size_t index,
                      Predicate& is_wanted) {
  while (index < jobs.size() && !is_wanted(*jobs[index])) {
    ++index;
  }
  return index;
}

// Sums what `weigh` says of the jobs up to this rank.
template <typename Weigh>
double sum_until(const std::deque<std::shared_ptr<Job>>& jobs,
                 TimePoint rank,
                 const Weigh& weigh) noexcept {
  std::int64_t sum = 0;
  for (const auto& job : jobs) {
    sum += job->place.rank <= rank ? weigh(*job) : 0;
  }
  return static_cast<double>(sum);
}

}  // namespace

TimePoint rank_of(TimePoint submitted, int priority) noexcept {
  const int steps = std::clamp(priority, kHighestPriority, kLowestPriority) - kHighestPriority;
  return submitted + steps * kPriorityAgeing;
}

bool WaitQueue::push(std::shared_ptr<Job> job) {
  Job::Place& place = job->place;
  const Request& request = job->request;
  place.rank = rank_of(place.submitted, request.priority);
  place.sequence = next_sequence_++;
  place.key = key_.hash(request.inputs);
  Part& part = part_of(*job);
  // The first, or one that came before those that wait and was slower to get here.
  const bool opens = part.jobs.empty() || place.submitted < part.opened;
  if (opens) {
    part.opened = place.submitted;
  }
  part.rows += request.rows;
  rows_ += request.rows;
  tokens_ += request.rows * place.length;
  ++size_;
  first_deadline_ = std::min(first_deadline_, request.deadline.at());
  auto at = part.jobs.end();
  while (at != part.jobs.begin() && before(place, (*std::prev(at))->place)) {
    --at;  // from the back: nearly all go there
  }
  const bool late = misses(*job, Deadline::from(part.opened, options_.batch_timeout).at());
  part.jobs.insert(at, std::move(job));
  return opens || late || options_.batch_timeout == Duration::zero() || is_full(part);
}

WaitQueue::Part& WaitQueue::part_of(const Job& job) {
  Part* spare = nullptr;
  for (Part& part : parts_) {
    if (part.key == job.place.key &&
        (part.jobs.empty() || key_.same(part.jobs.front()->request.inputs, job.request.inputs))) {
      return part;
    }
    if (part.jobs.empty()) {
      spare = &part;
    }
  }
  if (spare == nullptr || parts_.size() < kKeptParts) {
    spare = &parts_.emplace_back();
  }
  spare->key = job.place.key;
  return *spare;
}

std::shared_ptr<Job> WaitQueue::take(Part& part, std::size_t index) {
  const auto at = part.jobs.begin() + static_cast<std::ptrdiff_t>(index);
  std::shared_ptr<Job> job = std::move(*at);
  part.jobs.erase(at);
  part.rows -= job->request.rows;
  rows_ -= job->request.rows;
  tokens_ -= job->request.rows * job->place.length;
  --size_;
  return job;
}

void WaitQueue::reopen(Part& part) const {
  if (options_.batch_timeout == Duration::zero()) {
    return;  // nobody asks
  }
  part.opened = TimePoint::max();
  for (const auto& job : part.jobs) {
    part.opened = std::min(part.opened, job->place.submitted);
  }
}

std::shared_ptr<Job> WaitQueue::remove(const Job& job) {
  for (Part& part : parts_) {
    if (part.key != job.place.key) {
      continue;
    }
    const auto at = std::lower_bound(
        part.jobs.begin(), part.jobs.end(), job.place,
        [](const auto& waiting, const Job::Place& place) { return before(waiting->place, place); });
    if (at != part.jobs.end() && at->get() == &job) {
      auto taken = take(part, static_cast<std::size_t>(at - part.jobs.begin()));
      reopen(part);
      return taken;
    }
  }
  return nullptr;
}

template <typename Predicate>
Jobs WaitQueue::take_if(Predicate&& predicate) {
  Jobs taken;
  for (Part& part : parts_) {
    const std::size_t before = taken.size();
    std::size_t at = find_from(part.jobs, 0, predicate);
    while (at < part.jobs.size()) {
      taken.push_back(take(part, at));
      at = find_from(part.jobs, at, predicate);
    }
    if (taken.size() > before) {
      reopen(part);
    }
  }
  return taken;
}

Jobs WaitQueue::take_gone(TimePoint now) {
  if (now < first_deadline_) {
    return {};
  }
  TimePoint first = TimePoint::max();
  Jobs gone = take_if([&](const Job& job) {
    if (job.cancelled() || job.request.deadline.expired(now)) {
      return true;
    }
    first = std::min(first, job.request.deadline.at());
    return false;
  });
  first_deadline_ = first;
  return gone;
}

Jobs WaitQueue::take_parts(const Job& whole) {
  // Parts, and nothing else, share the whole's cancellation.
  const auto cancellation = whole.cancellation();
  return take_if([&](const Job& job) { return job.cancellation() == cancellation; });
}

Jobs WaitQueue::take_all() {
  return take_if([](const Job&) { return true; });
}

BatchLimits WaitQueue::limits() const noexcept {
  return {options_.max_batch_size, options_.max_batch_tokens, !options_.pad.empty()};
}

bool WaitQueue::is_full(const Part& part) const noexcept {
  if (part.rows >= options_.max_batch_size) {
    return true;
  }
  if (options_.max_batch_tokens == 0) {
    return false;
  }
  std::int64_t length = 0;
  for (const auto& job : part.jobs) {
    length = std::max(length, job->place.length);
  }
  return part.rows * length >= options_.max_batch_tokens;
}

// To hold a request beyond its deadline would be to refuse it for nothing: the window ends before.
TimePoint WaitQueue::window_end(const Part& part) const {
  const TimePoint end = Deadline::from(part.opened, options_.batch_timeout).at();
  const bool any = std::any_of(part.jobs.begin(), part.jobs.end(),
                               [&](const auto& job) { return misses(*job, end); });
  return any ? TimePoint::min() : end;
}

WaitQueue::Choice WaitQueue::choose(TimePoint now, bool hurry) const {
  Choice choice;
  const Job* first = nullptr;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (part.jobs.empty()) {
      continue;
    }
    const bool holds = options_.batch_timeout > Duration::zero() && !hurry && !is_full(part);
    const TimePoint end = holds ? window_end(part) : TimePoint::min();
    if (end > now) {
      choice.next = std::min(choice.next, end);
      choice.held = true;
    } else if (first == nullptr || before(part.jobs.front()->place, first->place)) {
      first = part.jobs.front().get();
      choice.due = true;
      choice.part = i;
    }
  }
  return choice;
}

Jobs WaitQueue::take_batch(const Choice& choice, const CostModel& costs) {
  Part& part = parts_[choice.part];
  const std::vector<std::size_t> chosen = plan_batch(part.jobs, limits(), costs);
  Jobs batch;
  batch.reserve(chosen.size());
  std::size_t taken = 0;  // what was taken moves the others up
  for (const std::size_t index : chosen) {
    batch.push_back(take(part, index - taken++));
  }
  reopen(part);
  return batch;
}

WaitQueue::Work WaitQueue::work_before(TimePoint rank) const {
  const bool padded = !options_.pad.empty();
  Work work;
  double rows = 0;
  double jobs = 0;
  for (const Part& part : parts_) {
    if (part.jobs.empty() || rank < part.jobs.front()->place.rank) {
      continue;
    }
    if (rank >= part.jobs.back()->place.rank) {
      rows += static_cast<double>(part.rows);
      jobs += static_cast<double>(part.jobs.size());
      continue;
    }
    rows += sum_until(part.jobs, rank, [](const Job& job) { return job.request.rows; });
    jobs += sum_until(part.jobs, rank, [](const Job&) { return std::int64_t{1}; });
  }
  work.calls = options_.whole_requests ? jobs : rows / static_cast<double>(options_.max_batch_size);
  work.units =
      padded && rows_ > 0 ? rows * static_cast<double>(tokens_) / static_cast<double>(rows_) : rows;
  return work;
}

}  // namespace maas
