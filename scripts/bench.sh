#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs benchmarks/micro; BENCH_ARGS goes to each program.
source "$(dirname "$0")/stage.sh"
stage "set-up and build" prepare bench
find build/release/benchmarks/micro -maxdepth 1 -type f -executable | sort | while read -r program; do
  stage "$(basename "$program")" "$program" ${BENCH_ARGS:-}
done
