"""Personal data in a text: found by form, checksum and context; masked before anyone else sees it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from brain.domain.pii.births import births
from brain.domain.pii.contact import addresses_of_machines, mails, payment_handles, phones
from brain.domain.pii.credentials import codes, keys, passwords, wallets
from brain.domain.pii.numbers import cards, ibans, identities, social_security
from brain.domain.pii.places import addresses, postcodes
from brain.domain.pii.reading import Find, Line

TIER_1 = frozenset({"ssn", "card"})
"""Kinds that block the message (P: hard-block); all others are masked and go on."""

KINDS = (
    "email", "upi", "api_key", "iban", "crypto_wallet", "card", "ssn", "cpf", "cnpj", "emirates_id", "egypt_id",
    "aadhaar", "cuit", "curp", "rfc", "pan", "nino", "dni", "nif", "nhs", "saudi_id", "passport", "licence", "ifsc",
    "routing", "sort_code", "bank_account", "national_id", "cvv", "pin", "one_time_code", "password", "date_of_birth",
    "address", "postcode", "ip_address", "phone",
)  # fmt: skip
"""Every kind that a scan may name, and with capitals the markers."""

_MARKERS = tuple(f"[{kind.upper()}]" for kind in KINDS)

_DETECTORS: tuple[Callable[[Line], Iterator[Find]], ...] = (
    mails, payment_handles, keys, ibans, wallets, cards, social_security, births, identities, codes, passwords,
    addresses, postcodes, addresses_of_machines, phones,
)  # fmt: skip
"""Where two of them claim the same characters, the earlier one has them."""

_HINTS = (
    "pass", "pwd", "contra", "clave", "senha", "palavra", "@", "dot", "arroba", "punto", "ponto", "login", "key", "pw",
    "पास", "एट", "كلم", "باس", "دوت", "نقط", "مفتاح", "ओटीपी", "डॉट",
)  # fmt: skip
"""What a text without digits must hold, one of them at least, to hold personal data."""


@dataclass(frozen=True, slots=True)
class PiiScan:
    """``masked_text`` holds a typed marker such as ``[EMAIL]`` in place of each find.

    ``kinds`` in order of appearance in the rules, each once. ``blocked``: a tier 1 kind was found.
    """

    masked_text: str
    kinds: tuple[str, ...]
    blocked: bool


def scan_pii(text: str, region: str | None = None) -> PiiScan:
    """Mask what is found. Idempotent: scanning the masked text finds nothing. Never raises.

    ``region``: ISO 3166 code of the writer's country, whose national phone numbers are then known.
    """
    kinds: set[str] = set()
    while True:
        finds = find_pii(text, region)
        if not finds:
            break
        kinds.update(find.kind for find in finds)
        text = _masked(text, finds)
    if not kinds:
        return PiiScan(masked_text=text, kinds=(), blocked=False)
    found = tuple(kind for kind in KINDS if kind in kinds)
    return PiiScan(masked_text=text, kinds=found, blocked=bool(TIER_1.intersection(found)))


def find_pii(text: str, region: str | None = None) -> list[Find]:
    """What one reading of ``text`` finds, in order of place, without overlaps or old markers."""
    if not _worth_reading(text):
        return []
    line = Line(text, region)
    taken = _marked(text)
    finds: list[Find] = []
    for detector in _DETECTORS:
        for find in detector(line):
            if all(find.end <= start or end <= find.start for start, end in taken):
                finds.append(find)
                taken.append((find.start, find.end))
    return sorted(finds, key=lambda find: find.start)


def _worth_reading(text: str) -> bool:
    if any(map(text.__contains__, "0123456789@")):
        return True
    plain = text.lower()
    return any(map(plain.__contains__, _HINTS)) or (
        not text.isascii() and any(map(str.isdecimal, text))
    )


def _marked(text: str) -> list[tuple[int, int]]:
    """Where markers stand: nothing that touches one is looked at again."""
    spans: list[tuple[int, int]] = []
    if "[" not in text:
        return spans
    for marker in _MARKERS:
        place = text.find(marker)
        while place >= 0:
            spans.append((place, place + len(marker)))
            place = text.find(marker, place + 1)
    return spans


def _masked(text: str, finds: list[Find]) -> str:
    parts = []
    reached = 0
    for find in finds:
        parts += [text[reached : find.start], f"[{find.kind.upper()}]"]
        reached = find.end
    return "".join((*parts, text[reached:]))
