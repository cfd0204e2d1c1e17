# shellcheck shell=bash
# What the scripts that look after this machine share: how they speak, what they ask it, and how they install on it.
# Sourced, never run. `speaker` is what their lines begin with, as in `make SPEAKER`.

readonly apt_options=(-y --no-install-recommends -o DPkg::Lock::Timeout=120)
readonly untouched="SOUNDSTAGE_NO_SYSTEM is set, so nothing on this machine is changed"

say() { echo "$speaker: $*"; }

# fail CODE WHAT WHY NEXT...: every further argument is a line of what to do.
fail() {
    local code="$1" line
    {
        echo "$speaker: $2"
        echo "  why:  $3"
        for line in "${@:4}"; do
            echo "  next: $line"
        done
    } >&2
    exit "$code"
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [[ "$(id -u)" == 0 ]]; }

is_debian() { have apt-get && have dpkg; }

is_forbidden() { [[ -n "${SOUNDSTAGE_NO_SYSTEM:-}" ]]; }

may_change_system() { ! is_forbidden && is_root; }

# apt_install REMEDY PACKAGE...: one line when it worked, the log's tail and the remedy when not.
apt_install() {
    local log remedy="$1" start="$SECONDS"
    shift
    log="$(mktemp "${TMPDIR:-/tmp}/soundstage-$speaker.XXXXXX")"
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install "${apt_options[@]}" "$@"; } \
        >"$log" 2>&1 </dev/null; then
        echo "$speaker: the last lines of $log:" >&2
        tail -n 20 "$log" | sed 's/^/  | /' >&2
        fail 1 "could not install: $*" "apt-get failed, see the lines above" "$remedy"
    fi
    rm -f "$log"
    say "installed $*: $((SECONDS - start)) s"
}
