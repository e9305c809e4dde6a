#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets up, builds and runs every test. pytest comes last, so its closing line closes the run.
source "$(dirname "$0")/stage.sh"
stage "set-up and build" prepare test
stage "C++ tests" ctest --test-dir build/release --output-on-failure --no-tests=error -j "$jobs"
[ -f examples/quickstart/digits.pt ] ||
  stage "quick start: training" .venv/bin/python examples/quickstart/train.py
echo "== Python, end-to-end, example and notebook tests (set-up to here: $SECONDS s)"
exec .venv/bin/python -m pytest
