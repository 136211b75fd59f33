"""Where a person lives: street addresses as they are written in each language, and postcodes."""

import re
from collections.abc import Iterator

from brain.domain.pii.reading import VOWEL_SIGNS, WORD, Find, Line, links, told, words

_W = rf"[\w{VOWEL_SIGNS}'.\-]"
_NAME = rf"[^\W\d_]{_W}{{0,20}}"
_ORDINAL = r"\d{1,3}(?:st|nd|rd|th)"
_HOUSE = r"\d{1,5}(?:[- ]?[a-d](?!\w))?(?:[-/]\d{1,4}[a-z]?)?"
_FLAT = r"(?:(?:flat|apt|apartment|unit|suite|ste|floor|#|po box|lot)\.? ?(?:no\.? ?)?#?[\w-]{1,6})"
_SURE = r"(?:streets?|st|roads?|rd|avenue|ave|boulevard|blvd|lane|ln|crescent|terrace|highway|hwy|parkway|pkwy|mews|marg|salai)"
_UNSURE = r"(?:drive|dr|court|ct|place|pl|way|close|square|sq|circle|cir|row|trail|grove|gardens|hill|walk|chowk|path)"
_POSTAL = (
    r"(?:(?:[a-z]{2},? )?\d{5}(?:-\d{4})?|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|\d{5}-\d{3}|[1-9]\d{2} ?\d{3}"
    r"|[a-z]\d[a-z] ?\d[a-z]\d|\d{4}-\d{3})(?![\w-])"
)
_CITY_AND_POSTAL = rf"(?:,? {{0,2}}(?:{_NAME}[ ,-]{{1,3}}){{1,5}}(?:cep:? ?|cp:? ?|c\.p\.? ?|pin:? ?|zip:? ?|- ?)?{_POSTAL})?"

_ENGLISH = re.compile(
    rf"(?<![\w.,/$€£₹-])(?:{_FLAT},? (?:at )?)?(?P<house>{_HOUSE}),? (?P<names>(?:(?:{_NAME}|{_ORDINAL}) ){{1,4}}?)"
    rf"(?:(?P<sure>{_SURE})|(?P<unsure>{_UNSURE}))\b\.?(?: (?:north|south|east|west|nw|ne|sw|se|[nsew])\b)?"
    rf"(?:,? {_FLAT})?{_CITY_AND_POSTAL}"
)
_PO_BOX = re.compile(r"(?<!\w)p\.? ?o\.? box (?:no\.? ?)?\d{1,7}(?!\w)")
_NUMBERED_STREET = re.compile(
    rf"(?<![\w.,/$€£₹-])(?:{_FLAT},? )?{_HOUSE},? (?:(?:north|south|east|west|[nsew]) )?{_ORDINAL} (?:{_SURE}|place|pl|way)\b{_CITY_AND_POSTAL}"
)

