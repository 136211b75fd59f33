"""What opens an account: passwords, PINs, one-time codes, card security codes, keys, wallets."""

import re
from collections.abc import Iterator
from itertools import pairwise

from brain.domain.pii.checksums import is_base58_address, is_bech32_address
from brain.domain.pii.numbers import disowned
from brain.domain.pii.reading import REACH, WORD, Cue, Find, Line, links, told, words

_CODE = re.compile(
    r"(?<![\w.,/:$€£₹#@+-])(?:\d{4,8}|\d{3}[- ]\d{3}|\d{2} \d{2}(?: \d{2})?|\d(?: \d){3,7})(?![\w%]|[-./:,]\d)"
)
_PIN = re.compile(r"(?<![\w.,/:$€£₹#@+-])(?:\d{4,6}|\d{2} \d{2}|\d(?: \d){3,5})(?![\w%]|[-./:,]\d)")
_CVV = re.compile(r"(?<![\w.,/:$€£₹#@+-])\d{3,4}(?![\w%]|[-./:,]\d)")
_POSTAL_PIN = re.compile(r"[1-9]\d{5}|[1-9]\d{2} \d{3}")

_VALUE = re.compile(r"[\"'*`]?(?P<value>(?:[^\s\"`,;]|,(?=\S))+)")
_QUOTED = re.compile(r"[\"'`*](?P<value>[^\"`*\n]{3,60})[\"'`*](?!\w)")
_TRIM = ".,;:!?)]}>\"'*`\u2026"
_STRAY = re.compile(r"https?://|www\.|\[")
_END = re.compile(
    "\\s*(?:$|[.,;!?\\n)]|(?:and|y|e|aur|or|but|hai|h|please|pls|thanks|ok|\u0914\u0930|\u0939\u0948|\u0648|por favor|porfa|bhai|sir|btw|lol|gracias|obrigad[oa])(?!\\w))"
)

_LONG = re.compile(r"[\w-]{16,}")
_KEY_FORMS = re.compile(
    r"(?<![\w-])(?:sk-[\w-]{16,}|[spr]k_(?:live|test)_[a-z0-9]{12,}|whsec_[a-z0-9]{20,}|eaa[a-z0-9]{20,}|gh[pousr]_[a-z0-9]{20,}"
    r"|github_pat_\w{20,}|glpat-[\w-]{16,}|(?:akia|asia)[a-z0-9]{16}|aiza[\w-]{30,}|ya29\.[\w-]{20,}"
    r"|xox[abeprs]-[\w-]{10,}|hf_[a-z0-9]{20,}|npm_[a-z0-9]{30,}|pypi-[\w-]{20,}|sg\.[\w-]{16,}\.[\w-]{16,}|(?:hx|vt)_[a-z0-9]{30,}"
    r"|ac[0-9a-f]{32}|eyj[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]{4,})?|key-[0-9a-f]{32}|\d{8,10}:aa[\w-]{30,})(?![\w-])"
)
_KEY_VALUE = re.compile(r"(?<![\w-])[\w-]{16,}(?:[.:/+=~][\w+/=-]{2,}){0,4}={0,2}(?![\w])")

_HEX_WALLET = re.compile(r"(?<!\w)0x[0-9a-f]{40}(?!\w)")
_TEXT_WALLET = re.compile(r"(?<!\w)(?:[13t][a-z0-9]{25,34}|bc1[a-z0-9]{20,70})(?!\w)")
_SOLANA = re.compile(r"(?<!\w)[1-9a-z]{32,44}(?!\w)")


def codes(line: Line) -> Iterator[Find]:
    """Card security codes, PINs and one-time codes: short digits that a word speaks of."""
    if line.digits < 3:
        return
    for match in told(line, ("cvv",), _CVV, lambda m: _is_code(line, m)):
        yield Find(match.start(), match.end(), "cvv")
    for match in told(line, ("pin",), _PIN, lambda m: _is_pin(line, m)):
        yield Find(match.start(), match.end(), "pin")
    for match in told(line, ("code",), _CODE, lambda m: _is_code(line, m)):
        yield Find(match.start(), match.end(), "one_time_code")


def _is_code(line: Line, match: re.Match[str]) -> bool:
    return not disowned(line, match.start(), match.end())


def _is_pin(line: Line, match: re.Match[str]) -> bool:
    cue = line.before(match.start(), REACH)
    postal = (
        cue is not None
        and "pincode" in cue.names
        and line.plain[cue.start : cue.end] not in {"pin", "पिन"}
    )
    if postal and _POSTAL_PIN.fullmatch(match[0]):
        return False
    return _is_code(line, match)


def passwords(line: Line) -> Iterator[Find]:
    """What stands after "my password is", and before "is my password"."""
    for cue in line.named("password", "weak_password"):
        span = _told_password(line, cue, weak="password" not in cue.names)
        if span is not None:
            yield Find(*span, "password")


