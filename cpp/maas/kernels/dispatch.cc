// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdlib>
#include <string>

#include "maas/base/error.h"
#include "maas/kernels/parts.h"

namespace maas::kernels {
namespace {

// `table` with the functions of `part` put over its own.
template <typename... Functions>
void take(Table& table, const Table& part, Functions Table::*... functions) {
  ((table.*functions = part.*functions != nullptr ? part.*functions : table.*functions), ...);
}

Table overlay(Table table, const Table& part) {
  table.name = part.name;
  take(table, part, &Table::parse_float32, &Table::parse_int64, &Table::print_float32,
       &Table::print_int64, &Table::softmax, &Table::argmax, &Table::top_k, &Table::normalise_image,
       &Table::scale_shift_float32, &Table::scale_shift_uint8, &Table::l2_normalise,
       &Table::mean_pool);
  return table;
}

struct Tables {
  std::array<Table, 3> items;
  std::size_t count = 0;

  void add(const Table& table) { items[count++] = table; }
};

#if defined(__x86_64__)
// The sets that the flags of the avx2 and avx512 files name. AVX-512 means Ice Lake and Zen 4 or
// later: VBMI2 packs and spreads the digits of JSON numbers.
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
}

void add_vector_tables(Tables& tables) {
  if (!has_avx2()) {
    return;
  }
  tables.add(overlay(overlay(tables.items[0], kAvx2), kAvx2Parse));
  if (has_avx512()) {
    tables.add(overlay(overlay(overlay(tables.items[1], kAvx512), kAvx512Parse), kAvx512Print));
  }
}
#else
void add_vector_tables(Tables&) {}
#endif

Tables make_tables() {
  Tables tables;
  tables.add(overlay(overlay(kScalar, kScalarParse), kScalarPrint));
  add_vector_tables(tables);
  return tables;
}

const Table& choose() {
  const char* const forced = std::getenv("MAAS_FORCE_ISA");
  return forced != nullptr ? select(forced) : available().back();
}

}  // namespace

std::span<const Table> available() {
  static const Tables kTables = make_tables();
  return {kTables.items.data(), kTables.count};
}

const Table& select(std::string_view name) {
  std::string choices;
  for (const Table& table : available()) {
    if (name == table.name) {
      return table;
    }
    choices += (choices.empty() ? "" : ", ") + std::string(table.name);
  }
  throw Error(
      ErrorCode::kInvalidArgument,
      "MAAS_FORCE_ISA is '" + std::string(name) +
          "', which is unknown or not supported by this processor; unset it or use one of: " +
          choices);
}

const Table& active() {
  static const Table& table = choose();
  return table;
}

}  // namespace maas::kernels