_CALLE_SURE = r"(?:calle|c/|avenida|avda\.?|av\.?|carrera|cra\.?|kra\.?|diagonal|transversal|calzada|bulevar|boulevard|jiron|jr\.|carretera|rua|r\.|travessa|alameda|ladeira|servidao|rodovia)"
_CALLE_UNSURE = r"(?:paseo|plaza|camino|pasaje|ronda|praca|estrada|largo|beco|quadra|qd|cl|kr|cr)"
_NUMERO = r"(?:(?:n[o.]{0,2}|num\.?|numero|nro\.?|no\.|#|n\.) ?)"
_EXTRA = (
    r"(?:[ ,.\-]{1,3}(?:piso|depto\.?|dpto\.?|departamento|apto\.?|ap\.?|apartamento|int\.?|interior|ext\.?|bloco|bl\.?|torre|casa|"
    r"puerta|pta\.?|andar|sala|lote|lt\.?|manzana|mz\.?|esc\.?|escalera|colonia|col\.|barrio|bairro)"
    r"(?: ?(?:n[o.]{0,2} ?)?[\w-]{1,12})|[ ,]{1,2}\d{1,2}(?:o|a|er)? ?[a-d]?(?=[,.]|$))"
)
_ROMANCE = re.compile(
    rf"(?<![\w])(?:(?P<sure>{_CALLE_SURE})|(?P<unsure>{_CALLE_UNSURE})) ?(?P<names>(?:(?:\d{{1,2}} de |{_NAME}[ ,]{{1,2}})){{1,6}}?|\d{{1,3}} de {_NAME},? )"
    rf"(?:,? ?{_NUMERO}|, ?)?(?P<house>\d{{1,5}}[a-d]?(?![\w/:]|[.,]\d))(?:{_EXTRA}){{0,4}}{_CITY_AND_POSTAL}"
)
_COLOMBIAN = re.compile(
    rf"(?<!\w)(?:calle|carrera|cra\.?|kra\.?|kr\.?|cr\.?|cl\.?|diagonal|dg\.?|transversal|tv\.?|avenida|av\.?) ?\d{{1,3}} ?[a-d]?(?: ?(?:bis|sur|norte|este))?"
    rf" ?(?:#|no\.?|n[o.]{{1,2}}|nro\.?|numero) ?\d{{1,3}} ?[a-d]?(?: ?- ?\d{{1,3}})?(?:{_EXTRA}){{0,3}}"
)

_INDIAN_STRONG = r"(?:house|h\.? ?no|hno|flat|plot|door|d\.? ?no|makaa?n|kothi|quarter|qtr|villa|apartment|apt|मकान|फ्लैट|प्लॉट|कोठी|हाउस)"
_INDIAN_WEAK = r"(?:sector|sec|gali|block|ward|tower|phase|pocket|building|wing|floor|street|lane|room|cross|main|सेक्टर|गली|ब्लॉक|वार्ड|टावर|रोड)"
_NUMBERED = r"[ .:-]{0,2}(?:(?:no|number|num|nambar|नंबर|नम्बर|नं|संख्या|#)[ .:-]{0,3})?(?:\d{1,5}(?:[/-]\w{1,5}){0,3}[a-z]?|[a-z][-/ ]?\d{1,5}(?:[/-]\d{1,4})?|[a-z])(?![\w/])"
_PART = rf"(?:{_INDIAN_STRONG}|{_INDIAN_WEAK}){_NUMBERED}"
_INDIAN = re.compile(
    rf"(?<!\w)(?P<first>{_PART})(?P<more>(?:[ ,]{{1,3}}(?:(?:{_NAME}[ ,]{{1,3}}){{0,4}}?)(?:{_PART}))*)"
    rf"(?P<place>(?:[ ,]{{1,3}}{_NAME}){{0,3}}?[ ,]{{1,3}}{_NAME}? ?(?:nagar|colony|vihar|enclave|puram|road|marg|chowk|bagh|layout|society|mohalla|"
    rf"apartments?|residency|heights|extension|street|lane|bazar|market|नगर|कॉलोनी|विहार|रोड|मार्ग|चौक|बाग|मोहल्ला|अपार्टमेंट|सोसाइटी)(?![\w{VOWEL_SIGNS}]))?"
    rf"(?P<pin>(?:[ ,-]{{1,3}}{_NAME}){{0,4}}[ ,-]{{1,3}}(?:pin:? ?|पिन:? ?)?[1-9]\d{{2}} ?\d{{3}}(?!\w))?"
)
_STRONG = re.compile(_INDIAN_STRONG)
_HINDI_STREET = re.compile(
    rf"(?<![\w.,/-])(?P<house>\d{{1,5}}(?:[-/]\w{{1,5}})?),? (?P<names>(?:{_NAME} ){{1,3}}?)(?:रोड|मार्ग|स्ट्रीट|गली|लेन|चौक|सड़क|पथ)(?![\w{VOWEL_SIGNS}])"
    rf"(?:(?:[ ,-]{{1,3}}{_NAME}){{0,4}}[ ,-]{{1,3}}(?:पिन:? ?)?[1-9]\d{{2}} ?\d{{3}}(?!\w))?"
)

