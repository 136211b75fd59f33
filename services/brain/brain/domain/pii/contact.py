"""How to reach a person: mail, phone, payment handle; and the network address they write from."""

import ipaddress
import re
from collections.abc import Iterator
from itertools import pairwise

from phonenumbers import Leniency, PhoneNumberMatcher, PhoneNumberType, number_type

from brain.domain.language import detect
from brain.domain.pii.numbers import disowned
from brain.domain.pii.reading import Find, Line, words

REGIONS = {
    "en": ("US", "GB", "IN"),
    "es": ("MX", "ES", "AR", "CO"),
    "pt": ("BR", "PT"),
    "hi": ("IN",),
    "hi-Latn": ("IN",),
    "ar": ("EG", "SA", "AE"),
}
"""Whose national numbers a line in a language may hold, the most likely first."""
ANYWHERE = ("US", "IN", "GB")
"""For a line whose language is not known: a bare number, most often."""
FEWEST_DIGITS = 7
"""A shorter number is a short code, which belongs to nobody."""

_NOT_PERSONAL = frozenset({
    PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN,
})  # fmt: skip
"""Helplines and hotlines."""

_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@-])")
_AT = r"(?:\s*[(\[{<]\s*(?:at|arroba|@)\s*[)\]}>]\s*|\s*@\s*|\s+(?:arroba|at the rate of|at the rate|एट द रेट|एट|ऐट|آت|ات|اتساين)\s+)"
_PLAIN_AT = r"(?:\s+at\s+)"
_DOT = r"(?:\s*[(\[{<]\s*(?:dot|punto|ponto|\.)\s*[)\]}>]\s*|\s+(?:dot|punto|ponto|डॉट|डोट|دوت|نقطه)\s+|\s?\.\s?)"
_SPOKEN_DOT = r"(?:\s*[(\[{<]\s*(?:dot|punto|ponto|\.)\s*[)\]}>]\s*|\s+(?:dot|punto|ponto|डॉट|डोट|دوت|نقطه)\s+)"
_LETTERS = "\\w\u0900-\u0963"
_LOCAL = rf"(?<![\w.+-])(?P<local>[{_LETTERS}.+-]{{1,40}}(?:\s+(?:dot|punto|ponto|underscore|guion bajo|guion|dash|डॉट|دوت)\s+[{_LETTERS}+-]{{1,30}}){{0,3}})"
_HOST = rf"(?P<host>[{_LETTERS}-]{{2,40}})"
_TAIL = r"(?P<tail>[^\W\d_]{2,12}|कॉम|कोम|इन|كوم)(?:\s?(?:\.|dot|punto|ponto)\s?(?:br|mx|ar|in|uk|es|pt|eg|sa|ae|co|com)\b)?(?![\w@])"
_SPELLED_MAIL = re.compile(
    rf"{_LOCAL}(?:{_AT}{_HOST}{_DOT}|(?P<plain_at>{_PLAIN_AT}){_HOST.replace('host', 'host2')}"
    rf"{_SPOKEN_DOT}){_TAIL}"
)
_SPELLED_HINTS = (
    "dot", "punto", "ponto", "arroba", "(at)", "[at]", "{at}", "<at>", "@", "at the rate", "डॉट", "डोट", "دوت", "نقط", "ات", "एट",
)  # fmt: skip
_UPI = re.compile(r"(?<![\w.+-])[\w.-]{2,64}@(?P<host>[a-z]{2,20})(?![\w.@-]\w|[\w@])")

_PHONE_LIKE = re.compile(
    r"(?<![\w@=#$€£₹])(?<![\d\w][./:,_-])[+(]{0,2}\d(?:[ ().\-/]{0,3}\d){6,40}(?![\w@%])"
)
_DATE_LIKE = re.compile(
    r"(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|(?<!\d)\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d(?!\d)"
    r"|(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d(?!\d)|\d{1,2}:\d\d"
)
_URL = re.compile(r"(?:https?://|www\.)\S+")
_IP4 = re.compile(r"(?<![\w.:/-])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|[.-]\d)")
_IP6 = re.compile(r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:.]\w|[\w:])")


def mails(line: Line) -> Iterator[Find]:
    """Mail addresses, also spelled out: "name at gmail dot com", "nombre arroba correo punto es"."""
    if "@" in line.plain:
        for match in _MAIL.finditer(line.plain):
            yield Find(match.start(), match.end(), "email")
    if not any(hint in line.plain for hint in _SPELLED_HINTS):
        return
    for match in _SPELLED_MAIL.finditer(line.plain):
        if _is_spelled_mail(line, match):
            yield Find(match.start(), match.end(), "email")


