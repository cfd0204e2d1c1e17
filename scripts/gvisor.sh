#!/usr/bin/env bash
# Makes sure that the Docker engine has gVisor's runtime, runsc: the stronger of the two levels of isolation.
# Nothing that the engine's configuration holds already is changed, and the engine reads it anew without a restart.
# Says nothing when everything is in place.
#
#   DOCKER_HOST=unix://...        an engine of your own on this machine
#   SOUNDSTAGE_ENGINE_CONFIG=...  its configuration, when that is not /etc/docker/daemon.json (rootless engines)
#   SOUNDSTAGE_ENGINE_PID=...     its process id file, when that is not /var/run/docker.pid
#   SOUNDSTAGE_ENGINE_PATIENCE=15 seconds that it may take to read it
#   SOUNDSTAGE_NO_SYSTEM=1        change nothing on this machine: print the commands instead
# Exit codes: 0 the engine has runsc, 1 it could not be installed or registered, 3 it needs your hand.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly config="${SOUNDSTAGE_ENGINE_CONFIG:-/etc/docker/daemon.json}"
readonly pid_file="${SOUNDSTAGE_ENGINE_PID:-/var/run/docker.pid}"
# Our seccomp profile holds inside gVisor as well only with --oci-seccomp.
readonly arguments='["--network=none", "--oci-seccomp"]'
readonly patience="${SOUNDSTAGE_ENGINE_PATIENCE:-15}"
readonly speaker="gvisor"

PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
# shellcheck source=scripts/machine.sh
source scripts/machine.sh

run_python() {
    local python
    for python in .venv/bin/python python3; do
        if have "$python"; then
            "$python" "$@"
            return
        fi
    done
    fail 3 "no Python" "this script reads the engine's configuration with it" "make setup"
}

socket_path() {
    case "${DOCKER_HOST:-unix:///var/run/docker.sock}" in
        unix://*) echo "${DOCKER_HOST:-unix:///var/run/docker.sock}" | sed 's|^unix://||' ;;
        *) fail 3 "the Docker engine is on another machine" "DOCKER_HOST is ${DOCKER_HOST%%\?*}" \
            "install runsc there and register it in its daemon.json: \"runtimes\": {\"runsc\": {\"path\": \"runsc\"}}" ;;
    esac
}

# Prints the arguments with which the engine knows runsc, one a line after a first line "runsc"; fails without engine.
registered() {
    run_python - "$socket" <<'PYTHON'
import json, socket, sys
try:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(sys.argv[1])
        connection.sendall(b"GET /info HTTP/1.0\r\nHost: docker\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    runtimes = json.loads(answer.partition(b"\r\n\r\n")[2]).get("Runtimes") or {}
except (OSError, ValueError):
    sys.exit(1)
if "runsc" in runtimes:
    print("\n".join(["runsc", *(runtimes["runsc"].get("runtimeArgs") or [])]))
PYTHON
}

install_runsc() {
    local why="$untouched" elsewhere="install runsc as gVisor's documentation says, then run 'make gvisor' again"
    if have runsc; then
        return
    fi
    if ! is_debian; then
        fail 3 "gVisor is not installed" "this script knows only Debian and Ubuntu" "$elsewhere"
    fi
    if ! may_change_system; then
        is_forbidden || why="only root may install it"
        fail 3 "gVisor is not installed" "$why" \
            "as root: apt-get update" "as root: apt-get install -y --no-install-recommends runsc" "as root: make gvisor"
    fi
    say "no runsc here: installing it with apt-get (SOUNDSTAGE_NO_SYSTEM=1 forbids it)"
    apt_install "check the network and the apt sources; where they have no runsc: $elsewhere" runsc
    have runsc || fail 1 "gVisor is not installed" "the package runsc brought no program of that name" "$elsewhere"
}

# Adds runsc to the configuration in $config and keeps all else that is in it.
write_config() {
    run_python - "$config" "$(command -v runsc)" "$arguments" <<'PYTHON'
import json, os, sys, tempfile
path, program, arguments = sys.argv[1:]
path = os.path.realpath(path)
try:
    with open(path, encoding="utf-8") as file:
        text = file.read()
except FileNotFoundError:
    text = ""
try:
    config = json.loads(text) if text.strip() else {}
    config.setdefault("runtimes", {}).setdefault("runsc", {"path": program, "runtimeArgs": json.loads(arguments)})
except (ValueError, AttributeError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
folder = os.path.dirname(path)
os.makedirs(folder, exist_ok=True)
mode = os.stat(path).st_mode & 0o777 if text else 0o644
with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as file:
    file.write(json.dumps(config, indent=2) + "\n")
os.chmod(file.name, mode)
os.replace(file.name, path)
PYTHON
}

may_write() {
    local folder
    folder="$(dirname "$config")"
    if [[ -d "$folder" ]]; then
        [[ -w "$folder" && (! -e "$config" || -w "$config") ]]
    else
        is_root
    fi
}

# An engine answers, but its process id file may be one that another engine left behind.
is_running() { [[ -r "$pid_file" ]] && kill -0 "$(cat "$pid_file")" 2>/dev/null; }

reload_engine() {
    if is_running; then
        kill -HUP "$(cat "$pid_file")"
    else
        systemctl reload docker
    fi
}

# restore BEFORE: the configuration as it was, in the engine as well, which may have read the other one.
restore() {
    if [[ -n "$1" ]]; then
        cat "$1" >"$config"
        rm -f "$1"
    else
        rm -f "$config"
    fi
    reload_engine >/dev/null 2>&1 || true
}

wait_for_runtime() {
    local deadline=$((SECONDS + patience))
    until [[ -n "$(registered)" ]]; do
        ((SECONDS < deadline)) || return 1
        sleep 0.3
    done
}

register() {
    local before="" trouble why="$untouched"
    local next="as root: add \"runsc\": {\"path\": \"$(command -v runsc)\", \"runtimeArgs\": $arguments} to \"runtimes\" in $config"
    if is_forbidden || ! may_write; then
        is_forbidden || why="$(id -un) may not write $config"
        fail 3 "the Docker engine does not know runsc" "$why" "$next" "as root: kill -HUP \$(cat $pid_file)"
    fi
    if ! is_running && ! have systemctl; then
        fail 3 "the Docker engine cannot be told of runsc" "$pid_file names no process that $(id -un) may signal" \
            "$next" "make the engine read its configuration again, or set SOUNDSTAGE_ENGINE_PID"
    fi
    [[ -e "$config" ]] && before="$(mktemp)" && cp -p "$config" "$before"
    if ! trouble="$(write_config 2>&1)"; then
        [[ -z "$before" ]] || rm -f "$before"
        fail 3 "$config cannot be read" "$trouble" "mend that file; nothing in it was changed" "$next"
    fi
    if ! reload_engine || ! wait_for_runtime; then
        restore "$before"
        fail 1 "the Docker engine did not take runsc" "it does not list it $patience s after its configuration was read again" \
            "look at the engine's log; $config is as it was before" "$next"
    fi
    [[ -z "$before" ]] || rm -f "$before"
    say "registered runsc in $config; the engine has read it, without a restart"
}

socket="$(socket_path)"
readonly socket
if ! known="$(registered)"; then
    fail 3 "the Docker engine does not answer" "nothing answers on $socket" "make engine"
fi
if [[ -z "$known" ]]; then
    install_runsc
    register
    known="$(registered)"
fi
# The package, or somebody else, may have registered it in another way: that stays as it is.
if ! grep -q -- '--oci-seccomp' <<<"$known"; then
    say "note: runsc is registered without --oci-seccomp, so our list of system calls does not hold inside it"
fi
