#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formatters, linters and type checkers over the whole tree. Every check runs; one that fails fails the run.
source "$(dirname "$0")/stage.sh"

sources() { find cpp tests/cpp benchmarks -name '*.cc' -o -name '*.h'; }
format() { sources | xargs clang-format --dry-run -Werror; }
tidy() {
  local code=0 report=build/clang-tidy.txt
  run-clang-tidy.py -quiet -p build/release -j "$jobs" \
    "$PWD/(cpp|tests/cpp|benchmarks)/.*" >"$report" 2>/dev/null || code=$?
  grep -vE '^\[ *[0-9]+/[0-9]+\]|^$' "$report" || true
  return "$code"
}
headers() { cmake --build build/release --target all_verify_interface_header_sets; }
stub() {
  python -m mypy.stubtest maas._core --mypy-config-file pyproject.toml --allowlist scripts/stubtest.allow
}

failed=()
check() { (stage "$@") || failed+=("$1"); }

stage "set-up" prepare check
check "clang-format" format
check "ruff format" ruff format --check
check "ruff" ruff check
check "mypy" mypy
check "stubtest" stub
check "headers stand alone" headers
check "clang-tidy" tidy
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
