"""The file that came with a message, and a name under which it is safe to keep it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message as Headers
from pathlib import Path

UNNAMED = "file"

_SEPARATORS = re.compile(r"[/\\]")
# A colon opens another stream of a file on Windows; the others are refused there.
_UNWANTED = re.compile(r'[<>:"|?*]')


@dataclass(frozen=True)
class MediaFile:
    """A file as a person sent it. Its content, type and name are a stranger's own: trust none."""

    content: bytes = field(default=b"", repr=False)
    content_type: str = "application/octet-stream"
    filename: str = UNNAMED
    """Never a path: without folders, controls, leading dots and what systems reserve."""

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
    return _UNWANTED.sub("_", shown).strip(". ") or UNNAMED
