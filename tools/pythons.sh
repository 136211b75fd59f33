#!/usr/bin/env bash
# The client library on the oldest and the newest Python that it promises, or on those given:
# `pythons.sh 3.12`. For each: the wheel is built and installed with its command into an environment
# of its own (.pythons/), with the newest releases that fit, as a user would have them; the unit
# tests run; the end-to-end test runs against the product, which runs on the services' own Python;
# mypy --strict reads the examples with the installed types.
#
# Where an interpreter comes from, first that works: HUMANE_PYTHONS (a folder with pythonX.Y in it),
# pyenv's versions, the PATH, and what uv finds or can fetch. One that is missing fails.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly OLDEST=3.10 NEWEST=3.13
readonly SERVICES=$PWD/.venv/bin/python UV=$PWD/.venv/bin/uv CACHE=$PWD/.pythons
readonly TOOLS=(pip pytest pytest-asyncio pytest-randomly pytest-timeout hypothesis aiohttp mypy openai orjson)

say() { printf '%s\n' "$*" >&2; }
fail() { say "pythons: $*"; exit 1; }

is_version() { # program, version
  [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$2" ]
}

find_interpreter() { # version
  local candidate
  for candidate in "${HUMANE_PYTHONS:-/nowhere}/python$1" \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/"python$1" "$(command -v "python$1" || true)"; do
    if [ -x "$candidate" ] && is_version "$candidate" "$1"; then printf '%s' "$candidate"; return; fi
  done
  "$UV" python find -q "$1" 2>/dev/null || { "$UV" python install -q "$1" && "$UV" python find -q "$1"; } ||
    fail "Python $1 was not found. Install it, or put python$1 into a folder and say HUMANE_PYTHONS=FOLDER."
}

build_wheel() {
  rm -rf "$CACHE/dist"
  "$UV" build -q --wheel --out-dir "$CACHE/dist" sdk/python
  WHEEL="$(echo "$CACHE"/dist/humane_ai-*.whl)"
}

environment() { # version, interpreter
  local folder="$CACHE/$1"
  is_version "$folder/bin/python" "$1" || { rm -rf "$folder"; "$UV" venv -q --python "$2" "$folder"; }
  "$UV" pip install -q --no-config --python "$folder/bin/python" "${TOOLS[@]}"
  "$UV" pip install -q --no-config --python "$folder/bin/python" --reinstall-package humane-ai "$WHEEL[cli]"
}

check() { # version
  local interpreter python="$CACHE/$1/bin/python"
  interpreter="$(find_interpreter "$1")"
  environment "$1" "$interpreter"
  say "--- $("$python" -VV) from $interpreter"
  "$python" -c 'import humane_ai, pathlib, sys; sys.exit(".pythons" not in pathlib.Path(humane_ai.__file__).parts)' ||
    fail "the tests would not read the installed wheel."
  "$CACHE/$1/bin/humane" --version
  # The other tests' fixtures need what only the services' Python has.
  "$python" -m pytest -q --confcutdir=tests/unit/humane_ai tests/unit/humane_ai
  SERVICES_PYTHON="$SERVICES" "$python" -m pytest -q --noconftest tests/e2e/test_client_library.py
  (cd sdk/python/examples && "$python" -m mypy --strict --config-file= --python-version "$1" .)
}

[ -x "$SERVICES" ] || fail "the services' environment is missing: make install"
build_wheel
for version in "${@:-$OLDEST $NEWEST}"; do
  for one in $version; do check "$one"; done
done
