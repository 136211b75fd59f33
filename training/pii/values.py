"""Made-up values of every kind, with right checksums, written the ways people write them.

Check digits are found by trying, with nothing shared with the rules that are measured: each
algorithm here is written from its own definition.
"""

import base64
import hashlib
import string
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

import phonenumbers

LETTERS = string.ascii_uppercase
ALNUM = string.ascii_letters + string.digits
DEVANAGARI, ARABIC = "०१२३४५६७८९", "٠١٢٣٤٥٦٧٨٩"

MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "es": [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    "pt": [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
    "hi": [
        "जनवरी",
        "फरवरी",
        "मार्च",
        "अप्रैल",
        "मई",
        "जून",
        "जुलाई",
        "अगस्त",
        "सितंबर",
        "अक्टूबर",
        "नवंबर",
        "दिसंबर",
    ],
    "hi-Latn": [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
    "ar": [
        "يناير",
        "فبراير",
        "مارس",
        "أبريل",
        "مايو",
        "يونيو",
        "يوليو",
        "أغسطس",
        "سبتمبر",
        "أكتوبر",
        "نوفمبر",
        "ديسمبر",
    ],
}
FIRST = [
    "maria",
    "john",
    "priya",
    "omar",
    "lucas",
    "ana",
    "ravi",
    "fatima",
    "carlos",
    "emma",
    "joao",
    "sofia",
    "ahmed",
    "neha",
    "pedro",
    "laura",
]
LAST = [
    "garcia",
    "smith",
    "sharma",
    "hassan",
    "silva",
    "lopez",
    "kumar",
    "ali",
    "perez",
    "jones",
    "costa",
    "ruiz",
    "khan",
    "verma",
    "souza",
    "brown",
]
HOSTS = [
    "gmail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "icloud.com",
    "company.co.uk",
    "uni.edu",
    "empresa.com.br",
    "correo.es",
    "mail.example.org",
]
PHONE_REGIONS = {
    "en": ("US", "GB", "IN"), "es": ("MX", "ES", "AR", "CO"), "pt": ("BR", "PT"),
    "hi": ("IN",), "hi-Latn": ("IN",), "ar": ("EG", "SA", "AE"),
}  # fmt: skip
FOREIGN = ("FR", "DE", "NG", "KE", "PE", "CL", "MA", "PK", "AU", "ZA")


def digits(rng: Random, count: int, first: str = "0123456789") -> str:
    return rng.choice(first) + "".join(rng.choice("0123456789") for _ in range(count - 1))


def letters(rng: Random, count: int) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(count))


def mixed(rng: Random, count: int, alphabet: str = ALNUM) -> str:
    made = "".join(rng.choice(alphabet) for _ in range(count - 4))
    return made + "4" + rng.choice("abcdef") + "7" + rng.choice("abcdef")


def completed(head: str, holds: Callable[[str], bool], alphabet: str = "0123456789") -> str | None:
    """``head`` and the one character that makes it hold."""
    return next((head + ch for ch in alphabet if holds(head + ch)), None)


def luhn(number: str) -> bool:
    total = 0
    for place, ch in enumerate(reversed(number)):
        value = int(ch) * (1 + place % 2)
        total += value // 10 + value % 10
    return total % 10 == 0


def d5(a: int, b: int) -> int:
    """The product in the symmetry group of a pentagon: 0-4 turns, 5-9 flips."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


def verhoeff(number: str) -> bool:
    turn = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    found = 0
    for place, ch in enumerate(reversed(number)):
        value = int(ch)
        for _ in range(place % 8):
            value = turn[value]
        found = d5(found, value)
    return found == 0


def grouped(number: str, sizes: tuple[int, ...], joint: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return joint.join(parts)


def card(rng: Random, _: str) -> str:
    prefix, length = rng.choice((
        ("4", 16), ("4", 16), (str(rng.randint(51, 55)), 16), (str(rng.randint(2221, 2720)), 16), ("34", 15), ("37", 15),
        ("6011", 16), ("65", 16), ("36", 14), ("3530", 16), ("62", 16), ("6062", 16), ("5067", 16), ("4", 19),
    ))  # fmt: skip
    if prefix == "6062":
        prefix = "606282"
    number = completed(prefix + digits(rng, length - len(prefix) - 1), luhn) or "4111111111111111"
    if length == 15:
        sizes: tuple[int, ...] = (4, 6, 5)
    elif length == 14:
        sizes = (4, 6, 4)
    else:
        sizes = (4,) * (length // 4) + ((length % 4,) if length % 4 else ())
    return grouped(number, sizes, rng.choice(("", "", " ", " ", "-", ".")))


def ssn(rng: Random, _: str) -> str:
    if rng.random() < 0.15:
        number = "9" + digits(rng, 2) + str(rng.choice((55, 60, 72, 88, 91, 97))) + digits(rng, 4)
    else:
        area = rng.choice([n for n in range(1, 900) if n != 666])
        number = f"{area:03}{rng.randint(1, 99):02}{rng.randint(1, 9999):04}"
    return grouped(number, (3, 2, 4), rng.choice(("-", "-", "-", " ", "", ".")))


def email(rng: Random, language: str) -> str:
    one, two, host = rng.choice(FIRST), rng.choice(LAST), rng.choice(HOSTS)
    name = rng.choice(
        (
            f"{one}.{two}",
            f"{one}{rng.randint(1, 999)}",
            f"{one}_{two}{rng.randint(70, 99)}",
            f"{one[0]}{two}",
            f"{one}+{two}",
        )
    )
    if rng.random() < 0.7:
        return f"{name}@{host}"
    at, dot = rng.choice({
        "es": ((" arroba ", " punto "), (" (arroba) ", " (punto) "), (" at ", " dot ")),
        "pt": ((" arroba ", " ponto "), (" (arroba) ", "."), (" at ", " dot ")),
    }.get(language, ((" at ", " dot "), (" (at) ", " (dot) "), ("[at]", "[dot]"), (" (at) ", "."), (" at the rate ", "."))))  # fmt: skip
    spelled_at = at == " at "
    host = rng.choice(HOSTS[:5]) if spelled_at else host
    name = name.replace(".", dot) if rng.random() < 0.2 and " " in dot and "(" not in dot else name
    return f"{name}{at}{host.replace('.', dot)}"


def phone(rng: Random, language: str) -> str:
    foreign = rng.random() < 0.2
    region = rng.choice(FOREIGN if foreign else PHONE_REGIONS[language])
    kind = rng.choice(
        (
            phonenumbers.PhoneNumberType.MOBILE,
            phonenumbers.PhoneNumberType.MOBILE,
            phonenumbers.PhoneNumberType.FIXED_LINE,
        )
    )
    sample = phonenumbers.example_number_for_type(region, kind)
    if sample is None:
        raise ValueError(f"no example of a phone number in {region}")
    while True:
        base = str(sample.national_number)
        keep = rng.randint(2, 4)
        number = phonenumbers.PhoneNumber(
            sample.country_code, int(base[:keep] + digits(rng, len(base) - keep))
        )
        if phonenumbers.is_valid_number_for_region(number, region):
            break
    style = rng.random()
    forms = phonenumbers.PhoneNumberFormat
    if foreign or style < 0.3:
        text = phonenumbers.format_number(number, forms.INTERNATIONAL)
        return rng.choice(
            (
                text,
                text.replace(" ", ""),
                text.replace(" ", "-"),
                "+" + text[1:].replace(" ", "-", 1),
            )
        )
    national = phonenumbers.format_number(number, forms.NATIONAL)
    bare = "".join(ch for ch in national if ch.isdigit())
    half = len(bare) // 2
    return rng.choice(
        (
            national,
            national,
            bare,
            bare,
            f"{bare[:half]} {bare[half:]}",
            national.replace(" ", "-").replace("--", "-"),
        )
    )


def born(rng: Random, language: str) -> str:
    day = date(1940, 1, 1) + timedelta(days=rng.randint(0, 27_000))
    month = rng.choice(
        (
            MONTHS[language][day.month - 1],
            MONTHS["en"][day.month - 1] if language == "hi" else MONTHS[language][day.month - 1],
        )
    )
    joints = {"es": " de ", "pt": " de "}.get(language, " ")
    forms = [
        f"{day.day:02}/{day.month:02}/{day.year}", f"{day.day}/{day.month}/{day.year}", f"{day.day:02}-{day.month:02}-{day.year}",
        f"{day.day:02}.{day.month:02}.{day.year}", f"{day.day}/{day.month}/{day.year % 100:02}", day.isoformat(),
        f"{day.day}{joints}{month}{joints}{day.year}", f"{day.day}{joints}{month}{joints}{day.year}", f"{day.day} {month} {day.year}",
    ]  # fmt: skip
    if language in {"en", "hi-Latn"}:
        ending = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
        forms += [
            f"{month} {day.day}, {day.year}",
            f"{month[:3]} {day.day} {day.year}",
            f"{day.day}{ending} {month} {day.year}",
            f"{day.day}{ending} of {month}, {day.year}",
            f"{day.day}-{month[:3]}-{day.year}",
        ]
    return rng.choice(forms)


STREETS = {
    "en": ["Baker", "Maple", "Oak", "Wallaby", "Elm", "Church", "Victoria", "King", "George", "Station", "Mill", "Cedar", "Washington", "Lincoln", "Sunset", "Highland"],
    "es": ["Mayor", "Gran Vía", "Reforma", "San Martín", "Hidalgo", "de la Luna", "Los Pinos", "Insurgentes Sur", "25 de Mayo", "Libertad", "Bolívar", "del Carmen"],
    "pt": ["das Flores", "Augusta", "Sete de Setembro", "Dom Pedro II", "São João", "da Consolação", "XV de Novembro", "das Acácias", "Paulista", "Rio Branco"],
    "hi": ["गांधी", "नेहरू", "लाजपत", "सरोजिनी", "शिवाजी", "विवेकानंद", "सुभाष", "अशोक"],
    "hi-Latn": ["Gandhi", "Nehru", "Lajpat", "Sarojini", "Shivaji", "Vivekanand", "Subhash", "Ashok", "Rajendra"],
    "ar": ["التحرير", "النيل", "الملك فهد", "الجمهورية", "عباس العقاد", "الأمير سلطان", "الهرم", "الشيخ زايد", "الثورة", "خالد بن الوليد"],
}  # fmt: skip
CITIES = {
    "en": (("London", "NW1 6XE"), ("Leeds", "LS2 9JT"), ("Austin, TX", "78701"), ("Portland, OR", "97205-1234"), ("Toronto", "M5V 2T6"), ("Manchester", "M1 1AE")),
    "es": (("Madrid", "28013"), ("Ciudad de México", "06600"), ("Buenos Aires", "1425"), ("Sevilla", "41001")),
    "pt": (("São Paulo", "01310-100"), ("Rio de Janeiro", "20040-020"), ("Lisboa", "1100-148"), ("Curitiba", "80010-130")),
    "hi": (("दिल्ली", "110024"), ("मुंबई", "400050"), ("जयपुर", "302001")),
    "hi-Latn": (("Delhi", "110024"), ("Mumbai", "400 050"), ("Noida", "201301"), ("Jaipur", "302001")),
    "ar": (("القاهرة", ""), ("الرياض", ""), ("دبي", "")),
}  # fmt: skip


def address(rng: Random, language: str) -> str:
    made = _ADDRESSES[language](rng)
    city, code = rng.choice(CITIES[language])
    if code and rng.random() < 0.4:
        made += f", {city} {code}"
    return made


def _english(rng: Random) -> str:
    number, name = rng.randint(1, 9999), rng.choice(STREETS["en"])
    kind = rng.choice(
        [
            "Street",
            "St",
            "Road",
            "Rd",
            "Avenue",
            "Ave",
            "Lane",
            "Drive",
            "Court",
            "Boulevard",
            "Terrace",
            "Way",
            "Place",
            "Close",
            "Blvd",
            "Dr",
            "Crescent",
            "Square",
        ]
    )
    return rng.choice((
        f"{number} {name} {kind}", f"{number} {name} {kind}", f"Flat {rng.randint(1, 40)}, {number % 200 + 1} {name} {kind}",
        f"{number} {name} {kind} Apt {rng.randint(1, 40)}{rng.choice('ABC')}", f"{number % 200 + 1}{rng.choice('AB')} {name} {kind}",
        f"{number} {rng.choice('NSEW')} {name} {kind}", f"{number} {rng.randint(4, 20)}th {rng.choice(('Avenue', 'Street', 'St', 'Ave'))}",
        f"{number} {name} {rng.choice(STREETS['en'])} {kind}, unit {rng.randint(1, 40)}",
    ))  # fmt: skip


def _spanish(rng: Random) -> str:
    number, name = rng.randint(1, 3999), rng.choice(STREETS["es"])
    kind = rng.choice(("calle", "Calle", "Avenida", "Av.", "avenida", "C/", "Paseo", "Calzada"))
    return rng.choice((
        f"{kind} {name} {number}", f"{kind} {name} {number}", f"{kind} {name}, {number}", f"{kind} {name} nº {number}", f"{kind} {name} #{number}",
        f"{kind} {name} {number}, piso {rng.randint(1, 9)}", f"{kind} {name} {number}, {rng.randint(1, 9)}º {rng.choice('ABCD')}", f"{kind} {name} número {number} depto {rng.randint(1, 40)}",
        f"{rng.choice(('Calle', 'Carrera', 'Cra', 'calle'))} {rng.randint(1, 150)} # {rng.randint(1, 99)}-{rng.randint(1, 99)}",
        f"{rng.choice(('Calle', 'Carrera', 'Cra'))} {rng.randint(1, 150)} No. {rng.randint(1, 99)}-{rng.randint(1, 99)} apto {rng.randint(101, 1200)}",
    ))  # fmt: skip


def _portuguese(rng: Random) -> str:
    number, name = rng.randint(1, 3999), rng.choice(STREETS["pt"])
    kind = rng.choice(("rua", "Rua", "Avenida", "Av.", "R.", "Travessa", "Alameda", "Praça"))
    return rng.choice((
        f"{kind} {name}, {number}", f"{kind} {name}, {number}", f"{kind} {name} {number}", f"{kind} {name}, nº {number}",
        f"{kind} {name}, {number}, apto {rng.randint(1, 200)}", f"{kind} {name}, {number} - bloco {rng.choice('ABC')}", f"{kind} {name} número {number} casa {rng.randint(1, 9)}",
    ))  # fmt: skip


def _hindi(rng: Random) -> str:
    name, n = rng.choice(STREETS["hi"]), rng.randint(1, 400)
    return rng.choice((
        f"मकान नंबर {n}, {name} नगर", f"{n} {name} मार्ग", f"{n}, {name} रोड", f"फ्लैट {n}, सेक्टर {rng.randint(1, 99)}",
        f"मकान नं {n}, गली नंबर {rng.randint(1, 20)}, {name} कॉलोनी", f"प्लॉट {n}, {name} विहार", f"मकान संख्या {n}, वार्ड {rng.randint(1, 60)}",
    ))  # fmt: skip


def _hinglish(rng: Random) -> str:
    name, n = rng.choice(STREETS["hi-Latn"]), rng.randint(1, 400)
    return rng.choice((
        f"makan no {n}, {name} nagar", f"H.No. {n}, {name} Colony", f"{n} {name} Marg", f"{n}, {name} Road", f"flat {n}, sector {rng.randint(1, 99)}",
        f"house no {n}, gali no {rng.randint(1, 20)}, {name} Vihar", f"plot no {n}, {name} Enclave", f"Flat {n}, Tower {rng.choice('ABC')}, Sector {rng.randint(1, 99)}",
        f"{rng.choice('ABCD')}-{n}, {name} Nagar", f"ward no {rng.randint(1, 60)}, makan no {n}",
    ))  # fmt: skip


def _arab(rng: Random) -> str:
    name, n, m = rng.choice(STREETS["ar"]), rng.randint(1, 300), rng.randint(1, 40)
    return arabised(rng, rng.choice((
        f"{n} شارع {name}", f"شارع {name} {n}", f"شارع {name}، عمارة {n}، شقة {m}", f"عمارة {n} شارع {name} شقة {m}", f"شارع {name} رقم {n}",
        f"فيلا {n}، حي {name}", f"مبنى رقم {n}، شارع {name}، الدور {m % 9 + 1}", f"{n} ش {name}، شقة {m}",
    )))  # fmt: skip


_ADDRESSES = {
    "en": _english,
    "es": _spanish,
    "pt": _portuguese,
    "hi": _hindi,
    "hi-Latn": _hinglish,
    "ar": _arab,
}


def postcode(rng: Random, language: str) -> str:
    if language == "en":
        uk = f"{letters(rng, rng.randint(1, 2))}{rng.randint(1, 29)} {rng.randint(0, 9)}{rng.choice('ABDEFGHJ')}{rng.choice('ABDEFGHJ')}"
        return rng.choice(
            (
                uk,
                digits(rng, 5),
                f"{digits(rng, 5)}-{digits(rng, 4)}",
                f"M{rng.randint(1, 9)}V {rng.randint(1, 9)}T{rng.randint(1, 9)}",
            )
        )
    if language == "pt":
        return rng.choice((f"{digits(rng, 5)}-{digits(rng, 3)}", digits(rng, 8)))
    if language == "es":
        return digits(rng, 5)
    number = digits(rng, 6, "1234578")
    return rng.choice((number, number, f"{number[:3]} {number[3:]}"))


def passport(rng: Random, language: str) -> str:
    forms: dict[str, tuple[Callable[[], str], ...]] = {
        "en": (lambda: digits(rng, 9, "123456789"), lambda: letters(rng, 1) + digits(rng, 8), lambda: letters(rng, 2) + digits(rng, 6), lambda: letters(rng, 1) + digits(rng, 7)),
        "es": (lambda: letters(rng, 3) + digits(rng, 6), lambda: letters(rng, 1) + digits(rng, 8), lambda: letters(rng, 2) + digits(rng, 6)),
        "pt": (lambda: letters(rng, 2) + digits(rng, 6), lambda: letters(rng, 1) + digits(rng, 6)),
        "ar": (lambda: letters(rng, 1) + digits(rng, 8),),
    }  # fmt: skip
    made = rng.choice(forms.get(language, (lambda: letters(rng, 1) + digits(rng, 7),)))()
    return (
        made
        if made[0].isdigit() or rng.random() < 0.85
        else made.rstrip(string.digits) + " " + made.lstrip(LETTERS)
    )


def licence(rng: Random, language: str) -> str:
    forms: dict[str, tuple[Callable[[], str], ...]] = {
        "en": (lambda: letters(rng, 1) + digits(rng, 7), lambda: digits(rng, 8), lambda: letters(rng, 1) + digits(rng, 12), lambda: f"{letters(rng, 5)}{digits(rng, 6)}{letters(rng, 2)}{rng.randint(1, 9)}{letters(rng, 2)}",
               lambda: f"{letters(rng, 1)}{digits(rng, 4)}-{digits(rng, 5)}-{digits(rng, 5)}"),
        "es": (lambda: digits(rng, 8) + letters(rng, 1), lambda: letters(rng, 1) + digits(rng, 9), lambda: digits(rng, 10)),
        "pt": (lambda: digits(rng, 11),),
        "ar": (lambda: digits(rng, 10), lambda: digits(rng, 7)),
        }  # fmt: skip
    if language not in forms:
        state, gap = rng.choice(("MH", "DL", "KA", "UP")), rng.choice((" ", "-", ""))
        return f"{state}{rng.randint(1, 40):02}{gap}{rng.randint(1990, 2022)}{digits(rng, 7)}"
    return rng.choice(forms[language])()


def aadhaar(rng: Random, _: str) -> str:
    number = completed(digits(rng, 11, "23456789"), verhoeff) or ""
    return grouped(number, (4, 4, 4), rng.choice((" ", " ", "", "-")))


def pan(rng: Random, _: str) -> str:
    return f"{letters(rng, 3)}{rng.choice('PPPCHFT')}{letters(rng, 1)}{digits(rng, 4)}{letters(rng, 1)}"


def _mod11(number: str, weights: range) -> int:
    return sum(int(ch) * weight for ch, weight in zip(number, weights, strict=True)) % 11


def cpf(rng: Random, _: str) -> str:
    number = digits(rng, 9)
    for length in (10, 11):
        rest = _mod11(number, range(length, 1, -1))
        number += str(0 if rest < 2 else 11 - rest)
    return rng.choice(
        (
            f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}",
            number,
            f"{number[:9]}-{number[9:]}",
        )
    )


def cnpj(rng: Random, _: str) -> str:
    number = digits(rng, 8) + "0001"
    for weights in ("543298765432", "6543298765432"):
        rest = sum(int(ch) * int(w) for ch, w in zip(number, weights, strict=True)) % 11
        number += str(0 if rest < 2 else 11 - rest)
    return rng.choice(
        (f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}", number)
    )


def dni(rng: Random, _: str) -> str:
    alphabet = "TRWAGMYFPDXBNJZSQVHLCKE"
    if rng.random() < 0.3:
        kind, number = rng.randint(0, 2), digits(rng, 7)
        return f"{'XYZ'[kind]}{number}{alphabet[int(f'{kind}{number}') % 23]}"
    number = digits(rng, 8)
    letter = alphabet[int(number) % 23]
    return rng.choice(
        (
            number + letter,
            f"{number}-{letter}",
            f"{number} {letter}",
            f"{number[:2]}.{number[2:5]}.{number[5:]}-{letter}",
        )
    )


def _short_day(rng: Random) -> str:
    return (date(1950, 1, 1) + timedelta(days=rng.randint(0, 18_000))).strftime("%y%m%d")


def curp(rng: Random, _: str) -> str:
    alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    head = f"{letters(rng, 4)}{_short_day(rng)}{rng.choice('HM')}{rng.choice(('DF', 'JC', 'NL', 'VZ', 'MC'))}{letters(rng, 3)}{rng.choice('0A1')}"
    total = sum(
        alphabet.index(ch) * weight for ch, weight in zip(head, range(18, 1, -1), strict=True)
    )
    return head + str((10 - total % 10) % 10)


def rfc(rng: Random, _: str) -> str:
    alphabet = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"
    head = f"{letters(rng, 4)}{_short_day(rng)}{mixed_upper(rng, 2)}"
    total = sum(
        alphabet.index(ch) * weight for ch, weight in zip(head, range(13, 1, -1), strict=True)
    )
    rest = 11 - total % 11
    return head + ("0" if rest == 11 else "A" if rest == 10 else str(rest))


def mixed_upper(rng: Random, count: int) -> str:
    return "".join(rng.choice(LETTERS + string.digits) for _ in range(count))


def nif(rng: Random, _: str) -> str:
    number = digits(rng, 8, "12356")
    rest = _mod11(number, range(9, 1, -1))
    number += str(0 if rest < 2 else 11 - rest)
    return rng.choice((number, number, grouped(number, (3, 3, 3), " ")))


def nino(rng: Random, _: str) -> str:
    head = rng.choice(("AB", "CE", "JK", "PW", "SH", "YZ"))
    number = digits(rng, 6)
    return rng.choice(
        (
            f"{head}{number}{rng.choice('ABCD')}",
            f"{head} {grouped(number, (2, 2, 2), ' ')} {rng.choice('ABCD')}",
        )
    )


def nhs(rng: Random, _: str) -> str:
    while True:
        head = digits(rng, 9, "4679")
        check = 11 - _mod11(head, range(10, 1, -1))
        if check != 10:
            number = head + str(check % 11)
            return rng.choice(
                (number, grouped(number, (3, 3, 4), " "), grouped(number, (3, 3, 4), "-"))
            )


def cuit(rng: Random, _: str) -> str:
    while True:
        head = rng.choice(("20", "23", "27", "30")) + digits(rng, 8)
        check = 11 - sum(int(ch) * int(w) for ch, w in zip(head, "5432765432", strict=True)) % 11
        if check != 10:
            number = head + str(check % 11)
            return rng.choice(
                (grouped(number, (2, 8, 1), "-"), grouped(number, (2, 8, 1), "-"), number)
            )


def egypt_id(rng: Random, _: str) -> str:
    return arabised(
        rng, f"2{_short_day(rng)}{rng.choice(('01', '02', '12', '21', '88'))}{digits(rng, 5)}"
    )


def saudi_id(rng: Random, _: str) -> str:
    return arabised(rng, completed(digits(rng, 9, "12"), luhn) or "")


def emirates_id(rng: Random, language: str) -> str:
    number = completed(f"784{rng.randint(1950, 2010)}{digits(rng, 7)}", luhn) or ""
    made = rng.choice((grouped(number, (3, 4, 7, 1), "-"), number))
    return arabised(rng, made) if language == "ar" else made


IBAN_FORMS = {
    "GB": "AAAANNNNNNNNNNNNNN",
    "ES": "N" * 20,
    "DE": "N" * 18,
    "PT": "N" * 21,
    "FR": "N" * 23,
    "SA": "N" * 20,
    "AE": "N" * 19,
    "EG": "N" * 25,
    "BR": "N" * 23 + "AA",
}


def iban(rng: Random, language: str) -> str:
    country = rng.choice(
        {
            "en": ("GB", "DE", "FR"),
            "es": ("ES", "ES", "DE"),
            "pt": ("PT", "BR"),
            "ar": ("SA", "AE", "EG"),
        }[language]
    )
    body = "".join(
        rng.choice(LETTERS if ch == "A" else string.digits) for ch in IBAN_FORMS[country]
    )
    turned = "".join(str(int(ch, 36)) for ch in body + country + "00")
    made = f"{country}{98 - int(turned) % 97:02}{body}"
    return made if rng.random() < 0.5 else " ".join(made[i : i + 4] for i in range(0, len(made), 4))


def bank_account(rng: Random, language: str) -> str:
    if language == "pt":
        return rng.choice(
            (
                f"{digits(rng, 5)}-{digits(rng, 1)}",
                digits(rng, 8),
                f"{digits(rng, 6)}-{digits(rng, 1)}",
            )
        )
    made = digits(
        rng,
        rng.choice({"en": (8, 9, 10, 12), "es": (10, 18, 20)}.get(language, (11, 14, 16))),
        "123456789",
    )
    if luhn(made) and len(made) >= 13:
        made = made[:-1] + str((int(made[-1]) + 1) % 10)
    return arabised(rng, made) if language == "ar" else made


def routing(rng: Random, _: str) -> str:
    def holds(text: str) -> bool:
        return sum(int(ch) * w for ch, w in zip(text, (3, 7, 1) * 3, strict=True)) % 10 == 0

    return completed(f"{rng.randint(1, 12):02}{digits(rng, 6)}", holds) or ""


def password(rng: Random, _: str) -> str:
    word = rng.choice(
        [
            "tiger",
            "sunshine",
            "monkey",
            "dragon",
            "shadow",
            "flamengo",
            "amor",
            "lucia",
            "krishna",
            "football",
            "pepper",
        ]
    )
    return rng.choice((
        f"{word}{rng.randint(1, 9999)}", f"{word.title()}@{rng.randint(1, 999)}", f"{word}_{rng.randint(1, 99)}", f"{word.title()}!{rng.randint(1, 99)}",
        mixed(rng, 10), f"{word[:3]}{rng.randint(100, 999)}${word[3:]}", f"{rng.choice(FIRST)}{word}{rng.randint(1, 99)}",
    ))  # fmt: skip


def letters_password(rng: Random, language: str) -> str:
    if rng.random() < 0.8:
        return password(rng, language)
    return rng.choice(
        ["tigerlily", "batatinha", "mariposa", "chikoo", "sunflower", "rosebud", "firulais"]
    )


def ip_address(rng: Random, _: str) -> str:
    if rng.random() < 0.2:
        return ":".join(f"{rng.randint(0x1000, 0xFFFF):x}" for _ in range(8))
    return ".".join(str(rng.randint(11, 250)) for _ in range(4))


def api_key(rng: Random, _: str) -> str:
    jwt = ".".join(
        base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
        for part in ('{"alg":"HS256"}', f'{{"sub":"{rng.randint(1, 10**9)}"}}')
    )
    return rng.choice((
        "sk-" + mixed(rng, 40), "sk-proj-" + mixed(rng, 48), "ghp_" + mixed(rng, 36), "AKIA" + mixed_upper(rng, 12) + "7Q2X", "EAAG" + mixed(rng, 60),
        "xoxb-" + digits(rng, 12) + "-" + mixed(rng, 24), "AIza" + mixed(rng, 35), f"{jwt}.{mixed(rng, 43)}", "glpat-" + mixed(rng, 20), "sk_live_" + mixed(rng, 24),
    ))  # fmt: skip


def named_key(rng: Random, language: str) -> str:
    return (
        api_key(rng, language)
        if rng.random() < 0.6
        else rng.choice(
            (f"{rng.getrandbits(128):032x}", f"{rng.getrandbits(256):064x}", mixed(rng, 40))
        )
    )


def crypto_wallet(rng: Random, _: str) -> str:
    if rng.random() < 0.5:
        return f"0x{rng.getrandbits(160):040x}"
    raw = bytes((rng.choice((0x00, 0x05, 0x41)),)) + rng.randbytes(20)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, made = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        made = alphabet[rest] + made
    return made if raw[0] else "1" + made


def upi(rng: Random, _: str) -> str:
    return f"{rng.choice((rng.choice(FIRST) + rng.choice(LAST), digits(rng, 10, '9876')))}@{rng.choice(('okhdfcbank', 'ybl', 'paytm', 'oksbi', 'okicici'))}"


def arabised(rng: Random, text: str) -> str:
    """Half of the time with the digits of Arabic."""
    return text.translate(str.maketrans(string.digits, ARABIC)) if rng.random() < 0.5 else text


def short_digits(low: int, high: int) -> Callable[[Random, str], str]:
    def made(rng: Random, language: str) -> str:
        text = digits(rng, rng.randint(low, high))
        return arabised(rng, text) if language == "ar" else text

    return made


VALUES: dict[str, Callable[[Random, str], str]] = {
    "ssn": ssn, "card": card, "email": email, "phone": phone, "address": address, "postcode": postcode, "date_of_birth": born,
    "passport": passport, "licence": licence, "aadhaar": aadhaar, "pan": pan, "cpf": cpf, "cnpj": cnpj, "dni": dni, "curp": curp,
    "rfc": rfc, "nif": nif, "nino": nino, "nhs": nhs, "cuit": cuit, "egypt_id": egypt_id, "saudi_id": saudi_id, "emirates_id": emirates_id,
    "iban": iban, "bank_account": bank_account, "sort_code": lambda r, _: grouped(digits(r, 6), (2, 2, 2), r.choice(("-", "-", " ", ""))),
    "ifsc": lambda r, _: f"{r.choice(('HDFC', 'SBIN', 'ICIC', 'UTIB'))}0{digits(r, 6)}", "routing": routing, "cvv": short_digits(3, 3),
    "pin": short_digits(4, 6), "one_time_code": short_digits(4, 8), "password": letters_password, "ip_address": ip_address, "api_key": named_key,
    "crypto_wallet": crypto_wallet, "upi": upi,
}  # fmt: skip
UNNAMED = {"password": password, "api_key": api_key}
"""Where the sentence may say nothing of what the value is."""


def filler(rng: Random, slot: str) -> str:
    """What stands in a slot of a sentence whose numbers are nobody's."""
    if slot[0] == "n":
        return digits(rng, int(slot[1:]), "123456789")
    day = date(2024, 1, 1) + timedelta(days=rng.randint(0, 900))
    return {
        "price": lambda: rng.choice((f"{rng.randint(1, 999)},{rng.randint(100, 999)}", f"{rng.randint(1, 9999)}.{rng.randint(10, 99)}", str(rng.randint(10, 90000)))),
        "big": lambda: rng.choice((f"{rng.randint(1, 99)},{rng.randint(100, 999)},{rng.randint(100, 999)}", str(rng.randint(10**6, 10**9)), f"{rng.randint(100, 999)}000")),
        "time": lambda: rng.choice((f"{rng.randint(1, 23)}:{rng.randint(10, 59)}", f"{rng.randint(1, 12)} pm", f"{rng.randint(10, 23)}h{rng.randint(10, 59)}")),
        "date": lambda: rng.choice((f"{day.day}/{day.month}/{day.year}", day.isoformat(), f"{day.day}.{day.month}.{day.year}", f"{day.day}/{day.month}")),
        "ver": lambda: rng.choice((f"{rng.randint(1, 20)}.{rng.randint(0, 20)}.{rng.randint(0, 99)}", f"{rng.randint(1, 20)}.{rng.randint(0, 20)}.{rng.randint(0, 20)}.{rng.randint(1, 200)}")),
        "year": lambda: str(rng.randint(1950, 2026)),
        "coord": lambda: f"{rng.choice(('', '-'))}{rng.randint(1, 89)}.{digits(rng, rng.randint(4, 7))}",
        "alnum6": lambda: mixed_upper(rng, 6),
    }[slot]()  # fmt: skip
