#!/usr/bin/env bash
# Makes .venv/ with Soundstage (editable) and everything in requirements-dev.lock.
#
# A second run finds the stamp of the first one and ends at once.
#   PYTHON=/path/to/python    the interpreter to use (3.11 or later)
#   SOUNDSTAGE_NO_SYSTEM=1    never install a system package: print the command instead
# Exit codes: 0 ready, 1 an installation step failed, 3 this machine lacks something.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly venv=".venv"
readonly stamp="$venv/.setup-stamp"
readonly speaker="setup"
log=""

# shellcheck source=scripts/machine.sh
source scripts/machine.sh

digest() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum
    else
        shasum -a 256
    fi | cut -d ' ' -f 1
}

# What .venv depends on. The folder is part of it: a venv does not survive being moved.
fingerprint() {
    {
        cat requirements.lock requirements-dev.lock pyproject.toml
        "$venv/bin/python" -c 'import sys; print(sys.version, sys.base_prefix)'
        pwd -P
    } | digest
}

is_ready() {
    [[ -f "$stamp" && -x "$venv/bin/soundstage" ]] || return 1
    local now
    now="$(fingerprint 2>/dev/null)" && [[ "$(<"$stamp")" == "$now" ]]
}

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

can_make_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# Prints the interpreter to use: the first recent one that can make a venv, else the first recent one.
find_python() {
    local candidates=(python3.13 python3.12 python3.11 python3) candidate fallback=""
    if [[ -n "${PYTHON:-}" ]]; then
        candidates=("$PYTHON")
    fi
    for candidate in "${candidates[@]}"; do
        is_recent "$candidate" || continue
        if can_make_venv "$candidate"; then
            echo "$candidate"
            return
        fi
        fallback="${fallback:-$candidate}"
    done
    echo "$fallback"
}

# phase WHAT REMEDY COMMAND...: runs the command, one line when it worked, the log's tail when not.
phase() {
    local what="$1" remedy="$2" start="$SECONDS"
    shift 2
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        echo "setup: the last lines of $log:" >&2
        tail -n 20 "$log" | sed 's/^/  | /' >&2
        trap - EXIT
        fail 1 "could not finish: $what" "'$*' failed, see the lines above" "$remedy"
    fi
    say "$what: $((SECONDS - start)) s"
}

# The Debian package that lets this interpreter make a venv.
venv_package() {
    local version
    version="$("$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')"
    if [[ "$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])' 2>/dev/null)" == "$version" ]]; then
        echo "python3-venv"
    else
        echo "$version-venv"
    fi
}

install_venv_module() {
    local python="$1" package
    package="$(venv_package "$python")"
    if ! may_change_system || ! is_debian; then
        fail 3 "$python cannot make a virtual environment" \
            "its modules venv and ensurepip are not installed, and this script may not install system packages here" \
            "run 'apt-get update && apt-get install -y $package' as root (or your system's equivalent), then 'make setup' again"
    fi
    say "$python lacks venv and ensurepip: installing the Debian package $package"
    phase "package lists" "check the network and the apt sources, then run 'make setup' again" apt-get update
    phase "package $package" "install $package by hand, then run 'make setup' again" \
        env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package"
    can_make_venv "$python" || fail 3 "$python still cannot make a virtual environment" \
        "it is not the interpreter that $package belongs to" "set PYTHON to a complete Python 3.11 or later"
}

# An unfinished or moved venv is made anew; one that works is kept and brought up to date.
is_usable_venv() {
    [[ -x "$venv/bin/python" && -f "$venv/.setup-root" ]] || return 1
    [[ "$(<"$venv/.setup-root")" == "$(pwd -P)" ]] && is_recent "$venv/bin/python" || return 1
    if [[ -n "${PYTHON:-}" ]]; then
        local probe='import sys; print(sys.version, sys.base_prefix)'
        [[ "$("$venv/bin/python" -c "$probe")" == "$("$PYTHON" -c "$probe" 2>/dev/null)" ]] || return 1
    fi
    "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

make_venv() {
    local python
    python="$(find_python)"
    if [[ -z "$python" ]]; then
        fail 3 "no Python 3.11 or later" "tried ${PYTHON:-python3.13, python3.12, python3.11 and python3}" \
            "install one (Debian 12, Ubuntu 24.04: 'apt-get install -y python3 python3-venv'), or set PYTHON=/path/to/python3.11"
    fi
    can_make_venv "$python" || install_venv_module "$python"
    phase "virtual environment ($("$python" --version 2>&1))" \
        "remove $venv and run 'make setup' again; PYTHON=/path/to/python chooses another interpreter" \
        "$python" -m venv --clear "$venv"
    pwd -P >"$venv/.setup-root"
}

main() {
    if is_ready; then
        return
    fi
    log="$(mktemp "${TMPDIR:-/tmp}/soundstage-setup.XXXXXX")"
    trap 'rm -f "$log"' EXIT
    is_usable_venv || make_venv
    rm -f "$stamp"
    local pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input)
    phase "dependencies" \
        "check that a package index is reachable (pip's own settings are honoured) and the disk has 1 GB free, then run 'make setup' again" \
        "${pip[@]}" install --require-hashes -r requirements-dev.lock
    phase "soundstage itself" "the usual reasons: pyproject.toml is broken, or a file that it names (README.md, LICENSE) is missing" \
        "${pip[@]}" install --no-build-isolation --no-deps --editable .
    fingerprint >"$stamp"
    say "ready: $venv/bin/soundstage"
}

main
