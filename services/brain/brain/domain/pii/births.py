"""Dates of birth: a full date, with its year, beside a word for being born."""

import re
from collections.abc import Iterator

from brain.domain.pii.checksums import is_date
from brain.domain.pii.reading import VOWEL_SIGNS, WORD, Cue, Find, Line, words

LAST_BIRTHDAY = 2020
"""The latest year that a date told as "my birthday" may have: a later one is when the party is."""

_NAME = rf"[^\W\d_](?:[^\W\d_]|[{VOWEL_SIGNS}])+"
_YEAR = r"(?:(?:19|20)\d{2}|'?\d{2})"
_JOIN = r"[ ,.\-/]{0,3}(?:(?:of|de|del|do|th|the) ){0,2}"
_DATE = re.compile(
    r"(?<![\w/])(?:"
    r"(?P<y1>(?:19|20)\d{2}) ?[-./] ?(?P<m1>\d{1,2}) ?[-./] ?(?P<d1>\d{1,2})"
    r"|(?P<a2>\d{1,2})(?: ?[-./] ?| )(?P<b2>\d{1,2})(?: ?[-./] ?| )(?P<y2>(?:19|20)\d{2}|\d{2})"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th|er|o|a)?{_JOIN}(?P<n3>{_NAME}){_JOIN}(?P<y3>{_YEAR})"
    rf"|(?P<n4>{_NAME}) (?:the )?(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?[ ,.]{{1,3}}(?:of )?(?P<y4>{_YEAR})"
    rf"|(?P<y5>(?:19|20)\d{{2}})[ ,.\-]{{1,3}}(?P<n5>{_NAME})[ .\-]{{1,2}}(?P<d5>\d{{1,2}})"
    r"|(?P<c6>\d{8}))(?![\w]|[-/]\d)"
)
_SENTENCE = re.compile(r"[?!\n;]|\.\s+[^\W\d_]{3,}\s")


def births(line: Line) -> Iterator[Find]:
    """Every such date; the word may stand before it or after it."""
    if line.digits < 3 or not line.has("birth", "birthday"):
        return
    for match in _DATE.finditer(line.plain):
        year = _year(match)
        if year is None:
            continue
        cue = _teller(line, match)
        if cue is None:
            continue
        if "birth" not in cue.names and year > LAST_BIRTHDAY:
            continue
        yield Find(match.start(), match.end(), "date_of_birth")


def _teller(line: Line, match: re.Match[str]) -> Cue | None:
    cue = line.before(match.start(), 45)
    if _tells(cue) and cue is not None and _near(line.plain[cue.end : match.start()], 6):
        return cue
    cue = line.after(match.end(), 25)
    if _tells(cue) and cue is not None and _near(line.plain[match.end() : cue.start], 4):
        return cue
    return None


def _tells(cue: Cue | None) -> bool:
    return cue is not None and not cue.names.isdisjoint(("birth", "birthday"))


def _near(gap: str, most_words: int) -> bool:
    gap_words = WORD.findall(gap)
    if len(gap_words) > most_words or _SENTENCE.search(gap):
        return False
    book = words().sets
    return book["breaks"].isdisjoint(set(gap_words) - book["links"])


def _year(match: re.Match[str]) -> int | None:
    """The year when the match is a day of the calendar, either order of day and month."""
    group = match.groupdict()
    if group["c6"]:
        return _compact(group["c6"])
    months = words().months
    for place in "345":
        name = group[f"n{place}"]
        if name:
            month = months.get(name)
            return _checked(group[f"y{place}"], month, group[f"d{place}"]) if month else None
    if group["y1"]:
        return _checked(group["y1"], int(group["m1"]), group["d1"])
    day_first = _checked(group["y2"], int(group["b2"]), group["a2"])
    return day_first or _checked(group["y2"], int(group["a2"]), group["b2"])


def _compact(digits: str) -> int | None:
    return (
        _checked(digits[4:], int(digits[2:4]), digits[:2])
        or _checked(digits[4:], int(digits[:2]), digits[2:4])
        or _checked(digits[:4], int(digits[4:6]), digits[6:])
    )


def _checked(year: str, month: int, day: str) -> int | None:
    number = int(year.lstrip("'"))
    if number < 100:
        number += 1900 if number > 35 else 2000
    return number if is_date(number, month, int(day)) else None
