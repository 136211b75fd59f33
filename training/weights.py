"""Write weight files in the form that ``brain.adapters.models.weights`` reads."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from brain.adapters.models.pieces import GROUP

LICENCES = dict.fromkeys(("vad", "english", "world"), "CC-BY-SA-4.0")
"""By the first part of the file's name; all others are Apache-2.0 (see the NOTICE beside them)."""


def save_pieces(out: Path, name: str, table: np.ndarray) -> None:
    """Four bits a number, as ``brain.adapters.models.pieces`` reads them; of four scales the best."""
    grouped = table.astype(np.float32).reshape(len(table), -1, GROUP)
    whole = np.abs(grouped).max(axis=2, keepdims=True) / 7 + 1e-7
    scales = np.stack([(whole * part).astype(np.float16) for part in (1.0, 0.9, 0.8, 0.7)])
    bits = [np.clip(np.round(grouped / scale.astype(np.float32)), -8, 7) for scale in scales]
    errors = [
        ((grouped - bit * scale) ** 2).sum(axis=2, keepdims=True)
        for bit, scale in zip(bits, scales, strict=True)
    ]
    best = np.argmin(np.stack(errors), axis=0)
    chosen = np.choose(best, bits).reshape(len(table), -1)
    codes = (chosen + 8).astype(np.uint8)
    half = codes.shape[1] // 2
    np.save(out / f"{name}.i4.npy", codes[:, :half] | (codes[:, half:] << 4))
    np.save(out / f"{name}.scale.npy", np.choose(best, scales)[:, :, 0])


def save_columns(out: Path, name: str, table: np.ndarray) -> None:
    """int8 with one scale a column: for linear heads, where a column is an output."""
    scale = np.maximum(np.abs(table).max(axis=0), 1e-9) / 127
    np.save(out / f"{name}.i8.npy", np.round(table / scale).astype(np.int8))
    np.save(out / f"{name}.scale.npy", scale.astype(np.float32))


def save_array(out: Path, name: str, values: np.ndarray) -> None:
    """As it is, float32."""
    np.save(out / f"{name}.npy", np.ascontiguousarray(values, dtype=np.float32))


def write_manifest(out: Path) -> None:
    """MANIFEST.json: size, SHA-256 and licence of every weight file."""
    files = sorted(
        p
        for p in out.iterdir()
        if p.suffix in {".npy", ".onnx", ".data"} or p.name.endswith("tokenizer.json")
    )
    entries = {
        p.name: {
            "bytes": p.stat().st_size,
            "sha256": hashlib.sha256(p.read_bytes()).hexdigest(),
            "licence": LICENCES.get(p.name.split(".")[0].split("-")[0], "Apache-2.0"),
        }
        for p in files
    }
    (out / "MANIFEST.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """``python -m training.weights FOLDER`` writes its manifest."""
    write_manifest(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
