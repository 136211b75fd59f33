"""Whether a number can be what it claims to be: check digits, ranges and embedded dates.

Every function takes the bare characters, ASCII digits and lower case letters without separators,
of a text whose length and alphabet may be anything, and never raises. Sources: the issuers' own
published rules, named at each.
"""

import hashlib
from datetime import date

_VERHOEFF_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
"""Multiplication in the dihedral group D5 (J. Verhoeff, 1969)."""
_VERHOEFF_TURN = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip

_IBAN_LENGTHS = {
    "ad": 24, "ae": 23, "al": 28, "at": 20, "az": 28, "ba": 20, "be": 16, "bg": 22, "bh": 22,
    "br": 29, "by": 28, "ch": 21, "cr": 22, "cy": 28, "cz": 24, "de": 22, "dk": 18, "do": 28,
    "ee": 20, "eg": 29, "es": 24, "fi": 18, "fo": 18, "fr": 27, "gb": 22, "ge": 22, "gi": 23,
    "gl": 18, "gr": 27, "gt": 28, "hr": 21, "hu": 28, "ie": 22, "il": 23, "iq": 23, "is": 26,
    "it": 27, "jo": 30, "kw": 30, "kz": 20, "lb": 28, "lc": 32, "li": 21, "lt": 20, "lu": 20,
    "lv": 21, "ly": 25, "mc": 27, "md": 24, "me": 22, "mk": 19, "mr": 27, "mt": 31, "mu": 30,
    "nl": 18, "no": 15, "om": 23, "pk": 24, "pl": 28, "ps": 29, "pt": 25, "qa": 29, "ro": 24,
    "rs": 22, "sa": 24, "sc": 31, "sd": 18, "se": 24, "si": 19, "sk": 24, "sm": 27, "so": 23,
    "st": 25, "sv": 28, "tl": 23, "tn": 24, "tr": 26, "ua": 29, "va": 22, "vg": 24, "xk": 20,
}  # fmt: skip
"""Characters of an IBAN by country: the SWIFT IBAN registry."""

_CARD_RANGES: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 19})),  # Visa
    (51, 55, frozenset({16})),  # Mastercard
    (2221, 2720, frozenset({16})),
    (34, 34, frozenset({15})),  # American Express
    (37, 37, frozenset({15})),
    (300, 305, frozenset({14, 16, 19})),  # Diners Club
    (3095, 3095, frozenset({14, 16, 19})),
    (36, 36, frozenset({14, 16, 19})),
    (38, 39, frozenset({14, 16, 19})),
    (6011, 6011, frozenset({16, 17, 18, 19})),  # Discover
    (644, 649, frozenset({16, 17, 18, 19})),
    (65, 65, frozenset({16, 17, 18, 19})),
    (3528, 3589, frozenset({16, 17, 18, 19})),  # JCB
    (62, 62, frozenset({16, 17, 18, 19})),  # UnionPay
    (60, 60, frozenset({16})),  # RuPay
    (81, 82, frozenset({16})),
    (508, 508, frozenset({16})),
    (2200, 2204, frozenset({16, 17, 18, 19})),  # Mir
    (5067, 5067, frozenset({16})),  # Elo
    (509, 509, frozenset({16})),
    (636297, 636297, frozenset({16})),
    (636368, 636368, frozenset({16})),
    (606282, 606282, frozenset({16, 19})),  # Hipercard
    (9792, 9792, frozenset({16})),  # Troy
)
"""Leading digits, first to last, and the lengths issued: ISO/IEC 7812 ranges as networks publish."""
_MAESTRO_RANGES = ((50, 50), (56, 59), (61, 61), (63, 69))

