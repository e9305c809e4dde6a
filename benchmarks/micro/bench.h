// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include "maas/kernels/kernels.h"

// Each adds its benchmarks, one per table and one per rival, named kernel/case/table.
void register_maths();
void register_parse();
void register_print();

inline std::mt19937 same_random() {
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same numbers in each run, on purpose
  return std::mt19937(1);
}

// Runs `call()` and reports its speed in bytes per second.
template <typename Call>
void register_bench(const std::string& name, std::size_t bytes, Call call) {
  benchmark::RegisterBenchmark(name.c_str(), [bytes, call](benchmark::State& state) {
    for ([[maybe_unused]] auto _ : state) {
      call();
      benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
  });
}

// The same for every table that this machine can run: `call(table)`.
template <typename Call>
void register_tables(const std::string& name, std::size_t bytes, Call call) {
  for (const maas::kernels::Table& table : maas::kernels::available()) {
    register_bench(name + "/" + table.name, bytes, [&table, call] { call(table); });
  }
}
