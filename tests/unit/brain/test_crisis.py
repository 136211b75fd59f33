"""What a person in danger is told: the lines of their country, in their language, in few words."""

import string
from datetime import UTC, date, datetime
from time import perf_counter

import phonenumbers
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from brain.domain.crisis import (
    KINDS,
    LIMITED,
    CrisisBook,
    country_of,
    crisis_answer,
    helpline_of,
    load_crisis_book,
    parse_helplines,
    parse_texts,
    region_of,
)
from brain.domain.cues import Cues
from brain.domain.language import LANGUAGES
from brain.domain.text import normalise

BOOK = load_crisis_book()
CUES = Cues.load()
TODAY = datetime.now(UTC).date()
PARTS = {
    *("helpline_format", "option_format", "texts_format", "hours_format", "limited_format"),
    *("child_format", "directory", "emergency_unknown"),
}
ANSWERS = sorted(BOOK.texts["en"].keys() - PARTS)
LONGEST = 700


def phone_of(region: str) -> str:
    """A number of ``region`` that is nobody's, from the library's own examples."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    example = example or phonenumbers.example_number(region)
    return phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)


# --- the country of a phone -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "region"),
    [
        ("+12125550123", "US"),
        ("12125550123", "US"),
        ("0012125550123", "US"),
        ("+1 (416) 555-0123", "CA"),
        ("+16045550123", "CA"),
        ("+18765550123", "JM"),
        ("+18685550123", "TT"),
        ("+17875550123", "PR"),
        ("+447400123456", "GB"),
        ("+447797712345", "JE"),
        ("+79161234567", "RU"),
        ("+77011234567", "KZ"),
        ("+5215512345678", "MX"),
        ("+525512345678", "MX"),
        ("+5491123456789", "AR"),
        ("+541123456789", "AR"),
        ("+5511912345678", "BR"),
        ("+919876543210", "IN"),
        ("\u0669\u0661 \u0669\u0668\u0667\u0666\u0665 \u0664\u0663\u0662\u0661\u0660", "IN"),
        (None, None),
        ("", None),
        ("anonymous", None),
        ("+", None),
        ("+999123456", None),
        ("+34", None),
        ("+3461", None),
        ("+15555550100", None),
        ("0" * 400, None),
    ],
)
def test_the_region_comes_from_the_phone(phone, region):
    assert region_of(phone) == region


@pytest.mark.parametrize(
    ("phone", "home"),
    [
        ("+447797712345", "GB"),  # Jersey
        ("+447700900123", "GB"),  # reserved for drama, so of no region
        ("+17875550123", "US"),  # Puerto Rico
        ("+262692123456", "FR"),  # Réunion
        ("+3906698", None),  # too short
        ("+15555550100", None),  # one of twenty-five countries
        ("+76000000000", None),  # Russia or Kazakhstan
        ("+2341234", None),
    ],
)
def test_territories_share_lines_and_shared_codes_do_not(phone, home):
    country = country_of(BOOK, phone)
    assert (country.region if country else None) == home


def test_a_country_is_told_in_under_a_millisecond():
    def seconds(phone: str) -> float:
        began = perf_counter()
        country_of(BOOK, phone)
        return perf_counter() - began

    for phone in ("+14165550123", "+18765550123", "+447797712345", "+919876543210"):
        assert min(seconds(phone) for _ in range(5)) < 0.001


@given(
    phone=st.one_of(st.none(), st.text(), st.from_regex(r"\+?\d{0,20}")),
    category=st.sampled_from([*ANSWERS, *sorted(PARTS), "hate", "new_category"]),
    language=st.sampled_from([None, "xx", *LANGUAGES]),
)
def test_no_phone_raises_and_everybody_gets_an_answer(phone, category, language):
    region_of(phone)
    answer = crisis_answer(BOOK, category, phone=phone, language=language)
    assert answer.text.strip()
    assert len(answer.text) <= LONGEST
    assert answer.helpline is None or answer.helpline in answer.text
    if language in BOOK.texts:
        assert answer.language == language


# --- what the answer says ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "language", "line", "emergency", "spoken"),
    [
        ("+447700900123", None, "Samaritans: 116 123", "999", "en"),
        ("+919876543210", "hi", "Tele-MANAS: 14416", "112", "hi"),
        ("+919876543210", "hi-Latn", "14416", "112", "hi-Latn"),
        ("+5511912345678", None, "CVV: 188", "192", "pt"),
        ("+14155550100", "en", "988 Suicide & Crisis Lifeline: 988 (call or text)", "911", "en"),
        ("+14155550100", "es", "988, opción 2", "911", "es"),
        ("+14165550123", "es", "9-8-8 Suicide Crisis Helpline: 988 (llamada", "911", "es"),
        ("+18765550100", None, "888 639 5433", "110", "en"),
        ("+34612345678", None, "024", "112", "es"),
        ("+5215512345678", None, "800 911 2000", "911", "es"),
        ("+5491123456789", None, "0800 999 0091", "911", "es"),
        ("+4915123456789", None, "0800 111 0 111", "112", "en"),
        ("+33612345678", "es", "3114", "112", "es"),
        ("+27821234567", None, "0800 567 567", "112", "en"),
        ("+923012345678", None, "findahelpline.com", "1122", "en"),
        ("+999123456", None, "findahelpline.com", "your local emergency number", "en"),
        (None, "pt", "findahelpline.com", "o número de emergência do seu país", "pt"),
        ("not a phone", "xx", "findahelpline.com", "your local emergency number", "en"),
    ],
)
def test_the_line_of_the_country_in_the_language_of_the_person(
    phone, language, line, emergency, spoken
):
    answer = crisis_answer(BOOK, "self_harm", phone=phone, language=language)
    assert line in answer.helpline
    assert answer.helpline in answer.text
    assert emergency in answer.text
    assert answer.language == spoken


@pytest.mark.parametrize(
    ("phone", "abuse", "child", "police"),
    [
        ("+12125550123", "1-800-799-7233", "1-800-422-4453", "911"),
        ("+447400123456", "0808 2000 247", "0800 1111", "999"),
        ("+919876543210", "Women Helpline: 181", "Child Helpline: 1098", "112"),
        ("+34612345678", "016", "900 20 20 10", "112"),
        ("+5511912345678", "180", "100", "190"),
        ("+5215512345678", "079, opción 1", None, "911"),
        ("+20 100 123 4567", "findahelpline.com", "16000", "122"),
        ("+999123456", "findahelpline.com", None, "your local emergency number"),
    ],
)
def test_abuse_is_met_by_its_own_lines_and_the_police(phone, abuse, child, police):
    answer = crisis_answer(BOOK, "abuse", phone=phone, language=None)
    assert abuse in answer.helpline
    assert child is None or child in answer.helpline
    assert police in answer.text
    crisis = helpline_of(BOOK, phone)
    assert crisis is None or crisis.name not in answer.text


def test_a_medical_emergency_names_one_number_only():
    answer = crisis_answer(BOOK, "medical", phone="+5511912345678", language="pt")
    assert answer.helpline is None
    assert [word for word in answer.text.split() if any(map(str.isdigit, word))] == ["192"]


def test_the_first_line_of_a_category():
    assert helpline_of(BOOK, "+447400123456").contact == "116 123"
    assert helpline_of(BOOK, "+447400123456", "abuse").contact == "0808 2000 247"
    assert helpline_of(BOOK, "+447400123456", "sexual_minors").contact == "0800 1111"
    assert helpline_of(BOOK, "+923012345678") is None
    assert helpline_of(BOOK, None) is None


def test_hours_are_said_when_a_line_sleeps():
    danish = crisis_answer(BOOK, "self_harm", phone=phone_of("DK"), language="en")
    assert "70 201 201 (every day 09:00-05:00)" in danish.text
    qatari = crisis_answer(BOOK, "self_harm", phone=phone_of("QA"), language="en")
    assert "16000, option 4 (may be closed at some hours)" in qatari.text


@pytest.mark.parametrize(
    ("category", "same_as"),
    [
        ("hate", "harassment"),
        ("pii_extraction", "refusal"),
        ("legal_advice_request", "legal_referral"),
        ("financial_advice_request", "financial_referral"),
        ("new_category", "held"),
        ("helpline_format", "held"),
    ],
)
def test_categories_whose_answer_has_another_name(category, same_as):
    answers = [
        crisis_answer(BOOK, name, phone=None, language="en").text for name in (category, same_as)
    ]
    assert answers[0] == answers[1]


def test_in_arabic_every_number_keeps_its_order():
    """Outside the isolates no two digits stand, so no paragraph direction can swap them."""
    for category in ANSWERS:
        for region in BOOK.countries:
            text = crisis_answer(BOOK, category, phone=phone_of(region), language="ar").text
            depth, outside = 0, ""
            for sign in text:
                if sign in "\u2066\u2068":
                    depth += 1
                elif sign == "\u2069":
                    depth -= 1
                elif depth == 0:
                    outside += sign
                assert depth in {0, 1}
            assert depth == 0
            assert not any(each.isdigit() for each in outside)
            assert not set(string.ascii_letters) & set(outside)
    text = crisis_answer(BOOK, "self_harm", phone="+34612345678", language="ar").text
    assert "\u2066024\u2069" in text
    assert "\u2066112\u2069" in text


def test_only_arabic_has_isolates():
    for language in set(LANGUAGES) - {"ar"}:
        for category in ANSWERS:
            text = crisis_answer(BOOK, category, phone="+919876543210", language=language).text
            assert not set("\u2066\u2068\u2069") & set(text)


# --- the texts --------------------------------------------------------------------------------


def test_every_language_has_every_text():
    assert set(BOOK.texts) == set(LANGUAGES)
    wanted = {
        *("self_harm", "self_harm_concern", "self_harm_other", "violence", "abuse", "medical"),
        *("harassment", "illegal", "sexual_minors", "refusal", "privacy", "held"),
        *("legal_referral", "financial_referral", "output_blocked"),
        *("opted_out", "opted_in", "human_coming"),
        *("not_heard", "not_seen", "not_opened"),
    }
    assert set(ANSWERS) == wanted
    for texts in BOOK.texts.values():
        assert texts.keys() == wanted | PARTS
        assert all(text.strip() for text in texts.values())


def places(text: str) -> set[str]:
    return {place for _, place, _, _ in string.Formatter().parse(text) if place}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_text_names_what_its_danger_needs(language):
    texts = BOOK.texts[language]
    both = {"helpline", "emergency"}
    for name in ("self_harm", "self_harm_concern", "self_harm_other", "violence", "abuse"):
        assert places(texts[name]) == both
    for name in ("held", "human_coming", "opted_out", "sexual_minors"):
        assert places(texts[name]) == both
    for name in ("medical", "harassment", "illegal", "refusal"):
        assert places(texts[name]) == {"emergency"}
    for name in ("privacy", "legal_referral", "financial_referral", "output_blocked", "opted_in"):
        assert places(texts[name]) == set()


def test_no_answer_is_too_long_to_be_read_in_a_crisis():
    for language in LANGUAGES:
        for category in ANSWERS:
            for phone in (None, *map(phone_of, BOOK.countries)):
                answer = crisis_answer(BOOK, category, phone=phone, language=language)
                assert len(answer.text) <= LONGEST, (language, category, phone)
                assert not {"{", "}", "\n"} & set(answer.text)


def test_the_words_are_safe():
    """Nobody is said to commit suicide, and no text promises to keep what it was told."""
    for texts in BOOK.texts.values():
        for text in texts.values():
            lowered = text.casefold()
            for word in ("commit", "cometer", "secret", "segredo", "confidential", "سرّي", "गुप्त"):
                assert word not in lowered


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_word_that_brings_a_person_back_is_one_we_know(language):
    word = {
        "en": "START",
        "es": "EMPEZAR",
        "pt": "VOLTAR",
        "hi": "शुरू",
        "hi-Latn": "SHURU",
        "ar": "ابدأ",
    }[language]
    assert f" {word} " in BOOK.texts[language]["opted_out"]
    assert CUES.read(normalise(word)).intents == {"opt_in"}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('[en]\nheld = "a"\n[es]\n', "es differs"),
        ('[en]\nheld = "a"\n[es]\nheld = "b"\nmore = "c"\n', "es differs"),
        ('[en]\nheld = "call {number}"\n', "en held"),
    ],
)
def test_a_hole_in_the_texts_is_named(source, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_texts(source)


# --- the lines --------------------------------------------------------------------------------


def test_there_are_enough_countries():
    assert len(BOOK.countries) >= 60
    with_line = [c for c in BOOK.countries.values() if any(x.kind == "suicide" for x in c.lines)]
    assert len(with_line) >= 60


@pytest.mark.parametrize("region", sorted(BOOK.countries))
def test_every_entry_is_whole(region):
    country = BOOK.countries[region]
    assert country.region == region
    assert country.language is None or country.language in BOOK.texts
    assert country.source
    assert country.entered <= TODAY
    assert 2 <= len(country.emergency) <= 6
    assert country.emergency.isdigit()
    assert country.police is None or country.police.isdigit()
    assert country.police != country.emergency
    kinds = [line.kind for line in country.lines]
    assert kinds == sorted(kinds, key=KINDS.index)
    for line in country.lines:
        assert line.source
        assert line.confirmed == (line.seen_in is not None)
        assert line.entered <= TODAY
        assert "." in line.contact or any(map(str.isdigit, line.contact))
        assert line.hours in {None, LIMITED} or ":" in line.hours
        assert not {"{", "}", "\n", ";"} & set(line.name + line.contact)
    contacts = [(line.kind, line.contact) for line in country.lines]
    assert len(contacts) == len(set(contacts))


EMERGENCY_ELSEWHERE = {
    *("AM", "CI", "GH", "GT", "HN", "HT", "LK", "NG", "PE", "RS", "SV", "SX", "TT", "UZ"),
}
"""Regions whose number the library does not list; ``source`` there says who does."""


def test_emergency_numbers_agree_with_the_numbering_plans():
    unknown = {
        region
        for region, country in BOOK.countries.items()
        if not phonenumbers.is_emergency_number(country.emergency, region)
    }
    assert unknown == EMERGENCY_ELSEWHERE
    for region in BOOK.countries.keys() - EMERGENCY_ELSEWHERE:
        assert BOOK.countries[region].source == "libphonenumber short numbers"


def test_a_territory_shares_the_lines_of_a_country_in_the_book():
    assert not BOOK.shares.keys() & BOOK.countries.keys()
    assert set(BOOK.shares.values()) <= BOOK.countries.keys()


COUNTRY = {
    "emergency": "112",
    "source": "gov.example",
    "entered": "2026-11-23",
    "confirmed": True,
}
LINE = {
    "kind": "suicide",
    "name": "A line",
    "contact": "024",
    "languages": ["es"],
    "source": "line.example",
    "entered": "2026-11-23",
    "confirmed": False,
}


def document(country: dict, code: object = "ES", shares: dict | None = None) -> str:
    return yaml.safe_dump({"countries": {code: country}, "shares": shares or {}})


def with_line(**changes: object) -> dict:
    line = {name: value for name, value in (LINE | changes).items() if value is not None}
    return COUNTRY | {"lines": [line]}


def test_a_whole_entry_is_read():
    countries, shares = parse_helplines(document(with_line(), shares={"AD": "ES"}))
    assert countries["ES"].lines[0].contact == "024"
    assert countries["ES"].lines[0].entered == date(2026, 11, 23)
    assert shares == {"AD": "ES"}
    assert CrisisBook(BOOK.texts, countries, shares).countries["ES"].emergency == "112"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (document(COUNTRY, code="XX"), "'XX' is no country"),
        (document(COUNTRY, code=False), "False is no country"),  # Norway, unquoted
        (document(COUNTRY | {"source": ""}), "ES: source"),
        (document({k: v for k, v in COUNTRY.items() if k != "source"}), "ES: source"),
        (document(COUNTRY | {"emergency": 112}), "ES: emergency"),
        (document(COUNTRY | {"entered": "2026-13-45"}), "ES: entered '2026-13-45'"),
        (document(COUNTRY | {"entered": "yesterday"}), "ES: entered"),
        (document(COUNTRY | {"confirmed": "yes"}), "ES: confirmed"),
        (document(with_line(source=None)), "ES line 1: source"),
        (document(with_line(contact=20)), "ES line 1: contact"),
        (document(with_line(entered="2026-02-30")), "ES line 1: entered"),
        (document(with_line(entered=None)), "ES line 1: entered"),
        (document(with_line(kind="weather")), "ES line 1: kind"),
        (document(with_line(languages=None)), "ES line 1: languages"),
        (document(with_line(languages=[False])), "ES line 1: languages"),
        (document(with_line(hours="all day")), "ES line 1: hours"),
        (document(with_line(options={"en": "2"})), "ES line 1: options"),
        (document(with_line(confirmed=True)), "ES line 1: seen_in"),
        (document(with_line(texts="yes")), "ES line 1: texts"),
        (document(COUNTRY, shares={"AD": "FR"}), "AD cannot share the lines of FR"),
        (document(COUNTRY, shares={"ES": "ES"}), "ES cannot share"),
        ("countries: {", "helplines:"),
        ("countries: {}", "shares are missing"),
        ("- ES", "countries or shares"),
        ("entered: 2026-13-45", "helplines:"),
    ],
)
def test_a_wrong_entry_is_named(source, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_helplines(source)