_DNI_LETTERS = "trwagmyfpdxbnjzsqvhlcke"
_CURP_ALPHABET = "0123456789abcdefghijklmnñopqrstuvwxyz"
_RFC_ALPHABET = "0123456789abcdefghijklmn&opqrstuvwxyz ñ"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_EGYPT_GOVERNORATES = frozenset(
    [
        "01",
        "02",
        "03",
        "04",
        "11",
        "12",
        "13",
        "14",
        "15",
        "16",
        "17",
        "18",
        "19",
        "21",
        "22",
        "23",
        "24",
        "25",
        "26",
        "27",
        "28",
        "29",
        "31",
        "32",
        "33",
        "34",
        "35",
        "88",
    ]
)
_CURP_STATES = frozenset(
    [
        "as",
        "bc",
        "bs",
        "cc",
        "cl",
        "cm",
        "cs",
        "ch",
        "df",
        "dg",
        "gt",
        "gr",
        "hg",
        "jc",
        "mc",
        "mn",
        "ms",
        "nt",
        "nl",
        "oc",
        "pl",
        "qt",
        "qr",
        "sp",
        "sl",
        "sr",
        "tc",
        "ts",
        "tl",
        "vz",
        "yn",
        "zs",
        "ne",
    ]
)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B over all digits, the last being the check digit."""
    if not _numeric(digits):
        return False
    doubled = (2 * int(d) - 9 * (d > "4") for d in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def verhoeff(digits: str) -> bool:
    """Verhoeff's scheme over all digits, the last being the check digit."""
    if not _numeric(digits):
        return False
    found = 0
    for place, digit in enumerate(reversed(digits)):
        turned = int(_VERHOEFF_TURN[place % 8][int(digit)])
        found = int(_VERHOEFF_PRODUCT[found][turned])
    return found == 0


def is_card(digits: str, *, named: bool = False) -> bool:
    """A payment card number: 13 to 19 digits, Luhn, an issuer's range with its length.

    ``named``: the text calls it a card, which admits Maestro's wide ranges.
    """
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1 or not luhn(digits):
        return False
    for first, last, lengths in _CARD_RANGES:
        if len(digits) in lengths and first <= int(digits[: len(str(first))]) <= last:
            return True
    return named and any(first <= int(digits[:2]) <= last for first, last in _MAESTRO_RANGES)


def is_ssn(digits: str) -> bool:
    """US Social Security number: area 001-665 and 667-899, group 01-99, serial 0001-9999 (SSA).

    Or an ITIN: 9xx with group 50-65, 70-88, 90-92 or 94-99 (IRS).
    """
    if not _numeric(digits, 9):
        return False
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area[0] == "9":
        return (
            "50" <= group <= "65"
            or "70" <= group <= "88"
            or "90" <= group <= "92"
            or "94" <= group <= "99"
        )
    return area not in {"000", "666"} and group != "00" and serial != "0000"


def is_aadhaar(digits: str) -> bool:
    """India: 12 digits, the first 2 to 9, Verhoeff (UIDAI)."""
    return _numeric(digits, 12) and digits[0] > "1" and verhoeff(digits)


def is_cpf(digits: str) -> bool:
    """Brazil, person: two check digits modulo 11 (Receita Federal); repdigits are not issued."""
    if not _numeric(digits, 11) or len(set(digits)) == 1:
        return False
    return all(_cpf_check(digits[:length]) == digits[length] for length in (9, 10))


def _cpf_check(head: str) -> str:
    weighed = sum(int(d) * (len(head) + 1 - place) for place, d in enumerate(head))
    return str(weighed * 10 % 11 % 10)


def is_cnpj(digits: str) -> bool:
    """Brazil, company: two check digits modulo 11 with weights 2 to 9 from the right."""
    if not _numeric(digits, 14) or len(set(digits)) == 1:
        return False
    for length in (12, 13):
        weighed = sum(int(d) * (2 + place % 8) for place, d in enumerate(reversed(digits[:length])))
        rest = weighed % 11
        if digits[length] != str(0 if rest < 2 else 11 - rest):
            return False
    return True


