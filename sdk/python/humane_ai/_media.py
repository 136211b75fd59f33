"""The file that came with a message, and a name under which it is safe to keep it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message as Headers
from pathlib import Path

UNNAMED = "file"
MOST_BYTES = 200
"""Of a name: file systems take 255, and a name in most scripts has three for each letter."""

_SEPARATORS = re.compile(r"[/\\]")
# A colon opens another stream of a file on Windows; the others are refused there.
_UNWANTED = re.compile(r'[<>:"|?*]')


@dataclass(frozen=True)
class MediaFile:
    """A file as a person sent it. Its content, type and name are a stranger's own: trust none."""

    content: bytes = field(default=b"", repr=False)
    content_type: str = "application/octet-stream"
    filename: str = UNNAMED
    """Never a path: without folders, controls and leading dots, at most 200 bytes."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the content to ``path``, or under ``filename`` into a folder. Returns where it is.

        A file that you name is replaced. In a folder nothing is: its name is the sender's, so that
        FileExistsError is raised for one that is taken. Raises OSError.
        """
        place = Path(path)
        if not place.is_dir():
            place.write_bytes(self.content)
            return place
        place /= self.filename
        with place.open("xb") as file:
            file.write(self.content)
        return place


def file_from(headers: Mapping[str, str], content: bytes) -> MediaFile:
    """The file that an answer is."""
    said = Headers()
    said["Content-Disposition"] = headers.get("content-disposition", "")
    kind = headers.get("content-type") or MediaFile.content_type
    return MediaFile(content, kind, harmless_name(said.get_filename("")))


def harmless_name(name: str) -> str:
    """``name`` as that of a file in a folder of the caller's choice."""
    last = _SEPARATORS.split(name)[-1]
    # Controls, and the marks that turn text around so that "exe" looks like "pdf".
    shown = "".join(letter for letter in last if letter.isprintable())
    return _shortened(_UNWANTED.sub("_", shown).strip(". ")) or UNNAMED


def _shortened(name: str) -> str:
    """With the ending, by which programs tell what a file is."""
    stem, ending = Path(name).stem, Path(name).suffix
    ending = ending.encode()[:20].decode(errors="ignore")
    return stem.encode()[: MOST_BYTES - len(ending.encode())].decode(errors="ignore") + ending
