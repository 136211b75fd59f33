"""Reviewed answers for moments when no language model may speak, with the country's helplines.

The texts are in ``data/crisis.toml``, the lines in ``data/helplines.yaml``; the head of each file
says what was checked and what was not.
"""

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from typing import Any

import phonenumbers
import yaml

FALLBACK_LANGUAGE = "en"
LIMITED = "limited"
"""Hours of a line that is not open day and night and keeps different hours on different days."""
KINDS = ("suicide", "abuse", "child")
"""What a line is for: suicide, self-harm and acute distress; violence and abuse at home or of a
sexual kind; children and those who worry about one."""

_CRISIS_LINES = ("suicide",)
_KINDS_FOR = {"abuse": ("abuse", "child"), "sexual_minors": ("child",)}
"""Kinds that a category's answer names, where it is not the crisis line."""
_POLICE_MATTERS = frozenset({"abuse", "violence", "harassment", "illegal", "sexual_minors"})
"""Categories whose emergency is the police's, where the police have a number of their own."""
_TEXT_OF = {
    "hate": "harassment",
    "pii_extraction": "refusal",
    "legal_advice_request": "legal_referral",
    "financial_advice_request": "financial_referral",
}
"""Categories of the safety check whose answer has another name."""
_PARTS = frozenset(
    {
        *("helpline_format", "option_format", "texts_format", "hours_format", "limited_format"),
        *("child_format", "directory", "emergency_unknown"),
    }
)
"""Names in ``data/crisis.toml`` that are no answers."""
_PLACES = frozenset({"helpline", "emergency", "name", "contact", "option", "hours", "line"})
_HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?")
_MEXICAN_MOBILE = re.compile(r"521(?=\d{10}$)")
"""WhatsApp still writes the 1 that Mexico dropped from its mobile numbers in 2019."""
_LEFT_TO_RIGHT, _FIRST_STRONG, _END = "\u2066", "\u2068", "\u2069"
"""Unicode isolates: without them a right-to-left paragraph swaps the parts of a number."""
_RIGHT_TO_LEFT = frozenset({"ar"})
_WARMERS = ("+14165550123", "+18765550123", "+77011234567", "+79161234567")
"""Numbers under the calling codes that countries with different lines share."""


@dataclass(frozen=True, slots=True)
class Helpline:
    """One line of one country.

    ``contact``: a number as dialled inside the country, or a site; ``option``: the key to press
    after dialling; ``options``: that key for speakers of a language. ``texts``: the same number
    takes text messages. ``hours``: local time each day, such as ``09:00-05:00``, or ``LIMITED``;
    None for always. ``source``: who publishes the number. ``confirmed``: on ``entered`` it was seen
    in the text that ``seen_in`` names; nobody called it.
    """

    kind: str
    name: str
    contact: str
    languages: tuple[str, ...]
    source: str
    entered: date
    confirmed: bool
    seen_in: str | None = None
    option: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    hours: str | None = None
    texts: bool = False


@dataclass(frozen=True, slots=True)
class CountryHelp:
    """What is known of a country. Without a line of a kind, the international directory is named.

    ``region``: ISO 3166-1 alpha-2. ``emergency``: for any danger to life, ``police`` where that is
    another number. ``language``: of the texts for a person whose language is not known. ``source``,
    ``entered`` and ``confirmed`` speak for the emergency numbers.
    """

    region: str
    emergency: str
    source: str
    entered: date
    confirmed: bool
    police: str | None = None
    language: str | None = None
    lines: tuple[Helpline, ...] = ()


@dataclass(frozen=True, slots=True)
class CrisisAnswer:
    """``text`` as the person sees it, and its language.

    ``helpline``: the line or lines that it names, or the directory; None when it names none.
    """

    text: str
    helpline: str | None
    language: str


@dataclass(frozen=True, slots=True)
class CrisisBook:
    """``texts[language][name]``, the help of each region, and whose lines a territory shares."""

    texts: Mapping[str, Mapping[str, str]]
    countries: Mapping[str, CountryHelp]
    shares: Mapping[str, str]


def load_crisis_book() -> CrisisBook:
    """Texts and helplines of this package. Call it once, where the service is wired.

    Raises ValueError naming the entry at fault.
    """
    data = resources.files("brain.domain") / "data"
    texts = parse_texts((data / "crisis.toml").read_text(encoding="utf-8"))
    countries, shares = parse_helplines((data / "helplines.yaml").read_text(encoding="utf-8"))
    for number in _WARMERS:
        region_of(number)
    return CrisisBook(texts, countries, shares)


