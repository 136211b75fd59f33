"""The weight files that ship with brain: found, checked by hash, mapped into memory.

``MANIFEST.json`` lists every file with its size and SHA-256. Arrays are NumPy files read without
pickle; nothing is downloaded.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).with_name("weights")


class WeightsError(Exception):
    """A weight file is missing or is not the one that was shipped. Names the file."""


class Weights:
    """One folder of weights. Every file is checked once, when it is first asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        try:
            self._manifest: dict[str, Any] = json.loads((folder / "MANIFEST.json").read_bytes())
        except FileNotFoundError as error:
            raise WeightsError(f"{folder} has no MANIFEST.json; run `make model`") from error

    def path(self, name: str) -> Path:
        """The checked file. Raises WeightsError when it is missing or differs from the manifest."""
        entry = self._manifest.get(name)
        path = self._folder / name
        if entry is None or not path.is_file():
            raise WeightsError(f"weight file {name} is missing")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != entry["sha256"]:
            raise WeightsError(f"weight file {name} is damaged: its SHA-256 is {digest}")
        return path

    def array(self, name: str) -> NDArray[Any]:
        """``name.npy``, memory-mapped and read-only.

        A plain view: each look into a ``numpy.memmap`` costs ten times as much.
        """
        return np.asarray(np.load(self.path(f"{name}.npy"), mmap_mode="r", allow_pickle=False))

    def floats(self, name: str) -> NDArray[np.float32]:
        """``name.npy`` in memory, for the small ones that every message needs."""
        return np.ascontiguousarray(self.array(name), dtype=np.float32)
