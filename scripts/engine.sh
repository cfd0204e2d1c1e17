#!/usr/bin/env bash
# Makes sure that a Docker engine answers, and that mmdebstrap is there for machines where no image
# registry does. Says nothing when everything is in place.
#
#   DOCKER_HOST=...           an engine of your own: taken as it is
#   SOUNDSTAGE_NO_SYSTEM=1    change nothing on this machine: print the commands instead
# Exit codes: 0 an engine answers, 1 it could not be installed or started, 3 it needs your hand.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly socket="/var/run/docker.sock"
readonly daemon_log="/var/log/soundstage-dockerd.log"
readonly packages=(docker.io mmdebstrap iptables ca-certificates)
readonly patience=30
readonly apt_remedy="check the network and the apt sources, then run 'make engine' again"
readonly speaker="engine"

PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
# shellcheck source=scripts/machine.sh
source scripts/machine.sh

is_systemd() { [[ "$(cat /proc/1/comm 2>/dev/null)" == systemd ]] && have systemctl; }

# Asks the socket itself: the docker client is not needed to use Soundstage.
socket_answers() {
    local python probe
    [[ -S "$socket" ]] || return 1
    for python in .venv/bin/python python3; do
        have "$python" || continue
        probe='import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect(sys.argv[1])
s.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
sys.exit(b" 200 " not in s.recv(64))'
        "$python" -c "$probe" "$socket" >/dev/null 2>&1
        return
    done
    have curl && curl --silent --fail --max-time 5 --unix-socket "$socket" http://docker/_ping >/dev/null 2>&1
}

# An engine at another address, as Docker Desktop and Colima have one.
context_host() {
    have docker && docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || return 1
    docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null
}

start_command() {
    if is_systemd; then
        echo "systemctl start docker"
    elif have service && { [[ -e /etc/init.d/docker ]] || ! have dockerd; }; then
        echo "service docker start"
    else
        echo "setsid dockerd >$daemon_log 2>&1 </dev/null &"
    fi
}

wait_for_engine() {
    local deadline=$((SECONDS + patience))
    until socket_answers; do
        ((SECONDS < deadline)) || return 1
        sleep 0.3
    done
}

run_daemon() { setsid dockerd >>"$daemon_log" 2>&1 </dev/null & }

start_engine() {
    local command start="$SECONDS"
    command="$(start_command)"
    say "the Docker engine is not running, starting it: $command"
    case "$command" in
        systemctl*) systemctl start docker >>"$daemon_log" 2>&1 </dev/null || true ;;
        service*) service docker start >>"$daemon_log" 2>&1 </dev/null || run_daemon ;;
        *) run_daemon ;;
    esac
    if ! wait_for_engine; then
        show_daemon_log
        fail 1 "the Docker engine does not answer" "it was started and did not answer on $socket within $patience s" \
            "run 'dockerd' as root in a terminal of its own to see what it lacks (often iptables or cgroups)" \
            "or set DOCKER_HOST to an engine that runs elsewhere"
    fi
    say "the Docker engine answers: $((SECONDS - start)) s"
}

show_daemon_log() {
    local log
    for log in "$daemon_log" /var/log/docker.log; do
        if [[ -s "$log" ]]; then
            echo "engine: the last lines of $log:" >&2
            tail -n 15 "$log" | sed 's/^/  | /' >&2
        fi
    done
    if is_systemd; then
        journalctl --unit docker --lines 15 --no-pager 2>/dev/null | sed 's/^/  | /' >&2 || true
    fi
}

refuse_start() {
    local why="$untouched"
    if [[ "$(uname -s)" == Darwin ]]; then
        fail 3 "the Docker engine is not running" "nothing answers on $socket" "start Docker Desktop (or Colima), then try again"
    fi
    is_root || why="only root may start it"
    fail 3 "the Docker engine is not running" "$why" "as root: $(start_command)"
}

refuse_install() {
    local why="$untouched"
    if ! is_debian; then
        fail 3 "no Docker engine" "none is installed, and this script knows only Debian and Ubuntu" \
            "install Docker Engine (or Docker Desktop, Podman's Docker service, Colima) and start it" \
            "or set DOCKER_HOST to an engine that runs elsewhere"
    fi
    is_root || why="only root may install it"
    fail 3 "no Docker engine" "$why" \
        "as root: apt-get update" \
        "as root: apt-get install -y --no-install-recommends ${packages[*]}" \
        "as root: $(start_command)" \
        "or set DOCKER_HOST to an engine that runs elsewhere"
}

refuse_access() {
    fail 3 "the Docker engine's socket may not be used" "$(id -un) may not write to $socket" \
        "as root: usermod -aG docker $(id -un), then log in again (members of that group are as powerful as root)" \
        "or run a rootless engine and set DOCKER_HOST to it"
}

ensure_engine() {
    local host
    if [[ -n "${DOCKER_HOST:-}" ]] || socket_answers; then
        return
    fi
    if host="$(context_host)"; then
        [[ "$host" == "unix://$socket" ]] && return
        fail 3 "the Docker engine is at another address" "the docker client reaches it at $host, Soundstage looks at $socket" \
            "export DOCKER_HOST=$host"
    fi
    if [[ -S "$socket" && ! -w "$socket" ]]; then
        refuse_access
    fi
    if ! have dockerd; then
        if ! may_change_system || ! is_debian; then
            refuse_install
        fi
        say "no Docker engine here: installing ${packages[*]} with apt-get (SOUNDSTAGE_NO_SYSTEM=1 forbids it)"
        apt_install "$apt_remedy" "${packages[@]}"
        if socket_answers; then
            return
        fi
    fi
    may_change_system || refuse_start
    start_engine
}

ensure_mmdebstrap() {
    if have mmdebstrap || [[ "$(uname -s)" == Darwin ]]; then
        return
    fi
    if may_change_system && is_debian; then
        say "mmdebstrap makes the base image where no image registry answers: installing it with apt-get"
        apt_install "$apt_remedy" mmdebstrap
    else
        say "note: mmdebstrap is not installed; it is needed only where no image registry answers"
    fi
}

ensure_engine
ensure_mmdebstrap