def _is_spelled_mail(line: Line, match: re.Match[str]) -> bool:
    if match["plain_at"] is None:
        # A bare "@" with dots and no blanks at all is the plain form, which has decided already.
        return any(ch.isspace() or ch in "([{<" for ch in match[0])
    book = words().sets
    if match["local"].split()[-1] in book["not_mail_names"]:
        return False
    return match["host2"] in book["mail_hosts"] or line.has("email")


def payment_handles(line: Line) -> Iterator[Find]:
    """UPI handles: a name at a payment bank."""
    if "@" not in line.plain:
        return
    known = words().sets["upi_hosts"]
    for match in _UPI.finditer(line.plain):
        if match["host"] in known:
            yield Find(match.start(), match.end(), "upi")


def phones(line: Line) -> Iterator[Find]:
    """Phone numbers: international ones, and those valid where the line's language is spoken.

    A word such as "call" beside it also admits a number that is merely possible. Helplines and
    other numbers of companies are nobody's data.
    """
    if line.digits < FEWEST_DIGITS:
        return
    candidates = [m for m in _PHONE_LIKE.finditer(line.plain) if _may_be_phone(line, m)]
    if not candidates:
        return
    regions = _regions(line)
    for match in candidates:
        named = _is_named_phone(line, match)
        for start, end in _numbers_in(match, regions, named=named):
            yield Find(start, end, "phone")


def _regions(line: Line) -> tuple[str, ...]:
    spoken = REGIONS.get(detect(line.raw[:300]) or "", ANYWHERE)
    if line.region is None:
        return spoken
    return tuple(dict.fromkeys((line.region, *spoken)))


def _may_be_phone(line: Line, match: re.Match[str]) -> bool:
    text = match[0]
    if _DATE_LIKE.search(text) and not text.startswith("+"):
        return False
    if disowned(line, match.start(), match.end()):
        return False
    return not any(url.start() < match.start() < url.end() for url in _URL.finditer(line.plain))


def _is_named_phone(line: Line, match: re.Match[str]) -> bool:
    """Whether the nearest words say that this is a number to call."""
    cue = line.before(match.start(), 45)
    if cue is not None:
        if "phone" in cue.names:
            return True
        if line.plain[cue.end : match.start()].strip(" :=") == "":
            return False
    cue = line.after(match.end(), 20)
    return cue is not None and "phone" in cue.names


def _numbers_in(
    match: re.Match[str], regions: tuple[str, ...], *, named: bool
) -> Iterator[tuple[int, int]]:
    text = match[0]
    for region in regions:
        found = [
            (one.start, one.end)
            for one in PhoneNumberMatcher(text, region, leniency=_leniency(text, named=named))
            if number_type(one.number) not in _NOT_PERSONAL and _enough(one.raw_string, named=named)
        ]
        if found and _whole(text, found):
            for start, end in found:
                yield match.start() + start, match.start() + end
            return


def _leniency(text: str, *, named: bool) -> int:
    return Leniency.POSSIBLE if named or text.startswith("+") else Leniency.VALID


def _enough(raw: str, *, named: bool) -> bool:
    """Digits: bare local numbers of eight digits or fewer are phones only where a word says so."""
    count = sum(ch.isdigit() for ch in raw)
    return count >= FEWEST_DIGITS if named or raw.startswith("+") else count >= FEWEST_DIGITS + 2


def _whole(text: str, found: list[tuple[int, int]]) -> bool:
    """No number found is a piece of a longer one: between and around them are blanks or slashes."""
    edges = [0, *(place for span in found for place in span), len(text)]
    return all(_BETWEEN.fullmatch(text, left, right) for left, right in list(pairwise(edges))[::2])


_BETWEEN = re.compile(r"(?:\s*[/,]\s*|\s+)?|(?:\(?\s*)|(?:\s+\d{1,3})")


def addresses_of_machines(line: Line) -> Iterator[Find]:
    """IP addresses that may lead to a person: not versions, not a machine's own loopback."""
    if line.digits < 4 and ":" not in line.plain:
        return
    for match in _IP4.finditer(line.plain):
        cue = line.before(match.start(), 20)
        if cue is not None and "version" in cue.names:
            continue
        if _is_ip(match[0]):
            yield Find(match.start(), match.end(), "ip_address")
    if line.plain.count(":") >= 2:
        for match in _IP6.finditer(line.plain):
            if (
                any(ch.isdigit() for ch in match[0])
                and match[0].count(":") > 2
                and _is_ip(match[0])
            ):
                yield Find(match.start(), match.end(), "ip_address")


def _is_ip(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
