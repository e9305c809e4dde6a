#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets up, trains the quick start when no model is saved yet, serves it.
source "$(dirname "$0")/stage.sh"
prepare serve
[ -f examples/quickstart/digits.pt ] || .venv/bin/python examples/quickstart/train.py
exec .venv/bin/python -m maas serve examples/quickstart/app.py \
  --host "${HOST:-127.0.0.1}" --port "${PORT:-8000}"
