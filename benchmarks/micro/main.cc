// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

int main(int argc, char** argv) {
  register_parse();
  register_print();
  register_maths();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
