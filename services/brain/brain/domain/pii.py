"""Personal data in a text: found by form, checksum and context; masked before anyone else sees it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

TIER_1 = frozenset({"ssn", "card"})
"""Kinds that block the message (P: hard-block); all others are masked and go on."""


@dataclass(frozen=True, slots=True)
class PiiScan:
    """``masked_text`` holds a typed marker such as ``[EMAIL]`` in place of each find.

    ``kinds`` in order of appearance in the rules, each once. ``blocked``: a tier 1 kind was found.
    """

    masked_text: str
    kinds: tuple[str, ...]
    blocked: bool


def scan_pii(text: str) -> PiiScan:
    """Mask what is found. Idempotent: scanning the masked text finds nothing. Never raises."""
    kinds: list[str] = []
    for kind, pattern, holds in _RULES:
        masked = pattern.sub(_marker(kind, holds), text)
        if masked != text:
            kinds.append(kind)
            text = masked
    found = tuple(dict.fromkeys(kinds))
    return PiiScan(masked_text=text, kinds=found, blocked=bool(TIER_1.intersection(found)))


def _marker(
    kind: str, holds: Callable[[re.Match[str]], bool] | None
) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        if holds is not None and not holds(match):
            return match[0]
        keep = match.groupdict().get("keep") or ""
        return f"{keep}[{kind.upper()}]"

    return replaced


def _is_card(match: re.Match[str]) -> bool:
    """Luhn checksum over 13 to 19 digits that start as payment cards do."""
    digits = [int(ch) for ch in match[0] if ch.isdigit()]
    if not 13 <= len(digits) <= 19 or digits[0] not in {2, 3, 4, 5, 6} or len(set(digits)) == 1:
        return False
    doubled = [2 * d - 9 * (d > 4) for d in digits[-2::-2]]
    return bool((sum(digits[-1::-2]) + sum(doubled)) % 10 == 0)


def _is_ssn(match: re.Match[str]) -> bool:
    """Area 001-665 and 667-899, group 01-99, serial 0001-9999."""
    digits = "".join(str(int(ch)) for ch in match["number"] if ch.isdigit())
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _is_phone(match: re.Match[str]) -> bool:
    """8 to 15 digits; without a leading + at least 9, so that years and sums pass."""
    number: str = match["number"]
    count = sum(ch.isdigit() for ch in number)
    if _DATE.search(number):
        return False
    return 8 <= count <= 15 if number.startswith("+") else 9 <= count <= 15


_DATE = re.compile(r"(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d")
_RULES: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool] | None], ...] = (
    (
        "email",
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"),
        None,
    ),
    ("card", re.compile(r"(?<![\d+])\d(?:[ \-]?\d){12,18}(?!\d)"), _is_card),
    ("ssn", re.compile(r"(?<![\d-])(?P<number>\d{3}[- ]\d{2}[- ]\d{4})(?![\d-])"), _is_ssn),
    (
        "ssn",
        re.compile(
            r"(?i)(?P<keep>\b(?:ssn|social security(?: number)?)\D{0,12})(?P<number>\d{9})(?!\d)"
        ),
        _is_ssn,
    ),
    (
        "passport",
        re.compile(
            r"(?i)(?P<keep>\b(?:passport|pasaporte|passaporte)\b[^\d\n]{0,20}?)"
            r"\b(?=[a-z0-9]*\d{5})[a-z0-9]{6,10}\b"
        ),
        None,
    ),
    (
        "licence",
        re.compile(
            r"(?i)(?P<keep>\b(?:driv(?:er'?s?|ing) licen[cs]e|licen[cs]e number|cnh)\b[^\d\n]{0,20}?)"
            r"\b(?=[a-z0-9-]*\d{4})[a-z0-9-]{6,18}\b"
        ),
        None,
    ),
    (
        "date_of_birth",
        re.compile(
            r"(?i)(?P<keep>\b(?:born(?: on)?|d\.?o\.?b\.?|date of birth|birthday is|nac[ií]|nasci em)\b\W{0,3}(?:on |el |em )?)"
            r"(?:\d{1,4}[-./ ]\d{1,2}[-./ ]\d{1,4}"
            r"|\d{1,2}(?:st|nd|rd|th)? (?:of )?[^\W\d_]{3,10},? \d{4}|[^\W\d_]{3,10} \d{1,2}(?:st|nd|rd|th)?,? \d{4})"
        ),
        None,
    ),
    (
        "address",
        re.compile(
            r"(?i)\b\d{1,5}[a-z]? (?:[^\W\d_][\w'.-]{1,20} ){1,3}"
            r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|crescent|terrace)\b\.?"
            r"|\b(?:calle|avenida|rua|av\.) (?:[^\W\d_][\w'.-]{1,20} ){1,4},? ?(?:n[ºo°]\.? ?)?\d{1,5}\b"
        ),
        None,
    ),
    (
        "phone",
        re.compile(
            r"(?<![\w.@/])(?<!order )(?<!ticket )(?<!invoice )(?<!tracking )(?<!reference )(?<!#)"
            r"(?P<number>\+?\(?\d(?:[ ().\-]{0,2}\d){7,14})(?![\w@])"
        ),
        _is_phone,
    ),
)
