# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: the repository's root, the environment's tools, and timed stages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON=${PYTHON:-python3}
PATH="$PWD/.venv/bin:$PATH"
jobs=$(nproc)

# stage NAME COMMAND...: runs the command and says how long it took.
stage() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  "$@" || { local code=$?; echo "== $name: failed after $((SECONDS - start)) s"; exit "$code"; }
  echo "== $name: $((SECONDS - start)) s"
}

prepare() {
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "maas needs Python 3.11 or newer: name one, e.g. make PYTHON=python3.12 ..." >&2
    exit 2
  }
  "$PYTHON" scripts/prepare.py "$@"
}
