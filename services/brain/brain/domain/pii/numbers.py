"""Payment cards and identity numbers: by checksum, by form, or by the words beside them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from brain.domain.pii import checksums
from brain.domain.pii.reading import Find, Line, told, words

GLUE = r"(?: ?[-.] ?| {1,2})"
"""What may stand between groups of one number."""

_GROUPED = re.compile(rf"(?<![\w.,/@+-])\d(?:{GLUE}?\d){{12,80}}(?![\w@])")
_DIGITS = re.compile(r"\d+")
_CARD_GROUPS = frozenset({
    (4, 4, 4, 4), (4, 4, 4, 1), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (6, 13), (8, 8), (6, 10), (6, 4, 4),
    (4, 4, 4, 3), (4, 4, 4, 2), (4, 4, 8), (4, 8, 4), (4, 12), (5, 5, 5), (4, 4, 5), (4, 5, 4), (4, 4, 4, 5), (4, 4, 4, 6),
})  # fmt: skip
"""How cards are written without a word that says card."""

_SSN_FORM = re.compile(r"(?<![\w.,/+-])(?<!\d )\d{3}-\d{2}-\d{4}(?![\w-]|[.,/]\d)")
_SSN_TOLD = re.compile(r"(?<![\w])\d{3}(?: ?[-.] ?| )?\d{2}(?: ?[-.] ?| )?\d{4}(?![\w]|[-.]\d)")
_CLOSED = r"(?![\w]|[-./@]\w)"
_OPEN = r"(?<![\w@])(?<![\w][-./])"


@dataclass(frozen=True, slots=True)
class Identity:
    """One kind of identity number.

    ``told``: its form where one of ``cues`` speaks of it. ``bare``: a form special enough to stand
    alone, None where there is none. Both need ``holds`` of the bare characters.
    """

    kind: str
    cues: tuple[str, ...]
    told: re.Pattern[str]
    bare: re.Pattern[str] | None
    holds: Callable[[str], bool]
    digits: int


def _form(source: str) -> re.Pattern[str]:
    return re.compile(_OPEN + source + _CLOSED)


def _any(_: str) -> bool:
    return True


def _passport(text: str) -> bool:
    digits = sum(ch.isdigit() for ch in text)
    if digits == len(text):
        return 8 <= digits <= 9
    return 6 <= len(text) <= 10 and digits >= 5


def _licence(text: str) -> bool:
    digits = sum(ch.isdigit() for ch in text)
    return (6 <= len(text) <= 18 and digits >= 5) or (len(text) == 16 and digits >= 7)


def _account(text: str) -> bool:
    return 6 <= sum(ch.isdigit() for ch in text) <= 20


_IDENTITIES = (
    Identity(
        "cpf", ("cpf",), _form(r"\d{3}[. ]?\d{3}[. ]?\d{3}[- .]{0,2}\d{2}"),
        _form(r"\d{3}\.\d{3}\.\d{3}[-.]\d{2}|\d{9}-?\d{2}"), checksums.is_cpf, 11,
    ),
    Identity(
        "cnpj", ("cnpj",), _form(r"\d{2}[. ]?\d{3}[. ]?\d{3} ?/? ?\d{4}[- ]?\d{2}"),
        _form(r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}"), checksums.is_cnpj, 14,
    ),
    Identity(
        "emirates_id", ("national_id",), _form(r"784[- ]?\d{4}[- ]?\d{7}[- ]?\d"),
        _form(r"784[- ]?\d{4}[- ]?\d{7}[- ]?\d"), checksums.is_emirates_id, 15,
    ),
    Identity(
        "egypt_id", ("national_id",), _form(r"[23](?: ?\d){13}"), _form(r"[23]\d{13}"),
        checksums.is_egypt_id, 14,
    ),
    Identity(
        "aadhaar", ("aadhaar",), _form(r"[2-9]\d{3}[- .]?\d{4}[- .]?\d{4}"),
        _form(r"[2-9]\d{3}([- ])\d{4}\1\d{4}(?!\1\d)"), checksums.is_aadhaar, 12,
    ),
    Identity(
        "cuit", ("cuit",), _form(r"\d{2}[- .]?\d{8}[- .]?\d"), _form(r"[23]\d-\d{8}-\d"),
        checksums.is_cuit, 11,
    ),
    Identity(
        "curp", ("curp",), _form(r"[a-z]{4}\d{6}[a-z]{6}\w\d"), _form(r"[a-z]{4}\d{6}[a-z]{6}\w\d"),
        checksums.is_curp, 7,
    ),
    Identity(
        "rfc", ("rfc",), _form(r"[a-z&]{3,4}[- ]?\d{6}[- ]?[a-z0-9]{3}"),
        _form(r"[a-z&]{3,4}[- ]?\d{6}[- ]?[a-z0-9]{2}[0-9a]"), checksums.is_rfc, 6,
    ),
    Identity(
        "pan", ("pan",), _form(r"[a-z]{5} ?\d{4} ?[a-z]"), _form(r"[a-z]{5}\d{4}[a-z]"),
        checksums.is_pan, 4,
    ),
    Identity(
        "nino", ("nino",), _form(r"[a-z]{2}(?:[ -]?\d{2}){3}[ -]?[a-d]"),
        _form(r"[a-z]{2}(?:\d{6}|(?: \d{2}){3} ?|(?:-\d{2}){3}-?)[a-d]"), checksums.is_nino, 6,
    ),
    Identity(
        "dni", ("dni",), _form(r"(?:\d{8}|\d{1,2}\.\d{3}\.\d{3}|[xyz][- .]?\d{7})[- .]{0,2}[a-z]"),
        _form(r"(?:\d{8}|\d{2}\.\d{3}\.\d{3}|[xyz]-?\d{7})-?[a-z]"), checksums.is_dni, 7,
    ),
    Identity("nif", ("nif",), _form(r"\d{3}[ .]?\d{3}[ .]?\d{3}"), None, checksums.is_nif, 9),
    Identity("nhs", ("nhs",), _form(r"\d{3}[- ]?\d{3}[- ]?\d{4}"), None, checksums.is_nhs, 10),
    Identity(
        "saudi_id", ("national_id",), _form(r"[12]\d{9}"), None, checksums.is_saudi_id, 10
    ),
    Identity(
        "passport", ("passport",),
        _form(r"(?:[a-z]{1,3} ?-?\d{5,9}|[a-z]\d{2} ?\d{5,6}|[a-z0-9]{0,2}\d{4,9}[a-z]?)"),
        None, _passport, 5,
    ),
    Identity(
        "licence", ("licence",),
        _form(r"(?=[a-z0-9/ -]{0,12}\d{3})(?:[a-z]{1,6}[- /]?)?[a-z0-9]{0,6}\d[a-z0-9]{1,16}(?:[- ](?=[a-z]{0,3}\d)[a-z0-9]{2,13}){0,4}"),
        None, _licence, 5,
    ),
    Identity(
        "ifsc", ("ifsc",), _form(r"[a-z]{4} ?0[a-z0-9]{6}"), _form(r"[a-z]{4}0\d{6}"),
        checksums.is_ifsc, 1,
    ),
    Identity(
        "routing", ("routing",), _form(r"\d{4}[- ]?\d{4}[- ]?\d|\d{3} \d{3} \d{3}"), None, checksums.is_routing, 9
    ),
    Identity("sort_code", ("sort_code",), _form(r"\d{2}([- ]?)\d{2}\1\d{2}"), None, _any, 6),
    Identity(
        "bank_account", ("account",), _form(r"\d(?:[- .]?\d){4,21}(?:[-/. ]?[\dx])?"), None, _account, 6
    ),
    Identity(
        "national_id", ("national_id", "dni"),
        _form(r"(?:[a-z]{1,2}[- ]?)?\d(?:[-. ]?\d){5,16}(?:-[\dx])?"), None, _account, 6,
    ),
)  # fmt: skip
"""In the order in which they win where two of them fit the same characters."""


def cards(line: Line) -> Iterator[Find]:
    """Payment cards: any run of whole digit groups with 13 to 19 digits that is one."""
    if line.digits < 13:
        return
    named = line.has("card", "cvv")
    for run in _GROUPED.finditer(line.plain):
        groups = [
            (m.start(), m.end()) for m in _DIGITS.finditer(line.plain, run.start(), run.end())
        ]
        first = 0
        while first < len(groups):
            last = _card_end(line, groups, first, named=named)
            if last is None:
                first += 1
                continue
            yield Find(groups[first][0], groups[last][1], "card")
            first = last + 1


def _card_end(line: Line, groups: list[tuple[int, int]], first: int, *, named: bool) -> int | None:
    """The longest card that starts with group ``first``: the place of its last group."""
    digits = ""
    sizes: tuple[int, ...] = ()
    found = None
    for place in range(first, len(groups)):
        start, end = groups[place]
        digits += line.plain[start:end]
        sizes += (end - start,)
        if len(digits) > 19:
            break
        shaped = named or len(sizes) == 1 or sizes in _CARD_GROUPS or set(sizes) == {1}
        if len(digits) >= 13 and shaped and checksums.is_card(digits, named=named):
            found = place
    return found


def social_security(line: Line) -> Iterator[Find]:
    """US Social Security numbers and ITINs: with hyphens anywhere, otherwise where a word says so."""
    if line.digits < 9:
        return
    for match in _SSN_FORM.finditer(line.plain):
        if _is_ssn(match) and not disowned(line, match.start(), match.end()):
            yield Find(match.start(), match.end(), "ssn")
    for match in told(line, ("ssn",), _SSN_TOLD, _is_ssn):
        yield Find(match.start(), match.end(), "ssn")


def _is_ssn(match: re.Match[str]) -> bool:
    return checksums.is_ssn(bare(match[0]))


def identities(line: Line) -> Iterator[Find]:
    """Passports, licences, national and tax numbers, bank details."""
    for identity in _IDENTITIES:
        if line.digits < identity.digits:
            continue
        yield from _identity(line, identity)


def _identity(line: Line, identity: Identity) -> Iterator[Find]:
    def holds(match: re.Match[str]) -> bool:
        return identity.holds(bare(match[0]))

    for match in told(line, identity.cues, identity.told, holds):
        yield Find(match.start(), match.end(), identity.kind)
    if identity.bare is None:
        return
    for match in identity.bare.finditer(line.plain):
        if holds(match) and not disowned(line, match.start(), match.end()):
            yield Find(match.start(), match.end(), identity.kind)


def ibans(line: Line) -> Iterator[Find]:
    """Bank account numbers of ISO 13616, in one piece or in groups of four."""
    if line.digits < 8:
        return
    for match in _IBAN.finditer(line.plain):
        text = match[0]
        while len(bare(text)) > 14:
            if checksums.is_iban(bare(text)):
                yield Find(match.start(), match.start() + len(text), "iban")
                break
            text = text[:-1].rstrip(" -.")


_IBAN = re.compile(r"(?<!\w)[a-z]{2}[ -]?\d{2}(?:[ -]?[a-z0-9]){11,34}")


def bare(text: str) -> str:
    """``text`` without separators."""
    return _SEPARATORS.sub("", text)


_SEPARATORS = re.compile(r"[^\w&]")


def disowned(line: Line, start: int, end: int) -> bool:
    """Whether the words around say that this is an order, an amount, a count: nobody's number."""
    before = line.plain[max(0, start - 4) : start]
    if _MONEY.search(before):
        return True
    follower = _FOLLOWER.match(line.plain, end)
    if follower and (follower[1] in words().sets["units"] or follower[1] in "%$€£₹°"):
        return True
    cue = line.before(start, 30)
    if cue is not None and not cue.names.isdisjoint(("other", "version")):
        return not _TURN.search(line.plain[cue.end : start])
    return False


_MONEY = re.compile(r"(?:[$€£₹#¥]|\brs\.?|\binr|\busd|\beur|\begp|\bsar|\baed|r\$) ?$")
_FOLLOWER = re.compile("\\s?([^\\W\\d_](?:[^\\W\\d_]|[\u0900-\u0963])*|[%$€£₹°])")
_TURN = re.compile(r"[?!\n]|\.\s")