_AR_PART = r"(?:(?:ال)?(?:عماره|مبني|مبنى|بنايه|شقه|فيلا|فله|منزل|بيت|قطعه|مجمع|برج|بلوك|دور|طابق|عقار))[ :]{1,2}(?:رقم ?)?\d{1,5}(?!\w)"
_AR_STREET = rf"(?:(?:ال)?(?:شارع|طريق|ش)\.? (?:{_NAME}[ ]){{0,4}}?{_NAME}[ ,]{{1,3}}(?:رقم ?)?\d{{1,4}}(?![\w:/.]))"
_AR_STREET_AFTER = rf"(?:\d{{1,4}}[ ,]{{1,2}}(?:شارع|ش|طريق) {_NAME}(?: {_NAME}){{0,2}})"
_AR_TAIL = rf"(?:[ ,]{{1,3}}(?:و?{_AR_PART}|(?:شارع|حي|طريق|مدينه) {_NAME}(?: {_NAME})?))"
_ARABIC = re.compile(
    rf"(?<!\w)(?:(?P<street>{_AR_STREET}|{_AR_STREET_AFTER})|(?P<part>{_AR_PART}))(?P<more>{_AR_TAIL}*)"
)

_UK = re.compile(r"(?<!\w)[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}(?!\w)")
_CANADA = re.compile(r"(?<!\w)[abceghj-nprstvxy]\d[a-z][ -]?\d[a-z]\d(?!\w)")
_ZIP = re.compile(r"(?<![\w.,$-])\d{5}(?:-\d{4})?(?![\w-]|[.,]\d)")
_CEP = re.compile(r"(?<![\w.,$-])\d{2}\.?\d{3}-?\d{3}(?![\w-]|[.,]\d)")
_IN_PIN = re.compile(r"(?<![\w.,$-])[1-9]\d{2} ?\d{3}(?![\w-]|[.,]\d)")
_PT = re.compile(r"(?<![\w.,$-])\d{4}-\d{3}(?![\w-]|[.,]\d)")
_POSTCODES = (
    (("uk_postcode", "address"), _UK),
    (("uk_postcode", "address"), _CANADA),
    (("zip",), _ZIP),
    (("cep",), _CEP),
    (("cep",), _PT),
    (("pincode",), _IN_PIN),
)

_SAID = re.compile(r"[^\n?!;]{4,120}")
_SAID_END = re.compile(
    r"\.(?:\s+\S{3,}|\s*$)|\s(?:and|y|e|aur|और|و) (?:my|mi|meu|minha|mera|meri|मेरा|phone|tel|call|el|the)\b|,? (?:thanks|please|gracias|por favor|obrigad)"
)


def addresses(line: Line) -> Iterator[Find]:
    """Street addresses: by their form, and whatever with a number "my address is" introduces."""
    if line.digits == 0:
        return
    if line.has("street"):
        yield from _english(line)
    if line.has("calle"):
        yield from _romance(line)
    if line.has("unit"):
        yield from _indian(line)
        yield from _arabic(line)
    if line.has("address"):
        yield from _said(line)


def _english(line: Line) -> Iterator[Find]:
    told_so = line.has("address")
    for match in _ENGLISH.finditer(line.plain):
        names = match["names"].split()
        if not _is_street_name(names):
            continue
        titled = (
            line.raw[match.start("names")].isupper() or line.raw[match.start("names")].isdigit()
        )
        if match["sure"] or told_so or titled:
            yield Find(match.start(), match.end(), "address")
    for pattern in (_PO_BOX, _NUMBERED_STREET, _HINDI_STREET):
        for match in pattern.finditer(line.plain):
            yield Find(match.start(), match.end(), "address")


