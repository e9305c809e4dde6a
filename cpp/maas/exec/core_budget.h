// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace maas {

// What somebody asked for; 0 derives the number from the cores.
struct BudgetRequest {
  int cores = 0;
  int io_threads = 0;
  int executors = 0;
  int intra_op_threads = 0;
};

// How the cores that this process may use are divided. executors * intra_op_threads + io_threads is
// at most `cores`, but for the one I/O thread and the one executor that always exist.
struct CoreBudget {
  int cores = 1;
  int io_threads = 1;
  int executors = 1;
  int intra_op_threads = 1;

  [[nodiscard]] std::string describe() const;
};

// Cores that this process may use: its affinity mask, and the CPU quota of its cgroup (v1 or v2)
// under `cgroup_root`, rounded up. At least 1.
int available_cores(const std::string& cgroup_root = "/sys/fs/cgroup");

// Throws invalid_argument for a negative number.
CoreBudget plan_cores(const BudgetRequest& request, int available);

}  // namespace maas
