"""What, in one language, keeps a pattern's find from being a statement about the writer."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from brain.domain.profile_text import LETTER, WORDS, Text
from brain.domain.text import fold_marks

_NEVER = "(?!)"


class Guards:
    """One language's part of ``data/profile.yaml`` besides its patterns."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.macros = {name: f"(?:{fold_marks(part)})" for name, part in data["macros"].items()}
        self._stops = frozenset(fold_marks(f"{data['stops']} {data['prepositions']}").split())
        self._never = {
            kind: frozenset(fold_marks(words).split()) for kind, words in data["never"].items()
        }
        self._joined = data.get("joined_and")
        self._dangling = frozenset(fold_marks(data["dangling"]).split())
        self._clause = re.compile(fold_marks(rf"[,;:(]|\b(?:{data['and']})(?!{LETTER})"))
        self._doubt = re.compile(fold_marks(data["doubt"]))
        self._clause_doubt = re.compile(fold_marks(data["clause_doubt"]))
        self._after = re.compile(fold_marks(data["doubt_after"]))
        self._asks = re.compile(
            fold_marks(rf"^\s*(?:[,;.-]|(?:{data['and']})(?!{LETTER})).*(?:{data['asks']})")
        )
        self._follows = re.compile(
            fold_marks(rf"\s*(?:$|[^\w\s'-]|\n|-\s)|\s+(?:{data['follows']})(?!{LETTER})")
        )
        self._relative = re.compile(fold_marks(data.get("relative", _NEVER)))
        self._unfinished = re.compile(fold_marks(data.get("unfinished", _NEVER)))
        self._tail = re.compile(fold_marks(data["tail"]))

    def hold(
        self,
        text: Text,
        bounds: tuple[int, int],
        match: tuple[int, int],
        *,
        asks: bool,
        has_object: bool,
    ) -> bool:
        """Whether the match, inside the sentence ``bounds``, is said in earnest by the writer.

        ``asks``: a question may say it too. ``has_object``: a relative clause can fake it, as in
        "the sub I like became ...".
        """
        before, after = text.plain[bounds[0] : match[0]], text.plain[match[1] : bounds[1]]
        if self._doubt.search(before) or self._after.search(after) or text.is_quoted(match[0]):
            return False
        if asks:
            return True
        begins = [part.end() for part in self._clause.finditer(before)]
        clause = before[begins[-1] :] if begins else before
        if "\u00bf" in clause or self._clause_doubt.search(clause):
            return False
        if has_object and self._relative.search(clause):
            return False
        is_question = "?" in after or "\u061f" in after
        return not is_question or "\u00bf" in after or self._asks.search(after) is not None

    def run(
        self, words: Sequence[str], *, left: bool, through: frozenset[str] = frozenset()
    ) -> tuple[int, int]:
        """(first, end) of the words that belong together; ``left``: they end the run.

        ``through``: words that do not end it here.
        """
        ends = self._stops - through if through else self._stops
        if left:
            low = max((i + 1 for i, word in enumerate(words) if word in ends), default=0)
            return low, len(words)
        end = len(words)
        for place, word in enumerate(words):
            if word in ends or (place and self._joined and word.startswith(self._joined)):
                end = place
                break
        while end and words[end - 1] in self._dangling:
            end -= 1
        return 0, end

    def never(self, kind: str, word: str) -> bool:
        """Whether a value of this kind cannot begin with ``word``."""
        return word in self._never.get(kind, ())

    def is_whole(self, plain: str, start: int, end: int) -> bool:
        """Whether the words do not need the next one: "taking" does before "my dog for walks"."""
        following = WORDS.match(plain, end + 1)
        return following is None or not self._unfinished.search(plain[start : following.end()])

    def may_follow(self, plain: str, end: int) -> bool:
        """Whether what comes after a name lets it be one."""
        return self._follows.match(plain, end) is not None

    def without_tail(self, topic: str) -> str:
        """``topic`` without "please" and the like at its end."""
        return self._tail.sub("", topic).rstrip()