def _told_password(line: Line, cue: Cue, *, weak: bool) -> tuple[int, int] | None:
    quoted = _QUOTED.search(line.plain, cue.end, cue.end + REACH + 60)
    if quoted is not None and links(line.plain[cue.end : quoted.start()]):
        return quoted.span("value")
    for match in _VALUE.finditer(line.plain, cue.end):
        start, end = match.start("value"), _trimmed(match["value"], match.start("value"))
        gap = line.plain[cue.end : start]
        if start - cue.end > REACH or not links(gap):
            break
        if end - start >= 3 and _is_password(line, cue, start, end, weak=weak):
            return start, end
    return _password_before(line, cue)


def _trimmed(value: str, start: int) -> int:
    kept = value.rstrip(_TRIM)
    # A closing mark of a strong password is part of it: "Tr0ub4dor&3!" keeps nothing but loses little.
    return start + len(kept)


def _is_password(line: Line, cue: Cue, start: int, end: int, *, weak: bool) -> bool:
    value = line.plain[start:end]
    if _STRAY.search(value) or end - start > 64 or not any(ch.isalnum() for ch in value):
        return False
    if _is_secret_looking(line.raw[start:end]):
        return not (value.isdigit() and disowned(line, start, end)) and not (
            weak and len(value) < 4
        )
    if weak:
        return False
    return _is_plain_password(line, cue, start, end)


def _is_secret_looking(value: str) -> bool:
    """Digits, signs or capitals inside: nothing that a sentence goes on with."""
    if not any(ch.isalnum() for ch in value):
        return False
    if any(ch.isdigit() for ch in value):
        return len(value) >= 4
    if any(ch in "!@#$%^&*_+=~<>|\\" for ch in value):
        return True
    return any(one.islower() and two.isupper() for one, two in pairwise(value))


def _is_plain_password(line: Line, cue: Cue, start: int, end: int) -> bool:
    """Letters alone: only what "is" or a colon introduces, or "hai" closes, and nothing follows."""
    value, book = line.plain[start:end], words().sets
    if value in book["not_passwords"] or value in book["links"] or not WORD.fullmatch(value):
        return False
    gap = line.plain[cue.end : start]
    gap_words = WORD.findall(gap)
    told_so = gap.rstrip(" \"'*").endswith((":", "=")) or (
        bool(gap_words) and gap_words[-1] in book["joints"]
    )
    if told_so:
        return bool(_END.match(line.plain, end))
    return not gap_words and bool(_HAI.match(line.plain, end))


_HAI = re.compile("\\s+(?:hai|h|\u0939\u0948)(?!\\w)")


def _password_before(line: Line, cue: Cue) -> tuple[int, int] | None:
    """As in "hunter2 is my password", which needs a value that is no ordinary word."""
    head = _BACK.search(line.plain[max(0, cue.start - REACH) : cue.start])
    if head is None:
        return None
    offset = max(0, cue.start - REACH)
    start, end = head.start("value") + offset, head.end("value") + offset
    value = line.raw[start:end]
    if (
        _STRAY.search(value)
        or not _is_secret_looking(value)
        or not any(ch.isalpha() for ch in value)
    ):
        return None
    return start, end


_BACK = re.compile(
    "(?:^|(?<=\\s)|(?<=[\"'`]))(?P<value>[^\\s\"'`]{4,64})[\"'`]?\\s+(?:(?:is|es|e|hai|\u0939\u0948|\u0647\u0648|\u0647\u064a) )(?:(?:my|the|our|your|mi|la|el|su|tu|a|minha|o|sua|mera|hamara|\u092e\u0947\u0930\u093e)\\s)?(?:\\w+ )?$"
)


def keys(line: Line) -> Iterator[Find]:
    """API keys and tokens: by their makers' prefixes, or long and mixed after a word such as token."""
    if not _LONG.search(line.plain):
        return
    for match in _KEY_FORMS.finditer(line.plain):
        if any(ch.isdigit() for ch in match[0]):
            yield Find(match.start(), match.end(), "api_key")
    for match in told(
        line, ("key", "password", "weak_password", "code"), _KEY_VALUE, _is_key, ahead=False
    ):
        yield Find(match.start(), match.end(), "api_key")


def _is_key(match: re.Match[str]) -> bool:
    digits = sum(ch.isdigit() for ch in match[0])
    letters = sum(ch.isalpha() for ch in match[0])
    return digits >= 2 and letters >= 2 and "://" not in match[0]


def wallets(line: Line) -> Iterator[Find]:
    """Addresses of crypto currencies: checked by their own checksum, or where a word says so."""
    if not _LONG.search(line.plain):
        return
    for match in _TEXT_WALLET.finditer(line.plain):
        if is_bech32_address(match[0]) or is_base58_address(line.raw[match.start() : match.end()]):
            yield Find(match.start(), match.end(), "crypto_wallet")
    if not line.has("wallet"):
        return
    for pattern in (_HEX_WALLET, _TEXT_WALLET, _SOLANA):
        for match in pattern.finditer(line.plain):
            if any(ch.isdigit() for ch in match[0]) and any(ch.isalpha() for ch in match[0]):
                yield Find(match.start(), match.end(), "crypto_wallet")
