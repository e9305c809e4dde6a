#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzzers with clang and runs each for FUZZ_SECONDS (60), from the seeds of the case files, the
# corpus of tests/fuzz/corpus and what earlier runs found (build/fuzz/corpus). With --able it only tells by its
# exit code whether this machine can.
source "$(dirname "$0")/stage.sh"
clang=$(command -v clang++-19 clang++ | head -1) || true
able() {
  [ -n "$clang" ] &&
    echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    "$clang" -x c++ -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null
}
if [ "${1:-}" = --able ]; then
  able
  exit
fi
if ! able; then
  echo "the fuzzers need clang: apt-get install clang-19 libclang-rt-19-dev" >&2
  exit 2
fi
prepare serve
stage "configure" cmake --preset fuzz -DCMAKE_CXX_COMPILER="$clang"
stage "build" cmake --build --preset fuzz
"$PYTHON" scripts/fuzz_seeds.py build/fuzz/seeds
for program in build/fuzz/tests/fuzz/fuzz_*; do
  [ -x "$program" ] && [ -f "$program" ] || continue
  name=${program##*/fuzz_}
  mkdir -p "build/fuzz/corpus/$name" "build/fuzz/found"
  stage "$name" "$program" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096 -rss_limit_mb=2048 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="build/fuzz/found/$name-" \
    "build/fuzz/corpus/$name" "build/fuzz/seeds/$name"
done
