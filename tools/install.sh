#!/usr/bin/env bash
# Makes this machine ready: `install.sh run` for `make up`, `install.sh test` for `make test`.
# Quick when nothing changed since the last time; safe to interrupt and to repeat.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly PURPOSE="${1:?run or test}"
readonly UV_VERSION=0.13.9
readonly UNITS=(shared services/ingress services/brain services/outbound services/channels-api services/dashboard sdk/python tools/devstack tools/metasim)

say() { printf '%s\n' "$*" >&2; }
fail() { say "install: $*"; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

APT_UPDATED=
apt_install() { # package, what it is, other ways to have it
  local output
  command -v apt-get >/dev/null || fail "$2 is missing. Install it with your system's package manager (Debian calls it $1)${3:-}."
  as_root true 2>/dev/null || fail "$2 is missing. Install it as root: apt-get install $1${3:-}"
  say "Installing $1 ($2)…"
  if [ -z "$APT_UPDATED" ]; then
    output="$(as_root apt-get update -qq 2>&1)" || say "$output"
    APT_UPDATED=1
  fi
  output="$(as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" 2>&1)" ||
    { say "$output"; fail "apt-get could not install $1."; }
}

find_python() {
  local candidate
  for candidate in python3.11 python3 python3.12 python3.13 python3.14; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s' "$candidate"; return
    fi
  done
  fail "Python 3.11 or newer is needed and was not found."
}

usable() { # new enough, complete, and made in this folder: a venv does not survive a move
  .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
    grep -qF "$(pwd -P)/.venv" .venv/pyvenv.cfg
}

make_environment() {
  local python
  if ! usable; then
    python="$(find_python)"
    say "Creating the environment (first time only, about a minute)…"
    rm -rf .venv # not venv --clear, which would empty what a link points to
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
      apt_install python3-venv "Python's venv"
      "$python" -m venv .venv >&2 || fail "could not create .venv with $python."
    fi
  fi
  .venv/bin/python -m pip install -q --disable-pip-version-check "uv==$UV_VERSION"
  local units=() unit
  for unit in "${UNITS[@]}"; do units+=(-e "$unit"); done
  units+=(-e "sdk/python[cli]")
  if [ "$1" = test ]; then units+=(--group dev); fi
  # constraints.txt pins every version and hash; --no-config leaves the maintainers' cool-down out.
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install -q --no-config -c constraints.txt "${units[@]}"
}

stamp() { # of everything that the environment is made from
  { pwd -P; cat constraints.txt pyproject.toml "${UNITS[@]/%//pyproject.toml}" tools/install.sh; } | cksum | cut -d' ' -f1
}

environment() {
  local wanted have
  wanted="$(stamp)"
  have="$(cat ".venv/stamp-$1" 2>/dev/null || true)"
  if [ "$wanted" = "$have" ] && [ -x .venv/bin/python ]; then return; fi
  make_environment "$1"
  printf '%s' "$wanted" > ".venv/stamp-$1"
  # What tests need includes what running needs.
  if [ "$1" = test ]; then printf '%s' "$wanted" > .venv/stamp-run; fi
}

database() { # mongod comes from a wheel; the one for Linux wants libcurl from the system
  [ "$(uname -sm)" = "Linux x86_64" ] || return 0
  case "$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null)" in
    *libcurl.so.4*) ;;
    *) apt_install libcurl4 "mongod's libcurl" "$1" ;;
  esac
}

broker() {
  [ -z "${TEST_AMQP_URL:-}" ] || return 0
  [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || apt_install rabbitmq-server "RabbitMQ, which tests run against" ", or set TEST_AMQP_URL to a broker that runs"
}

browser() {
  command -v chromium >/dev/null || apt_install chromium "Chromium, which the browser tests drive"
}

case "$PURPOSE" in
  run)
    environment run
    [ -n "${MONGODB_URI:-}" ] || database ", or set MONGODB_URI to a database that runs"
    ;;
  test)
    environment test
    [ -n "${TEST_MONGODB_URI:-}" ] || database ", or set TEST_MONGODB_URI to a database that runs"
    broker
    browser
    ;;
  *) fail "say run or test" ;;
esac
