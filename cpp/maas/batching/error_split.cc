// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/error_split.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace maas {
namespace {

std::int64_t rows_of(const Jobs& jobs) noexcept {
  std::int64_t rows = 0;
  for (const auto& job : jobs) {
    rows += job->request.rows;
  }
  return rows;
}

}  // namespace

class ErrorSplit::Family {
 public:
  std::int64_t credit = 0;      // rows that may still be run again
  int running = 0;              // groups of this level without a result yet
  std::vector<Verdict> failed;  // groups of this level
};

std::vector<ErrorSplit::Verdict> ErrorSplit::failed(Group group, const Error& error) {
  std::shared_ptr<Family> family = std::move(group.family);
  if (family == nullptr) {
    if (group.jobs.size() < 2) {
      return {{std::move(group.jobs), error}};
    }
    family = std::make_shared<Family>();
    family->credit = rows_of(group.jobs);
    family->running = 1;
  }
  family->failed.push_back({std::move(group.jobs), error});
  return --family->running == 0 ? next_level(family) : std::vector<Verdict>();
}

std::vector<ErrorSplit::Verdict> ErrorSplit::succeeded(const std::shared_ptr<Family>& family,
                                                       std::int64_t rows) {
  if (family == nullptr) {
    saved_ = std::min(saved_ + rows, most_saved_);
    return {};
  }
  family->credit += rows;
  return --family->running == 0 ? next_level(family) : std::vector<Verdict>();
}

// All groups of a level have run: those of one job are judged, the others are halved while there is
// credit, and one alone in any case: halves are not even, and what its level gained may not do.
std::vector<ErrorSplit::Verdict> ErrorSplit::next_level(const std::shared_ptr<Family>& family) {
  std::vector<Verdict> verdicts;
  const bool only_one = family->failed.size() == 1;
  for (Verdict& failed : std::exchange(family->failed, {})) {
    if (failed.jobs.size() > 1 && pay(*family, rows_of(failed.jobs), only_one)) {
      halve(family, std::move(failed.jobs));
    } else {
      verdicts.push_back(std::move(failed));
    }
  }
  return verdicts;
}

bool ErrorSplit::pay(Family& family, std::int64_t rows, bool anyway) noexcept {
  const std::int64_t own = std::min(family.credit, rows);
  const std::int64_t more = anyway ? 0 : rows - own;
  if (more > saved_) {
    return false;
  }
  family.credit -= own;
  saved_ -= more;
  return true;
}

void ErrorSplit::halve(const std::shared_ptr<Family>& family, Jobs jobs) {
  const std::int64_t half = rows_of(jobs) / 2;
  std::size_t cut = 1;
  for (std::int64_t rows = jobs.front()->request.rows; cut + 1 < jobs.size() && rows < half;) {
    rows += jobs[cut++]->request.rows;
  }
  const auto middle = std::make_move_iterator(jobs.begin() + static_cast<std::ptrdiff_t>(cut));
  groups_.push_back({Jobs(std::make_move_iterator(jobs.begin()), middle), family});
  groups_.push_back({Jobs(middle, std::make_move_iterator(jobs.end())), family});
  family->running += 2;
}

ErrorSplit::Group ErrorSplit::take_group() {
  Group group = std::move(groups_.front());
  groups_.pop_front();
  return group;
}

Jobs ErrorSplit::take_all() {
  Jobs all;
  for (Group& group : groups_) {
    std::move(group.jobs.begin(), group.jobs.end(), std::back_inserter(all));
  }
  groups_.clear();
  return all;
}

}  // namespace maas
