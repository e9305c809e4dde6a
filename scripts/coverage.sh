#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Line and branch coverage: the C++ core per file by gcovr, then python/maas by coverage.py.
source "$(dirname "$0")/stage.sh"
stage "set-up" prepare coverage
stage "configure" cmake --preset coverage
stage "build" cmake --build --preset coverage
stage "C++ tests" ctest --preset coverage -j "$jobs"
stage "C++ report" gcovr --root . --filter cpp/ --txt-summary --txt - build/coverage
stage "Python tests" python -m coverage run -m pytest tests/python
stage "Python report" python -m coverage report
