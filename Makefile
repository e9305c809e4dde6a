# SPDX-License-Identifier: Apache-2.0
# Every target first sets up what it needs (scripts/prepare.py); a second run does no work twice.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
export PYTHON HOST PORT

.PHONY: help setup serve test check sanitize coverage bench fuzz clean

help:
	@echo "make serve     set up, then serve the quick start on $(HOST):$(PORT)"
	@echo "make test      set up, then run every test"
	@echo "make check     formatters, linters, type checkers"
	@echo "make sanitize  the GoogleTest programs under ASan + UBSan, then under TSan"
	@echo "make coverage  line and branch coverage of both languages"
	@echo "make bench     the micro-benchmarks"
	@echo "make fuzz      the fuzzers, a minute each (needs clang; FUZZ_SECONDS=)"
	@echo "make setup     only set up: system packages, .venv, the compiled core"
	@echo "make clean     remove build/ (.venv stays)"

setup:
	@bash -c '. scripts/stage.sh && prepare serve'

serve:
	@scripts/serve.sh

test:
	@scripts/test.sh

check:
	@scripts/check.sh

sanitize:
	@scripts/sanitize.sh

coverage:
	@scripts/coverage.sh

fuzz:
	@scripts/fuzz.sh

bench:
	@scripts/bench.sh

clean:
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .venv/.maas
