#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the GoogleTest programs under ASan + UBSan, then under TSan.
source "$(dirname "$0")/stage.sh"
stage "set-up" prepare sanitize
for preset in asan tsan; do
  stage "$preset: configure" cmake --preset "$preset"
  stage "$preset: build" cmake --build --preset "$preset"
  stage "$preset: tests" ctest --preset "$preset" -j "$jobs"
done
