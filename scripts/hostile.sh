#!/usr/bin/env bash
# Runs the hostile corpus under every level of isolation, and writes what came of it into docs/security.md.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

results="$(mktemp "${TMPDIR:-/tmp}/soundstage-hostile.XXXXXX")"
trap 'rm -f "$results"' EXIT
# The table is what this run is about to write: it cannot be wrong yet.
SOUNDSTAGE_HOSTILE_RESULTS="$results" .venv/bin/pytest -q tests/sandbox/hostile -n 2 \
    --deselect tests/sandbox/hostile/test_table.py "$@"
.venv/bin/python -m tests.sandbox.hostile.table "$results"
.venv/bin/pytest -q tests/sandbox/hostile/test_table.py