def is_dni(text: str) -> bool:
    """Spain: 8 digits, or X, Y, Z and 7, with the letter of the number modulo 23."""
    if len(text) != 9:
        return False
    head = text[:-1].translate(str.maketrans("xyz", "012")) if text[0] in "xyz" else text[:-1]
    return _numeric(head, 8) and _DNI_LETTERS[int(head) % 23] == text[-1]


def is_curp(text: str) -> bool:
    """Mexico, person: 18 characters with a date, a state and a weighted check digit (RENAPO)."""
    shaped = (
        len(text) == 18
        and _letters(text[:4])
        and _short_date(text[4:10])
        and text[10] in "hmx"
        and text[11:13] in _CURP_STATES
        and _letters(text[13:16])
        and _numeric(text[17])
    )
    if not shaped or any(ch not in _CURP_ALPHABET for ch in text):
        return False
    weighed = sum(_CURP_ALPHABET.index(ch) * (18 - place) for place, ch in enumerate(text[:17]))
    return int(text[17]) == -weighed % 10


def is_rfc(text: str) -> bool:
    """Mexico, tax: 3 or 4 letters, a date, 3 characters of which the last is modulo 11 (SAT)."""
    if len(text) not in {12, 13}:
        return False
    padded = text.rjust(13)
    if not _short_date(padded[4:10]) or any(ch not in _RFC_ALPHABET for ch in padded):
        return False
    weighed = sum(_RFC_ALPHABET.index(ch) * (13 - place) for place, ch in enumerate(padded[:12]))
    return padded[12] == "0123456789a"[-weighed % 11]


def is_nif(digits: str) -> bool:
    """Portugal: 9 digits, the last modulo 11 over weights 9 to 2; the first is never 0 or 4."""
    if not _numeric(digits, 9) or digits[0] in "04":
        return False
    weighed = sum(int(d) * (9 - place) for place, d in enumerate(digits[:8]))
    return digits[8] == str((11 - weighed % 11) % 11 % 10)


def is_nino(text: str) -> bool:
    """UK National Insurance number: two letters, six digits, A to D (HMRC NIM39110)."""
    if len(text) != 9 or not (_letters(text[:2]) and _numeric(text[2:8]) and text[8] in "abcd"):
        return False
    one, two = text[0], text[1]
    barred = {"bg", "gb", "kn", "nk", "nt", "tn", "zz"}
    return one not in "dfiquv" and two not in "dfiqouv" and text[:2] not in barred


def is_nhs(digits: str) -> bool:
    """UK NHS number: 10 digits, the last modulo 11 over weights 10 to 2; 10 is never issued."""
    if not _numeric(digits, 10) or len(set(digits)) == 1:
        return False
    check = 11 - sum(int(d) * (10 - place) for place, d in enumerate(digits[:9])) % 11
    return check != 10 and digits[9] == str(check % 11)


def is_cuit(digits: str) -> bool:
    """Argentina CUIT or CUIL: a kind prefix, 8 digits, modulo 11 over 5432765432 (AFIP)."""
    if not _numeric(digits, 11) or digits[:2] not in {
        "20",
        "23",
        "24",
        "25",
        "26",
        "27",
        "30",
        "33",
        "34",
    }:
        return False
    weighed = sum(int(d) * int(w) for d, w in zip(digits, "5432765432", strict=False))
    check = 11 - weighed % 11
    return check != 10 and digits[10] == str(check % 11)


def is_egypt_id(digits: str) -> bool:
    """Egypt: century 2 or 3, date of birth, governorate, serial; 14 digits.

    The last digit's rule is not published, so the date and the governorate are the check.
    """
    return (
        _numeric(digits, 14)
        and digits[0] in "23"
        and _short_date(digits[1:7])
        and digits[7:9] in _EGYPT_GOVERNORATES
    )


