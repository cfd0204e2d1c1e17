#!/usr/bin/env bash
# Runs the test suite under coverage, its subprocesses and xdist workers included, and reports.
# Arguments go to pytest (`scripts/test.sh -n 0` runs in one process). Without any there are two workers a core, as tests wait for
# containers more than they compute, and eight at the most. Fails when a test fails or when the coverage is under `fail_under`: to run a
# part of the suite, call .venv/bin/pytest itself.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($# == 0)); then
    workers=$((2 * $(nproc)))
    set -- -n $((workers < 8 ? workers : 8)) --dist worksteal
fi

# Bytecode, that of the tests with their assertions rewritten too, is kept for the next worker and the next run, apart from the sources.
export PYTHONPYCACHEPREFIX="$PWD/build/bytecode"
unset PYTHONDONTWRITEBYTECODE

coverage=(.venv/bin/python -m coverage)

"${coverage[@]}" erase

tests=0
"${coverage[@]}" run -m pytest "$@" || tests=$?

report=0
"${coverage[@]}" combine --quiet || report=$?
"${coverage[@]}" report || report=$?

if ((tests != 0)); then
    echo "test: pytest ended with exit code $tests" >&2
    exit "$tests"
fi
exit "$report"
