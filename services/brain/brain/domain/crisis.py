"""Reviewed answers for moments when no language model may speak, with the country's helpline."""

import csv
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

DIRECTORY_URL = "findahelpline.com"
FALLBACK_LANGUAGE = "en"
LONGEST_PREFIX = 4

_TEXT_OF = {
    "illegal": "refusal",
    "sexual_minors": "refusal",
    "pii_extraction": "refusal",
    "harassment": "refusal",
    "legal_advice_request": "legal_referral",
    "financial_advice_request": "financial_referral",
}
"""Categories of the safety check whose answer has another name."""


@dataclass(frozen=True, slots=True)
class Helpline:
    """One row of ``data/helplines.csv``; ``entered`` there is when it was written, not verified.

    Without ``contact`` only the emergency number is known.
    """

    country: str
    language: str | None
    name: str
    contact: str
    emergency: str | None


@dataclass(frozen=True, slots=True)
class CrisisAnswer:
    """``text`` as the person sees it; ``helpline`` the line it names; ``language`` of the text."""

    text: str
    helpline: str
    language: str


@dataclass(frozen=True, slots=True)
class CrisisBook:
    """``texts[language][category]`` and helplines by country calling prefix, digits only."""

    texts: Mapping[str, Mapping[str, str]]
    helplines: Mapping[str, Helpline]


def load_crisis_book() -> CrisisBook:
    """Texts and helplines of this package. Call it once, where the service is wired."""
    data = resources.files("brain.domain") / "data"
    texts = tomllib.loads((data / "crisis.toml").read_text(encoding="utf-8"))
    rows = csv.DictReader((data / "helplines.csv").read_text(encoding="utf-8").splitlines())
    helplines = {
        row["prefix"]: Helpline(
            country=row["country"],
            language=row["language"] or None,
            name=row["name"],
            contact=row["contact"],
            emergency=row["emergency"] or None,
        )
        for row in rows
    }
    return CrisisBook(texts=texts, helplines=helplines)


def helpline_of(book: CrisisBook, phone: str | None) -> Helpline | None:
    """The line of the longest prefix that ``phone`` (with country code) starts with, or None."""
    digits = re.sub(r"\D", "", phone or "").removeprefix("00")
    for length in range(LONGEST_PREFIX, 0, -1):
        line = book.helplines.get(digits[:length])
        if line:
            return line
    return None


def crisis_answer(
    book: CrisisBook, category: str, *, phone: str | None, language: str | None
) -> CrisisAnswer:
    """The reviewed answer for a safety category, ``self_harm_concern``, ``self_harm_other``,
    ``privacy``, ``held`` or ``output_blocked``.

    Language: ``language`` when we have it, else the country's, else English. Helpline: the
    country's by calling prefix, else the international directory; an API user without a phone
    gets the directory. An unknown category gets ``held``: never an error in a crisis.
    """  # noqa: D205 - the list of names does not fit one line
    line = helpline_of(book, phone)
    spoken = next(
        (
            name
            for name in (language, line.language if line else None)
            if name is not None and name in book.texts
        ),
        FALLBACK_LANGUAGE,
    )
    texts = book.texts[spoken]
    helpline = texts["directory"]
    if line and line.contact:
        helpline = texts["helpline_format"].format(name=line.name, contact=line.contact)
    emergency = line.emergency if line and line.emergency else texts["emergency_unknown"]
    template = texts.get(_TEXT_OF.get(category, category), texts["held"])
    return CrisisAnswer(
        text=template.format(helpline=helpline, emergency=emergency),
        helpline=helpline,
        language=spoken,
    )
