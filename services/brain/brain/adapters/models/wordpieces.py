"""The shipped WordPiece tokenizer, with a short way for plain text.

The tokenizer keeps offsets, types and masks that nobody here reads, and takes longer than all the
sums of the fast tier. An ASCII text needs only its words looked up; whatever else comes is left to
the tokenizer itself. Both give the same pieces, which is a property under test.
"""

import re
from pathlib import Path
from typing import Self

from tokenizers import Tokenizer

_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_LONGEST_WORD = 100
"""As in the tokenizer: a longer word is unknown."""
_UNKNOWN, _WITHIN = "[UNK]", "##"


class WordPieces:
    """Numbers of the pieces of a text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._known: dict[str, int] = tokenizer.get_vocab()
        self._unknown = self._known[_UNKNOWN]

    @classmethod
    def load(cls, path: Path) -> Self:
        """From a tokenizer's file."""
        return cls(Tokenizer.from_file(str(path)))

    def of(self, spelled: str) -> list[int]:
        """Without marks of beginning and end; ``spelled`` is lower case."""
        plain = spelled.replace("\n", " ")
        if not (plain.isascii() and plain.isprintable()):
            ids: list[int] = self._tokenizer.encode(spelled, add_special_tokens=False).ids
            return ids
        found: list[int] = []
        for word in _WORD.findall(plain):
            whole = self._known.get(word)
            if whole is None:
                found += self._parts(word)
            else:
                found.append(whole)
        return found

    def _parts(self, word: str) -> list[int]:
        """The longest known piece from the left, then of the rest."""
        parts: list[int] = []
        start, end = 0, len(word)
        if end > _LONGEST_WORD:
            return [self._unknown]
        while start < len(word):
            piece = self._known.get(_WITHIN + word[start:end] if start else word[:end])
            if piece is not None:
                parts.append(piece)
                start, end = end, len(word)
                continue
            end -= 1
            if end == start:
                return [self._unknown]
        return parts
