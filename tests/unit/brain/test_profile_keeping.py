"""What is kept of what people state, what replaces what, what answers, and what is forgotten."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brain.domain.memory import Memory
from brain.domain.profile import (
    KINDS,
    MOST_FACTS,
    Fact,
    ForgetRequest,
    Profile,
    answering,
    extract,
    forgetting,
    forgotten,
    from_document,
    relevant,
    to_document,
    updated,
)

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIFE = [
    "Hi, my name is Sarah",
    "I work at TechCorp as a nurse",
    "My surgery is on Friday",
    "my daughter Emma is 5",
    "I live in Leeds with my husband Tom",
    "I'm allergic to peanuts",
    "I take metformin",
    "I love hiking",
    "I hate mushrooms",
    "My favourite colour is blue",
    "my dog is called Rex",
    "I'm 34 years old",
    "My dentist appointment is tomorrow",
    "I'm from Chile",
    "I only speak Spanish",
]


def at(minute):
    return START + timedelta(minutes=minute)


def told(*messages):
    """The profile after ``messages``, one a minute."""
    profile = Profile()
    for minute, text in enumerate(messages):
        facts = extract(text, source_id=f"m{minute}", at=at(minute), language=None)
        profile = updated(profile, facts)
    return profile


def kept(profile):
    return {(fact.key, fact.value) for fact in profile.facts}


def memories(*texts):
    return [
        Memory(id=f"m{i}", text=text, created_at=at(i), importance=0.3)
        for i, text in enumerate(texts)
    ]


SARAH = told(*LIFE)


@pytest.mark.parametrize(
    ("messages", "left"),
    [
        (["I work at Google", "I work at Meta now"], {("employer", "Meta")}),
        (["I work at TechCorp", "I no longer work at TechCorp"], set()),
        (["I work at TechCorp", "I don't work at Google"], {("employer", "TechCorp")}),
        (["I work at TechCorp as a nurse", "I lost my job"], set()),
        (["My name is Sara", "my name is Sarah"], {("name", "Sarah")}),
        (["My name is Sara", "My name is not Sara"], set()),
        (["I live in Leeds", "I just moved to York"], {("home", "York")}),
        (["I love coffee", "I love tea"], {("like", "coffee"), ("like", "tea")}),
        (["I love coffee", "I don't like coffee any more"], {("dislike", "coffee")}),
        (["I love coffee", "I no longer like coffee"], set()),
        (["I hate coffee", "I love coffee"], {("like", "coffee")}),
        (["I'm allergic to nuts", "I'm allergic to milk", "I'm not allergic to nuts"],
         {("health:allergy", "milk")}),
        (["I take sertraline", "I stopped taking sertraline"], set()),
        (["I have a daughter", "my daughter is called Emma"], {("family:daughter", "Emma")}),
        (["my daughter is called Emma", "I have a daughter"], {("family:daughter", "Emma")}),
        (["my daughter Emma", "my daughter Lucy"],
         {("family:daughter", "Emma"), ("family:daughter", "Lucy")}),
        (["my wife Anna", "my wife Maria"], {("family:wife", "Maria")}),
        (["my wife is called Anna", "I have a wife"], {("family:wife", "Anna")}),
        (["My surgery is on Friday", "my surgery has been moved to Sunday"],
         {("event:surgery", "surgery Sunday")}),
        (["My surgery is on Friday", "my surgery was cancelled"], set()),
        (["Trabajo en TechCorp", "Ya no trabajo en TechCorp"], set()),
        (["Me gusta el café", "I don't like café any more"], {("dislike", "café")}),
        (["Moro em Lisboa", "Não moro mais em Lisboa"], set()),
        (["main Delhi mein rehta hoon", "ab main Delhi mein nahi rehta"], set()),
        (["मुझे चाय पसंद है", "अब मुझे चाय पसंद नहीं"], {("dislike", "चाय")}),
        (["أحب القهوة", "لم أعد أحب القهوة"], set()),
        (["my name is Sarah", "call me Sas"], {("name", "Sarah"), ("name:called", "Sas")}),
        (["I live in Leeds", "I'm from Chile"], {("home", "Leeds"), ("home:origin", "Chile")}),
        (["mi hija Emma", "my daughter Emma"], {("family:daughter", "Emma")}),
    ],
)  # fmt: skip
def test_what_replaces_what(messages, left):
    assert kept(told(*messages)) == left


def test_how_they_want_to_be_called_comes_first():
    assert told("my name is Sarah", "call me Sas").name == "Sas"
    assert told("my name is Sarah").name == "Sarah"
    assert Profile().name is None


def test_an_older_message_that_comes_late_changes_nothing():
    late = extract("I work at Google", source_id="m0", at=at(-5), language="en")
    assert updated(told("I work at Meta"), late) == told("I work at Meta")
    denial = extract("I don't work at Meta", source_id="m0", at=at(-5), language="en")
    assert updated(told("I work at Meta"), denial) == told("I work at Meta")


def test_a_full_profile_drops_old_and_unimportant_things_first():
    texts = ["my name is Sarah", "I'm allergic to nuts", "I work at TechCorp"]
    profile = told(*texts, *(f"I love thing{number}" for number in range(2 * MOST_FACTS)))
    assert len(profile.facts) == MOST_FACTS
    assert {"name", "health:allergy", "employer"} <= {fact.key for fact in profile.facts}
    assert ("like", f"thing{2 * MOST_FACTS - 1}") in kept(profile)
    assert ("like", "thing0") not in kept(profile)


def test_the_same_message_twice_changes_nothing():
    profile = Profile()
    for minute, text in enumerate([*LIFE, "I no longer work at TechCorp", "I don't like hiking"]):
        facts = extract(text, source_id=f"m{minute}", at=at(minute), language=None)
        profile = updated(profile, facts)
        assert updated(profile, facts) is profile


FACTS = st.builds(
    Fact,
    kind=st.sampled_from(["name", "employer", "like", "dislike", "health", "family", "pet"]),
    key=st.just(""),
    value=st.sampled_from(["Emma", "daughter", "coffee", "tea", "Sarah", "dog", "x"]),
    sentence=st.just("said"),
    source_id=st.sampled_from(["a", "b"]),
    stated_at=st.integers(0, 3).map(at),
    denied=st.booleans(),
).map(
    lambda fact: Fact(
        fact.kind,
        {"health": "health:allergy", "family": "family:daughter", "pet": "pet:dog"}.get(
            fact.kind, fact.kind
        ),
        *(fact.value, fact.sentence, fact.source_id, fact.stated_at),
        denied=fact.denied,
    )
)
MANY = st.lists(
    st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 200), st.integers(0, 90)),
    max_size=150,
).map(
    lambda rows: [
        Fact(KINDS[kind], f"{kind}:k{number}", f"v{number}", "said", f"m{number}", at(minute))
        for kind, number, minute in rows
    ]
)


def test_a_denial_uncovers_what_the_denied_had_hidden():
    like = Fact("like", "like", "tea", "said", "a", at(1))
    dislike = Fact("dislike", "dislike", "tea", "said", "b", at(0))
    denial = replace(like, source_id="b", denied=True)
    once = updated(Profile((like,)), (dislike, denial))
    assert once.facts == (dislike,)
    assert updated(once, (dislike, denial)) == once


@settings(max_examples=300, deadline=None)
@given(st.lists(FACTS, max_size=12), st.lists(FACTS, max_size=12))
def test_applying_facts_again_changes_nothing(before, facts):
    once = updated(updated(Profile(), before), facts)
    assert updated(once, facts) == once
    assert not any(fact.denied for fact in once.facts)
    assert len({fact.identity for fact in once.facts}) == len(once.facts)


@settings(max_examples=60, deadline=None)
@given(MANY)
def test_a_profile_is_bounded_and_survives_storage(facts):
    profile = updated(Profile(), facts)
    assert len(profile.facts) <= MOST_FACTS
    assert updated(profile, facts) == profile
    assert from_document(to_document(profile)) == profile


def test_a_profile_survives_json():
    stored = json.loads(json.dumps(to_document(SARAH), default=datetime.isoformat))
    assert from_document(stored) == SARAH


@pytest.mark.parametrize(
    "document",
    [None, {}, [], "x", {"facts": None}, {"facts": {"a": 1}}, {"facts": [None, 3, {}]},
     {"facts": [{"kind": "name"}]},
     {"facts": [{"kind": "shoe", "key": "shoe", "value": "42", "sentence": "s", "source_id": "m",
                 "stated_at": START}]},
     {"facts": [{"kind": "name", "key": "name", "value": "S", "sentence": "s", "source_id": "m",
                 "stated_at": "yesterday"}]}],
)  # fmt: skip
def test_a_broken_document_is_an_empty_profile(document):
    assert from_document(document) == Profile()


def test_a_half_broken_document_keeps_what_makes_sense():
    row = {
        "kind": "event", "key": "event:surgery", "value": "surgery", "sentence": "s" * 900,
        "source_id": "m", "stated_at": START.replace(tzinfo=None), "on": "soon", "extra": 1,
    }  # fmt: skip
    (fact,) = from_document({"facts": [row, "?"], "version": 9}).facts
    assert (fact.on, fact.stated_at, len(fact.sentence)) == (None, START, 200)


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("where do I work?", ["TechCorp", "nurse"]),
        ("what do I do for a living?", ["TechCorp", "nurse"]),
        ("what's my name?", ["Sarah"]),
        ("do you remember my name", ["Sarah"]),
        ("do you know who I am?", ["Sarah"]),
        ("When is my surgery?", ["surgery on Friday"]),
        ("do you remember my daughter's name?", ["Emma"]),
        ("what is my husband called?", ["Tom"]),
        ("who is Emma?", ["Emma"]),
        ("how old am I?", ["34"]),
        ("where do I live?", ["Leeds", "Chile"]),
        ("where am I from?", ["Chile"]),
        ("what am I allergic to?", ["peanuts"]),
        ("am I allergic to peanuts?", ["peanuts"]),
        ("which medication do I take?", ["metformin"]),
        ("what's my favourite colour?", ["blue"]),
        ("what don't I like?", ["mushrooms"]),
        ("what is my dog's name?", ["Rex"]),
        ("which language do I speak?", ["Spanish"]),
        ("when is my dentist appointment?", ["dentist appointment tomorrow"]),
        ("¿Cómo me llamo?", ["Sarah"]),
        ("¿Dónde trabajo?", ["TechCorp", "nurse"]),
        ("¿Cuándo es mi cirugía?", ["surgery on Friday"]),
        ("¿Recuerdas cómo se llama mi hija?", ["Emma"]),
        ("Onde eu moro?", ["Leeds", "Chile"]),
        ("Qual é o nome da minha filha?", ["Emma"]),
        ("mera naam kya hai", ["Sarah"]),
        ("main kahan rehta hoon?", ["Leeds", "Chile"]),
        ("मेरा नाम क्या है?", ["Sarah"]),
        ("मेरी बेटी का नाम क्या है?", ["Emma"]),
        ("ما اسمي؟", ["Sarah"]),
        ("أين أعمل؟", ["TechCorp", "nurse"]),
        ("what's your name?", []),
        ("what is the weather like?", []),
        ("tell me a joke", []),
        ("My name is Sarah", []),
        ("where do you work?", []),
        ("¿Cómo te llamas?", []),
    ],
)
def test_questions_about_oneself(question, answers):
    assert [fact.value for fact in answering(SARAH, question)] == answers


def test_an_empty_profile_answers_nothing():
    assert answering(Profile(), "what's my name?") == ()
    assert relevant(Profile(), "what's my name?", 5) == ()


def test_a_prompt_gets_the_name_then_the_matter_then_the_newest():
    chosen = relevant(SARAH, "I'm worried about my surgery", 4)
    assert [fact.key for fact in chosen] == [
        "name", "event:surgery", "language:speaks", "home:origin",
    ]  # fmt: skip
    assert len(relevant(SARAH, "hello", 100)) == len(SARAH.facts)
    assert relevant(SARAH, "hello", 0) == ()
    assert relevant(SARAH, "hello", 1)[0].value == "Sarah"


NO_REQUEST = """
don't forget that I work at Google
don't forget my name
never forget me
I forget things
I forgot my keys
I keep forgetting my password
Forget it
forget about it
forget that guy
I want to forget everything
help me forget my ex
I can't forget what he said about my job
did you forget what I told you?
you forget that I work nights
He told me to forget my dreams
DELETE THAT SCREEN SHOT! NOW!!!
should I delete my account?
Just forget about it and act like it never happened
"forget that" is what she said
no olvides mi nombre
olvidé mis llaves
nunca olvides eso
não esqueça meu nome
esqueci minhas chaves
main bhool gaya
mat bhoolna
मैं भूल गया
لا تنس اسمي
نسيت مفاتيحي
""".strip().splitlines()


@pytest.mark.parametrize("text", NO_REQUEST)
def test_what_is_no_request_to_forget(text):
    assert forgetting(text, None) is None


@pytest.mark.parametrize(
    ("text", "values", "ids"),
    [
        ("forget what I told you about my job", {"TechCorp", "nurse"}, {"m1"}),
        ("please delete my name", {"Sarah"}, {"m0"}),
        ("olvida mi nombre", {"Sarah"}, {"m0"}),
        ("मेरा नाम भूल जाओ", {"Sarah"}, {"m0"}),
        ("احذف اسمي", {"Sarah"}, {"m0"}),
        ("forget about my daughter", {"Emma"}, {"m3"}),
        ("delete my daughter's name", {"Emma"}, {"m3"}),
        ("forget that I'm allergic to peanuts", {"peanuts"}, {"m5"}),
        ("forget that I work at TechCorp", {"TechCorp", "nurse"}, {"m1"}),
        ("could you forget about my surgery?", {"surgery on Friday"}, {"m2"}),
        ("forget where I live", {"Leeds", "Chile"}, {"m4", "m13"}),
        ("forget my spaceship", set(), set()),
    ],
)
def test_a_topic_takes_its_facts_and_its_memories(text, values, ids):
    gone = forgotten(forgetting(text, None), SARAH, memories(*LIFE))
    assert {fact.value for fact in gone.facts} == values
    assert set(gone.memory_ids) == ids
    assert set(gone.profile.facts) == set(SARAH.facts) - set(gone.facts)
    assert not gone.everything


def test_a_topic_also_takes_other_messages_that_mention_it():
    said = ["my daughter is called Emma", "Emma was ill again", "nice weather", "I miss my hija"]
    gone = forgotten(ForgetRequest("topic", "my daughter"), told(said[0]), memories(*said))
    assert gone.memory_ids == ("m0", "m1", "m3")


def test_a_fact_outlives_its_memory_and_its_id_is_named_all_the_same():
    gone = forgotten(ForgetRequest("topic", "my name"), told("my name is Sarah"), [])
    assert gone.memory_ids == ("m0",)
    assert gone.profile == Profile()


@pytest.mark.parametrize(
    "text", ["forget that", "olvida eso", "esquece isso", "yeh bhool jao", "انس ذلك"]
)
def test_the_last_message_goes_with_its_facts(text):
    profile = told("my name is Sarah", "I work at TechCorp")
    told_before = memories("my name is Sarah", "I work at TechCorp")
    gone = forgotten(forgetting(text, None), profile, told_before)
    assert kept(gone.profile) == {("name", "Sarah")}
    assert gone.memory_ids == ("m1",)
    other = forgotten(forgetting(text, None), profile, told_before, last_id="m0")
    assert kept(other.profile) == {("employer", "TechCorp")}
    assert forgotten(forgetting(text, None), Profile(), []).memory_ids == ()


def test_everything_goes():
    gone = forgotten(forgetting("forget everything", "en"), SARAH, memories(*LIFE))
    assert gone.everything
    assert gone.profile == Profile()
    assert len(gone.memory_ids) == len(LIFE)
    assert gone.facts == SARAH.facts


def test_a_question_with_two_topics_is_answered_in_its_own_order() -> None:
    """Not in that of a set, which another start of the process has otherwise."""
    program = (
        "from brain.domain.profile_rules import rules\n"
        "print(rules().words.asked('where do my wife and my sister and my brother live').keys)"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
