"""Crisis texts, personal data, recall, shaping, language, text, the lexicon: one table each."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.domain.analysis import Analysis
from brain.domain.language import detect
from brain.domain.memory import Archive, Memory, importance_of
from brain.domain.pii import scan_pii
from brain.domain.safety import Action, SafetyVerdict
from brain.domain.shaping import empathy_of, shape, timing
from brain.domain.state import EndUserState, HumanState, Relation
from brain.domain.text import normalise, spellings
from tests.support.understanding import shipped

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANALYSER = shipped().analyser
NEUTRAL = Analysis(0.0, 0.5, 0.2, ("neutral",), "statement", "heuristic")
FINE = SafetyVerdict()


# --- personal data --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked", "kinds"),
    [
        ("write to sarah.k+x@mail.example.org please", "write to [EMAIL] please", ("email",)),
        ("call me on +44 7700 900123", "call me on [PHONE]", ("phone",)),
        ("call (415) 555-0100 now", "call [PHONE] now", ("phone",)),
        ("my card 4111 1111 1111 1111 ok", "my card [CARD] ok", ("card",)),
        ("ssn 123-45-6789", "ssn [SSN]", ("ssn",)),
        ("my social security number is 123456789", "my social security number is [SSN]", ("ssn",)),
        ("passport number X1234567", "passport number [PASSPORT]", ("passport",)),
        ("I was born on 12/05/1988", "I was born on [DATE_OF_BIRTH]", ("date_of_birth",)),
        ("I live at 12 Baker Street", "I live at [ADDRESS]", ("address",)),
        ("\u0967\u0968\u0969-\u096a\u096b-\u096c\u096d\u096e\u096f", "[SSN]", ("ssn",)),
    ],
)
def test_personal_data_is_masked(text, masked, kinds):
    scan = scan_pii(text)
    assert (scan.masked_text, scan.kinds) == (masked, kinds)
    assert scan.blocked == bool({"card", "ssn"} & set(kinds))


@pytest.mark.parametrize(
    "text",
    [
        "my surgery is on 2026-11-27",
        "see you 12.05.2026 at 10:30",
        "it costs 1,000,000",
        "room 1234, floor 5",
        "order 123456789",
        "I am 45 and have 3 kids",
    ],
)
def test_other_numbers_stay(text):
    assert scan_pii(text).masked_text == text


@pytest.mark.parametrize(
    "text", ["000-12-3456", "900-12-3456", "4111 1111 1111 1112", "0000 0000 0000 0000"]
)
def test_numbers_with_a_wrong_checksum_or_range_do_not_block(text):
    assert not scan_pii(text).blocked


@given(st.text())
def test_masking_twice_is_masking_once(text):
    once = scan_pii(text)
    assert scan_pii(once.masked_text).masked_text == once.masked_text


# --- recall ---------------------------------------------------------------------------------


EMBEDDER = shipped().embedder


def memories(*texts, start=NOW - timedelta(days=40)):
    return tuple(
        Memory(f"m{i}", text, start + timedelta(hours=i), 0.3, vector=EMBEDDER.embed(text))
        for i, text in enumerate(texts)
    )


def recall(query, told, now, **options):
    return Archive(told).recall(query, now, embedder=EMBEDDER, **options)


TOLD = memories(
    "hello there",
    "my name is Sarah",
    "I work at TechCorp",
    "the weather is lovely today",
    "My surgery is on Friday and I'm nervous",
    "do you remember where I work?",
    "I live in Lisbon with my two dogs",
    "Trabajo en un hospital de Madrid",
    "my sister Ana is visiting",
    "I am allergic to penicillin",
)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("do you remember where I work?", "I work at TechCorp"),
        ("What's my name?", "my name is Sarah"),
        ("when is my operation?", "My surgery is on Friday and I'm nervous"),
        ("which city do I live in?", "I live in Lisbon with my two dogs"),
        ("\u00bfrecuerdas d\u00f3nde trabajo?", "Trabajo en un hospital de Madrid"),
        ("do I have any allergies?", "I am allergic to penicillin"),
        ("what is my sister called?", "my sister Ana is visiting"),
    ],
)
def test_what_was_told_is_recalled(query, text):
    hits = recall(query, TOLD, NOW)
    assert text in [hit.text for hit in hits]
    assert len(hits) <= 3
    assert all(0.3 <= hit.similarity <= 1 for hit in hits)


def test_a_statement_beats_the_same_question():
    hits = recall("where do I work?", TOLD, NOW)
    assert "I work at TechCorp" in [hit.text for hit in hits][:2]
    assert hits[0].text != "do you remember where I work?"


def test_nothing_is_recalled_for_nothing():
    assert recall("ok", TOLD, NOW) == ()
    assert recall("quantum chromodynamics", TOLD, NOW) == ()
    assert recall("where do I work?", (), NOW) == ()


def test_near_duplicates_are_told_once():
    same = memories("I work at TechCorp", "i work at TechCorp!", "I work at TechCorp.")
    assert len(recall("where do I work", same, NOW)) == 1


def test_among_equals_the_newer_and_the_weightier_comes_first():
    old, new = memories("I moved to Rome once", "Rome was where I moved from Pisa and Bari")
    near = Memory("n", "I moved to Rome again", NOW, 0.9)
    assert Archive((old, near)).recall("Rome", NOW)[0].id == "n"
    assert new.id == "m1"


def test_unspaced_and_marked_scripts_are_searched():
    told = memories(
        "\u092e\u0948\u0902 \u0926\u093f\u0932\u094d\u0932\u0940 \u092e\u0947\u0902 \u0930\u0939\u0924\u093e \u0939\u0942\u0901",
        "\u6771\u4eac\u3067\u50cd\u3044\u3066\u3044\u307e\u3059",
    )
    assert recall("\u0926\u093f\u0932\u094d\u0932\u0940", told, NOW)[0].id == "m0"
    assert recall("\u6771\u4eac", told, NOW)[0].id == "m1"


@given(st.text(), st.lists(st.text(), max_size=5))
def test_recall_takes_any_text(query, texts):
    assert len(recall(query, memories(*texts), NOW)) <= 3


def test_importance_grows_with_what_happened():
    loss = Analysis(-0.9, 0.5, 1.0, ("grief",), "emotional_support", "heuristic", life_event=True)
    block = SafetyVerdict(action=Action.BLOCK)
    assert (
        importance_of(NEUTRAL, FINE) < importance_of(loss, FINE) < importance_of(loss, block) <= 1
    )


# --- shaping --------------------------------------------------------------------------------


def person(mood=0.5, energy=0.5, **relation):
    start = EndUserState.initial(NOW)
    return EndUserState(
        HumanState(energy=energy, mood=mood),
        Relation(**relation),
        *(getattr(start, name) for name in list(EndUserState.__slots__)[2:]),
    )


def test_empathy_is_near_the_published_samples_and_never_rises_with_mood():
    assert empathy_of(0.35) == pytest.approx(0.95, abs=0.0501)
    assert empathy_of(0.31) == pytest.approx(0.88, abs=0.0501)
    values = [empathy_of(i / 100) for i in range(101)]
    assert values == sorted(values, reverse=True)
    assert all(0 <= value <= 1 for value in values)


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        (person(), "neutral_professional"),
        (person(mood=0.3), "empathetic_professional"),
        (person(grudge=0.4), "cautious"),
        (person(mood=0.3, grudge=0.39), "empathetic_professional"),
        (person(mood=0.7, trust=0.8), "warm_professional"),
    ],
)
def test_tone(state, tone):
    assert shape(state, NEUTRAL, FINE, channel="api").tone == tone


def test_tired_people_get_short_answers_and_friends_informal_ones():
    assert shape(person(energy=0.2), NEUTRAL, FINE, channel="api").response_length == "short"
    stranger = shape(person(), NEUTRAL, FINE, channel="api")
    friend = shape(person(familiarity=0.9, trust=0.9), NEUTRAL, FINE, channel="api")
    assert friend.formality < stranger.formality


def delay(analysis=NEUTRAL, safety=FINE, channel="whatsapp", text="hello " * 500, **kwargs):
    return timing(
        "m1", text, person(), analysis, safety, channel=channel, last_seen=None, now=NOW, **kwargs
    )


def test_timing_is_bounded_stable_and_explained():
    assert delay() == delay()
    assert 0 < delay().delay_ms <= 4_000
    assert "base" in delay().reason
    assert "jitter" in delay().reason


def test_crisis_and_urgent_never_wait():
    urgent = Analysis(0.0, 0.5, 0.2, ("neutral",), "request", "heuristic", urgent=True)
    assert delay(safety=SafetyVerdict(action=Action.HOLD)).delay_ms == 0
    assert delay(analysis=urgent).delay_ms == 0


# --- language, text, lexicon ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I am not feeling well today", "en"),
        ("Hola, estoy muy triste porque perd\u00ed mi trabajo", "es"),
        ("Ol\u00e1, estou muito cansada e n\u00e3o sei o que fazer", "pt"),
        ("\u092e\u0941\u091d\u0947 \u092c\u0939\u0941\u0924 \u0926\u0941\u0916 \u0939\u0948", "hi"),
        ("mujhe bahut dukh hai yaar", "hi-Latn"),
        ("\u0623\u0646\u0627 \u062d\u0632\u064a\u0646 \u0627\u0644\u064a\u0648\u0645", "ar"),
        ("12345", None),
        ("", None),
    ],
)
def test_language(text, language):
    assert detect(text) == language


def test_normalise_and_spellings():
    assert normalise("Don\u2019t  ST\u00d3P self-harm") == "dont stop self harm"
    assert spellings("hello there") == ("hello there",)
    assert "kill" in spellings("k1ll")[1:] or "kill" in spellings("k1ll")
    assert "kill" in spellings("k i l l")
    assert "die" in spellings("diiiie")


@pytest.mark.parametrize(
    ("text", "emotion", "sign"),
    [
        ("I am so happy today!!", "joy", 1),
        ("I lost my mother last week", "grief", -1),
        ("soooo tired \U0001f629", "tiredness", -1),
        ("estoy muy triste", "sadness", -1),
        ("tenho muito medo", "fear", -1),
        ("\u0645\u0628\u0633\u0648\u0637 \u062c\u062f\u0627", "joy", 1),
        ("mujhe bahut dar lag raha hai", "fear", -1),
        ("thank you so much", "gratitude", 1),
    ],
)
def test_emotions_and_valence(text, emotion, sign):
    read = ANALYSER.analyse(text)
    assert emotion in {*read.emotions, *(trigger.emotion for trigger in read.triggers)}
    assert read.valence * sign > 0
    assert read.informativeness >= 0.4
    assert read.confidence == ("model" if read.language in {"en", None} else "heuristic")
    assert read.triggers


@pytest.mark.parametrize(
    "text", ["ok", "OK.", "k", "vale", "sim", "\u0920\u0940\u0915 \u0939\u0948", "..."]
)
def test_acknowledgements_say_nothing(text):
    assert ANALYSER.analyse(text).informativeness == 0


def test_arousal_follows_the_signs():
    plain = ANALYSER.analyse("i am relaxed and sleepy").arousal
    loud = ANALYSER.analyse("I CAN'T WAIT!!! SO EXCITED").arousal
    assert plain < ANALYSER.analyse("i can't wait, so excited").arousal <= loud
    assert (
        ANALYSER.analyse("tired \U0001f634\U0001f634").arousal < ANALYSER.analyse("tired").arousal
    )


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("do you remember where I work?", "question"),
        ("can I talk to a real person", "human_please"),
        ("STOP", "opt_out"),
        ("still waiting for my refund, unacceptable", "complaint"),
        ("thanks!", "gratitude"),
        ("please send me the form", "request"),
        ("hello", "small_talk"),
        ("I feel so lonely", "emotional_support"),
        ("I had soup for lunch", "statement"),
    ],
)
def test_intent(text, intent):
    assert ANALYSER.analyse(text).intent == intent


def test_hostility_life_events_and_urgency():
    assert ANALYSER.analyse("you are so useless").hostility > 0.5
    assert ANALYSER.analyse("I got promoted today!").life_event
    assert ANALYSER.analyse("my dad passed away").life_event
    assert ANALYSER.analyse("urgent, need help now").urgent
    assert not ANALYSER.analyse("I am happy").life_event


def test_a_denied_emotion_is_not_reported():
    assert "joy" not in ANALYSER.analyse("I am not happy").emotions


@given(st.text())
def test_any_text_can_be_read(text):
    read = ANALYSER.analyse(text)
    assert -1 <= read.valence <= 1
    assert 0 <= read.arousal <= 1
    assert 0 <= read.informativeness <= 1
