"""Which day "on Friday" is, as far as that is certain."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from brain.domain.text import fold_marks

_NAMED_GROUP = re.compile(r"\(\?P<\w+>")


@dataclass(frozen=True, slots=True)
class Days:
    """From ``first`` to ``last``, both included; one day when they are equal."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class _Expression:
    pattern: re.Pattern[str]
    means: str


class Calendar:
    """The date words of every language."""

    def __init__(self, languages: Mapping[str, Any]) -> None:
        self._numbers: dict[str, int] = {}
        self._weekdays: dict[str, int] = {}
        self._months: dict[str, int] = {}
        self._expressions: dict[str, tuple[_Expression, ...]] = {}
        self._patterns: dict[str, str] = {}
        for language, data in languages.items():
            self._add(language, data)

    def pattern(self, language: str) -> str:
        """Regex source without named groups: any date expression of the language."""
        return self._patterns[language]

    def resolve(self, words: str, language: str, at: date) -> Days | None:
        """The days meant by ``words`` said on ``at``; None when people disagree what they mean.

        A day and month without a year is the next one to come. A weekday is the next one to
        come, and None when it is today's.
        """
        for expression in self._expressions[language]:
            match = expression.pattern.fullmatch(words)
            if match is not None:
                return self._days(expression.means, match.groupdict(), at)
        return None

    def _add(self, language: str, data: Mapping[str, Any]) -> None:
        own: dict[str, str] = {}
        for name, table in (
            ("weekday", self._weekdays),
            ("month", self._months),
            ("number", self._numbers),
        ):
            forms = [fold_marks(words).split() for words in data[f"{name}s"]]
            table.update({form: place for place, group in enumerate(forms) for form in group})
            known = sorted((form for group in forms for form in group), key=len, reverse=True)
            own[name] = "|".join(map(re.escape, known))
        found = []
        for entry in data["when"]:
            source = fold_marks(entry["says"])
            for name, forms_pattern in own.items():
                digits = r"\d{1,2}|" if name == "number" else ""
                group = f"?P<{name}>" if source.count(f"%{name}%") == 1 else "?:"
                source = source.replace(f"%{name}%", f"({group}{digits}{forms_pattern})")
            source = source.replace("%day%", r"(?P<day>3[01]|[12]\d|0?[1-9])")
            found.append(_Expression(re.compile(source), entry["means"]))
        self._expressions[language] = tuple(found)
        anywhere = "|".join(_NAMED_GROUP.sub("(?:", one.pattern.pattern) for one in found)
        self._patterns[language] = rf"(?:{anywhere})(?!\w)"

    def _days(self, means: str, said: dict[str, str | None], at: date) -> Days | None:
        amount, _, unit = means.partition(" ")
        if unit in {"days", "weeks"}:
            number = self._number(said.get("number")) if amount == "number" else int(amount)
            return _after(at, number, unit)
        if means == "weekday":
            ahead = (self._weekdays[said["weekday"] or ""] - at.weekday()) % 7
            return _single(at + timedelta(days=ahead)) if ahead else None
        if means == "date":
            month = said.get("month")
            return _next_date(at, int(said["day"] or 0), self._months[month] + 1 if month else None)
        if means == "next month":
            first = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
            return Days(first, first.replace(day=monthrange(first.year, first.month)[1]))
        if means == "weekend":
            saturday = at + timedelta(days=(5 - at.weekday()) % 7)
            return Days(saturday, saturday + timedelta(days=1)) if at.weekday() < 5 else None
        return None

    def _number(self, word: str | None) -> int:
        if word is None:
            return 1
        return int(word) if word.isdecimal() else self._numbers[word] + 1


def _after(at: date, number: int, unit: str) -> Days:
    if unit == "days":
        return _single(at + timedelta(days=number))
    monday = at + timedelta(days=7 * number - at.weekday())
    return Days(monday, monday + timedelta(days=6))


def _single(day: date) -> Days:
    return Days(day, day)


def _next_date(at: date, day: int, month: int | None) -> Days | None:
    """The next such day from ``at`` on; None when that month has no such day."""
    months = [(at.year, at.month), (at.year + at.month // 12, at.month % 12 + 1)]
    if month is not None:
        months = [(at.year, month), (at.year + 1, month)]
    for year, number in months:
        if day <= monthrange(year, number)[1] and date(year, number, day) >= at:
            return _single(date(year, number, day))
    return None