def _is_street_name(names: list[str]) -> bool:
    barred = words().sets["not_street_names"]
    return all(name.strip(".,") not in barred for name in names)


def _romance(line: Line) -> Iterator[Find]:
    told_so = line.has("address")
    barred = words().sets["not_street_names"]
    for match in _ROMANCE.finditer(line.plain):
        names = [word for word in WORD.findall(match["names"]) if word not in {"la", "el"}]
        if not names or any(name in barred for name in names):
            continue
        titled = line.raw[match.start("names")].isupper()
        if match["sure"] or told_so or titled:
            yield Find(match.start(), match.end(), "address")
    for match in _COLOMBIAN.finditer(line.plain):
        yield Find(match.start(), match.end(), "address")


def _indian(line: Line) -> Iterator[Find]:
    told_so = line.has("address")
    for match in _INDIAN.finditer(line.plain):
        strong = (
            _STRONG.match(match["first"]) is not None or _STRONG.search(match["more"]) is not None
        )
        signs = strong + bool(match["more"].strip()) + bool(match["place"]) + bool(match["pin"])
        if (strong and (told_so or signs > 1)) or (told_so and signs >= 1) or signs > 1:
            yield Find(match.start(), match.end(), "address")


def _arabic(line: Line) -> Iterator[Find]:
    told_so = line.has("address")
    for match in _ARABIC.finditer(line.plain):
        if match["street"] or match["more"] or told_so:
            yield Find(match.start(), match.end(), "address")


def _said(line: Line) -> Iterator[Find]:
    """After "my address is", with a number among the first words: all of the clause."""
    for cue in line.named("address"):
        said = _SAID.match(line.plain, cue.end)
        if said is None:
            continue
        lead = _LEAD.match(line.plain, cue.end)
        start = cue.end if lead is None else lead.end()
        if not links(line.plain[cue.end : start]):
            continue
        end = said.end()
        stop = _SAID_END.search(line.plain, start, end)
        end = stop.start() if stop else end
        end = min(
            [
                end,
                *(
                    other.start
                    for other in line.cues
                    if other.start > start and not _PLACE_CUES.issuperset(other.names)
                ),
            ]
        )
        clause = line.plain[start:end].rstrip(" ,-(")
        if _is_said_address(clause):
            yield Find(start, start + len(clause), "address")


_PLACE_CUES = frozenset(
    {"address", "street", "calle", "unit", "zip", "cep", "pincode", "uk_postcode", "pin", "card"}
)
_LEAD = re.compile(
    rf"(?:[\s:=,\-]*(?:(?:is|are|at|in|on|the|here|es|la|el|en|e|a|o|na|no|em|hai|h|ye|yeh|है|यह|ये|में|هو|في|هي)(?![\w{VOWEL_SIGNS}])))*[\s:=,\-\"']*"
)


def _is_said_address(clause: str) -> bool:
    """A house number or a plot among the first words, and at least two words that may be names."""
    head = clause.split()[:5]
    if len(clause.split()) < 2 or not any(ch.isdigit() for word in head for ch in word):
        return False
    if _UNLIKELY.search(clause):
        return False
    barred = words().sets["not_street_names"]
    plain = WORD.findall(clause)
    return len(plain) >= 1 and sum(word in barred for word in plain) * 4 <= len(plain)


_UNLIKELY = re.compile(
    r"@|https?:|\d{1,2}:\d\d|\d ?(?:am|pm|km|min|years?|anos|saal|st floor)\b|\d{7,}"
)


def postcodes(line: Line) -> Iterator[Find]:
    """Postcodes where a word says what they are; British and Canadian ones also near an address."""
    if line.digits < 2:
        return
    for names, pattern in _POSTCODES:
        for match in told(line, names, pattern, lambda _: True):
            yield Find(match.start(), match.end(), "postcode")