def region_of(phone: str | None) -> str | None:
    """The ISO 3166 region of a phone with country code, with or without ``+`` or ``00``.

    None for a hidden, impossible or unassigned number; never raises. About 0.03 ms; the first
    number of a country takes a few milliseconds, which ``load_crisis_book`` spends beforehand for
    the codes that countries share.
    """
    number = _parsed(phone)
    return phonenumbers.region_code_for_number(number) if number else None


def country_of(book: CrisisBook, phone: str | None) -> CountryHelp | None:
    """The help of the country of ``phone``, None when it cannot be told or is not in the book.

    A number too new for the table of its country still has one, where its calling code is not
    shared by countries with different lines: +44 is British, +1 nobody's.
    """
    number = _parsed(phone)
    if number is None:
        return None
    region = phonenumbers.region_code_for_number(number)
    regions = (
        (region,)
        if region
        else phonenumbers.region_codes_for_country_code(number.country_code or 0)
    )
    homes = {book.shares.get(each, each) for each in regions}
    return book.countries.get(homes.pop()) if len(homes) == 1 else None


def helpline_of(
    book: CrisisBook, phone: str | None, category: str = "self_harm"
) -> Helpline | None:
    """The first line of the country of ``phone`` that an answer for ``category`` names, or None."""
    country = country_of(book, phone)
    kinds = _KINDS_FOR.get(category, _CRISIS_LINES)
    return next((line for kind in kinds for line in _lines(country, kind)), None)


def crisis_answer(
    book: CrisisBook, category: str, *, phone: str | None, language: str | None
) -> CrisisAnswer:
    """The reviewed answer for a safety category or for one of the names in ``data/crisis.toml``.

    Language: ``language`` when we have it, else the country's, else English. Helpline: the
    country's for this category, else the international directory. An unknown category gets
    ``held``: never an error in a crisis.
    """
    country = country_of(book, phone)
    choices = (language, country.language if country else None)
    spoken = next((name for name in choices if name in book.texts), None) or FALLBACK_LANGUAGE
    texts = book.texts[spoken]
    name = _TEXT_OF.get(category, category)
    template = texts[name] if name in texts.keys() - _PARTS else texts["held"]
    helpline = _named(country, category, texts, spoken)
    return CrisisAnswer(
        text=template.format(
            helpline=helpline, emergency=_emergency(country, category, texts, spoken)
        ),
        helpline=helpline if "{helpline}" in template else None,
        language=spoken,
    )


def parse_helplines(source: str) -> tuple[dict[str, CountryHelp], dict[str, str]]:
    """The countries and shared territories of ``data/helplines.yaml``.

    Raises ValueError naming the entry: an unknown country, a number that is not text, a missing
    source, a date that is none.
    """
    try:
        data = yaml.safe_load(source)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"helplines: {error}") from error
    if not isinstance(data, dict) or not data.keys() >= {"countries", "shares"}:
        raise ValueError("helplines: countries or shares are missing")
    countries = {_region(code): _country(code, entry) for code, entry in data["countries"].items()}
    shares = {_region(code): _region(home) for code, home in data["shares"].items()}
    for code, home in shares.items():
        if code in countries or home not in countries:
            raise ValueError(f"helplines: {code} cannot share the lines of {home}")
    return countries, shares


def parse_texts(source: str) -> dict[str, dict[str, str]]:
    """The texts of ``data/crisis.toml`` by language and name.

    Raises ValueError naming the language and text: missing, or with a place that we never fill.
    """
    texts: dict[str, dict[str, str]] = tomllib.loads(source)
    names = texts[FALLBACK_LANGUAGE].keys()
    for language, own in texts.items():
        if own.keys() != names:
            raise ValueError(f"crisis texts: {language} differs in {sorted(own.keys() ^ names)}")
        for name, text in own.items():
            places = {place for _, place, _, _ in string.Formatter().parse(text) if place}
            if not places <= _PLACES:
                raise ValueError(f"crisis texts: {language} {name} has {sorted(places - _PLACES)}")
    return texts


def _parsed(phone: str | None) -> phonenumbers.PhoneNumber | None:
    """The number, None when there is none or no country has numbers of that length."""
    digits = "".join(str(int(each)) for each in phone or "" if each.isdecimal())
    digits = _MEXICAN_MOBILE.sub("52", digits.removeprefix("00"))
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _lines(country: CountryHelp | None, kind: str) -> list[Helpline]:
    return [line for line in country.lines if line.kind == kind] if country else []


