# shellcheck shell=bash
# Sourced by the scripts beside it: where things are kept, what earlier set-ups found, how progress is told.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${STEADYSTREAM_CACHE:-$HOME/.cache/steadystream}
mkdir -p "$cache"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}

# Tools of the exact version that we install stand before whatever else the machine has under the same name.
PATH="$cache/tools/bin:$PATH:$HOME/.cargo/bin"
export PATH

# Each set-up script remembers its findings in a file of its own. What the caller already exported wins over them.
recall() {
    if [ -f "$cache/$1.env" ]; then
        # shellcheck source=/dev/null
        . "$cache/$1.env"
    fi
}

# remember NAME VARIABLE...: writes the present values of the variables, all at once.
remember() {
    local name=$1 variable
    shift
    for variable in "$@"; do
        printf 'export %s="${%s-%s}"\n' "$variable" "$variable" "${!variable-}"
    done >"$cache/$name.env.$$"
    mv "$cache/$name.env.$$" "$cache/$name.env"
}

say() {
    printf '  %-9s %s\n' "$1" "$2"
}

# For set-up scripts when nothing was missing: one line under `make setup`, silence as a prerequisite of another target.
say_ready() {
    if [ -z "${SETUP_QUIET-}" ]; then say "$@"; fi
}

fail() {
    printf '\n  %s: %s\n' "$1" "$2" >&2
    shift 2
    local line
    for line in "$@"; do printf '    %s\n' "$line" >&2; done
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

is_debian_root() {
    [ "$(id -u)" = 0 ] && has apt-get
}

# The package lists are read again once per set-up: on a fresh machine they are empty or stale.
apt_install() {
    local log=$cache/apt.log
    export DEBIAN_FRONTEND=noninteractive
    say apt "installing $*"
    if ! { apt-get update && apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        return 1
    fi
}

# run_bounded SECONDS FOLDER... -- COMMAND...: ends a command that, for so long, neither finished nor let a folder grow.
run_bounded() {
    local limit=$1 folders=() size last='' still=0 job
    shift
    while [ "$1" != -- ]; do
        folders+=("$1")
        shift
    done
    shift
    "$@" &
    job=$!
    while kill -0 "$job" 2>/dev/null; do
        size=$(du -sk "${folders[@]}" 2>/dev/null | cut -f1 | tr '\n' ' ' || true)
        if [ "$size" = "$last" ]; then still=$((still + 1)); else still=0; fi
        last=$size
        if [ "$still" -gt "$limit" ]; then
            kill "$job" 2>/dev/null || true
            wait "$job" 2>/dev/null || true
            return 124
        fi
        sleep 1
    done
    wait "$job"
}