def is_saudi_id(digits: str) -> bool:
    """Saudi Arabia: 10 digits, 1 for citizens and 2 for residents, Luhn."""
    return _numeric(digits, 10) and digits[0] in "12" and luhn(digits)


def is_emirates_id(digits: str) -> bool:
    """United Arab Emirates: 784, year of birth, 7 digits, Luhn; 15 digits."""
    return (
        _numeric(digits, 15)
        and digits.startswith("784")
        and "1900" <= digits[3:7] <= "2035"
        and luhn(digits)
    )


def is_pan(text: str) -> bool:
    """India, tax: 3 letters, the holder's kind, a letter, 4 digits, a letter.

    The last letter's rule is not published.
    """
    return (
        len(text) == 10
        and _letters(text[:5])
        and text[3] in "abcfghjlpt"
        and _numeric(text[5:9])
        and _letters(text[9])
    )


def is_iban(text: str) -> bool:
    """ISO 13616: country, two check digits, modulo 97 equals 1, and the country's length."""
    if _IBAN_LENGTHS.get(text[:2]) != len(text) or not _numeric(text[2:4]):
        return False
    turned = text[4:] + text[:4]
    if not all(_numeric(ch) or _letters(ch) for ch in turned):
        return False
    return int("".join(str(int(ch, 36)) for ch in turned)) % 97 == 1


def is_routing(digits: str) -> bool:
    """US ABA routing number: 9 digits of a Federal Reserve district, weights 3, 7, 1."""
    if not _numeric(digits, 9):
        return False
    district = int(digits[:2])
    if not (1 <= district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80):
        return False
    return sum(int(d) * w for d, w in zip(digits, (3, 7, 1) * 3, strict=True)) % 10 == 0


def is_ifsc(text: str) -> bool:
    """India, bank branch: 4 letters, 0, 6 letters or digits (RBI)."""
    return (
        len(text) == 11
        and _letters(text[:4])
        and text[4] == "0"
        and all(_numeric(ch) or _letters(ch) for ch in text[5:])
    )


def is_base58_address(text: str) -> bool:
    """A Bitcoin (1, 3) or Tron (T) address: case matters; four bytes of double SHA-256."""
    if not 26 <= len(text) <= 35 or any(ch not in _BASE58 for ch in text):
        return False
    number = 0
    for ch in text:
        number = number * 58 + _BASE58.index(ch)
    if number >= 1 << 200:
        return False
    raw = number.to_bytes(25, "big")
    once = hashlib.sha256(raw[:-4]).digest()
    return raw[0] in {0x00, 0x05, 0x41} and hashlib.sha256(once).digest()[:4] == raw[-4:]


def is_bech32_address(text: str) -> bool:
    """A Bitcoin address of the form bc1...: the BCH code of BIP 173, or of BIP 350."""
    head, one, data = text.rpartition("1")
    if head != "bc" or not one or not 14 <= len(text) <= 74 or any(c not in _BECH32 for c in data):
        return False
    check = 1
    for value in [
        *(ord(c) >> 5 for c in head),
        0,
        *(ord(c) & 31 for c in head),
        *map(_BECH32.index, data),
    ]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= part if top >> place & 1 else 0
    return check in {1, 0x2BC830A3}


def is_date(year: int, month: int, day: int) -> bool:
    """A day of the calendar on which someone alive may be born: 1900 to 2035."""
    if not 1900 <= year <= 2035:
        return False
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _short_date(yymmdd: str) -> bool:
    if not _numeric(yymmdd, 6):
        return False
    month, day = int(yymmdd[2:4]), int(yymmdd[4:])
    return any(is_date(century + int(yymmdd[:2]), month, day) for century in (1900, 2000))


def _numeric(text: str, length: int | None = None) -> bool:
    return text.isascii() and text.isdigit() and (length is None or len(text) == length)


def _letters(text: str) -> bool:
    return all("a" <= ch <= "z" or ch == "ñ" for ch in text) and bool(text)