def _named(
    country: CountryHelp | None, category: str, texts: Mapping[str, str], spoken: str
) -> str:
    """The lines of an answer, led by the directory where the country has none of the first kind."""
    kinds = _KINDS_FOR.get(category, _CRISIS_LINES)
    shown = [_shown(line, texts, spoken) for kind in kinds for line in _lines(country, kind)]
    if not _lines(country, kinds[0]):
        shown.insert(0, texts["directory"])
    return "; ".join(shown)


def _shown(line: Helpline, texts: Mapping[str, str], spoken: str) -> str:
    """A line as a reader of ``spoken`` sees it: "Name: number, option 2 (call or text)"."""
    contact = _isolated(line.contact, spoken)
    option = line.options.get(spoken, line.option)
    if option:
        contact = texts["option_format"].format(contact=contact, option=_isolated(option, spoken))
    if line.texts:
        contact = texts["texts_format"].format(contact=contact)
    if line.hours == LIMITED:
        contact = texts["limited_format"].format(contact=contact)
    elif line.hours:
        hours = _isolated(line.hours, spoken)
        contact = texts["hours_format"].format(contact=contact, hours=hours)
    name = _isolated(line.name, spoken, _FIRST_STRONG)
    shown = texts["helpline_format"].format(name=name, contact=contact)
    return texts["child_format"].format(line=shown) if line.kind == "child" else shown


def _emergency(
    country: CountryHelp | None, category: str, texts: Mapping[str, str], spoken: str
) -> str:
    if country is None:
        return texts["emergency_unknown"]
    police = country.police if category in _POLICE_MATTERS else None
    return _isolated(police or country.emergency, spoken)


def _isolated(text: str, spoken: str, opening: str = _LEFT_TO_RIGHT) -> str:
    return f"{opening}{text}{_END}" if spoken in _RIGHT_TO_LEFT else text


def _region(code: object) -> str:
    if not isinstance(code, str) or code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"helplines: {code!r} is no country with telephones")
    return code


def _country(code: str, entry: Mapping[str, Any]) -> CountryHelp:
    where = f"helplines: {code}"
    lines = tuple(
        _line(f"{where} line {number}", line)
        for number, line in enumerate(entry.get("lines", ()), start=1)
    )
    language = entry.get("language")
    return CountryHelp(
        region=code,
        emergency=_text(where, entry, "emergency"),
        police=_text(where, entry, "police") if "police" in entry else None,
        language=None if language is None else _text(where, entry, "language"),
        lines=lines,
        source=_text(where, entry, "source"),
        entered=_day(where, entry),
        confirmed=_flag(where, entry, "confirmed"),
    )


def _line(where: str, entry: Mapping[str, Any]) -> Helpline:
    line = Helpline(
        kind=_text(where, entry, "kind"),
        name=_text(where, entry, "name"),
        contact=_text(where, entry, "contact"),
        languages=tuple(entry.get("languages", ())),
        source=_text(where, entry, "source"),
        entered=_day(where, entry),
        confirmed=_flag(where, entry, "confirmed"),
        seen_in=_text(where, entry, "seen_in") if "seen_in" in entry else None,
        option=_text(where, entry, "option") if "option" in entry else None,
        options=dict(entry.get("options", {})),
        hours=_text(where, entry, "hours") if "hours" in entry else None,
        texts=_flag(where, entry, "texts") if "texts" in entry else False,
    )
    faults = {
        "kind": line.kind not in KINDS,
        "languages": not line.languages
        or not all(_LANGUAGE.fullmatch(str(name)) for name in line.languages),
        "options": not line.options.keys() <= set(line.languages),
        "hours": line.hours not in {None, LIMITED} and not _HOURS.fullmatch(line.hours or ""),
        "seen_in": line.confirmed and line.seen_in is None,
    }
    for name in (name for name, wrong in faults.items() if wrong):
        raise ValueError(f"{where}: {name} is missing or wrong")
    return line


def _text(where: str, entry: Mapping[str, Any], name: str) -> str:
    """YAML reads an unquoted 024 as twenty: only text is a number that can be dialled."""
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: {name} is missing or not text")
    return value


def _day(where: str, entry: Mapping[str, Any]) -> date:
    value = entry.get("entered")
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{where}: entered {value!r} is no date") from error


def _flag(where: str, entry: Mapping[str, Any], name: str) -> bool:
    value = entry.get(name)
    if not isinstance(value, bool):
        raise ValueError(f"{where}: {name} is neither true nor false")  # noqa: TRY004 - one kind of error
    return value
