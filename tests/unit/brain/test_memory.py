"""A person's archive: growing, forgetting, neighbours, and what is told three sessions later."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brain.domain.memory import Archive, Memory
from brain.domain.profile import Profile
from brain.domain.state import EndUserState
from brain.domain.turn import FixedReply, Message, TurnInput, prepare, remember
from tests.support.understanding import shipped

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PIPELINE = shipped(fast=True)
EMBEDDER = PIPELINE.embedder


def memory(number, text, *, at=None, dense=True):
    vector = EMBEDDER.embed(text) if dense else None
    return Memory(f"m{number}", text, at or NOW + timedelta(minutes=number), 0.3, vector=vector)


WORDS = [
    "coffee",
    "garden",
    "sister",
    "Lisbon",
    "surgery",
    "friday",
    "guitar",
    "dog",
    "invoice",
    "train",
    "exam",
    "flat",
    "rain",
]
TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), max_size=30
)


@given(TEXTS, st.sampled_from(WORDS))
@settings(max_examples=50)
def test_adding_one_by_one_equals_adding_all(texts, query):
    told = [memory(i, text) for i, text in enumerate(texts)]
    grown = Archive()
    for one in told:
        grown.add(one)
        grown.add(one)
    later = NOW + timedelta(days=3)
    assert grown.recall(query, later, embedder=EMBEDDER) == Archive(told).recall(
        query, later, embedder=EMBEDDER
    )
    assert len(grown) == len(told)


@given(TEXTS, st.integers(0, 40))
@settings(max_examples=50)
def test_what_was_removed_was_never_there(texts, gone):
    told = [memory(i, text) for i, text in enumerate(texts)]
    archive = Archive(told)
    archive.remove(f"m{gone}")
    rest = Archive(one for one in told if one.id != f"m{gone}")
    for query in WORDS:
        assert archive.recall(query, NOW) == rest.recall(query, NOW)


def test_an_answer_is_found_by_the_question_before_it():
    told = [
        memory(0, "what do you grow in your garden these days?"),
        memory(1, "mostly tomatoes and some basil"),
        memory(2, "the train was late again"),
        *(
            memory(i, f"we talked about invoice number {i}", at=NOW + timedelta(days=i))
            for i in range(3, 40)
        ),
    ]
    hits = Archive(told).recall(
        "what is growing in my garden?", NOW + timedelta(days=60), threshold=-9
    )
    assert "mostly tomatoes and some basil" in [hit.text for hit in hits]


def test_neighbours_end_where_the_talk_ended():
    question = memory(0, "tell me of the garden with the old wall")
    far = memory(1, "tomatoes", at=NOW + timedelta(days=2))
    near = memory(2, "tomatoes", at=NOW + timedelta(minutes=1))
    late = NOW + timedelta(days=9)
    apart = Archive([question, far]).recall("garden", late, threshold=-9)
    together = Archive([question, near]).recall("garden", late, threshold=-9)
    assert [hit.text for hit in apart] == [hit.text for hit in together]
    assert len(apart) == 2


def test_the_message_that_asks_does_not_recall_itself():
    archive = Archive([memory(0, "where do I work?"), memory(1, "I work at TechCorp")])
    hits = archive.recall("where do I work?", NOW, but={"m0"})
    assert [hit.id for hit in hits] == ["m1"]


def test_memories_without_a_vector_are_found_by_their_words():
    archive = Archive([memory(0, "I work at TechCorp", dense=False), memory(1, "rain again")])
    assert archive.recall("where do I work?", NOW, embedder=EMBEDDER)[0].id == "m0"


def test_vectors_say_what_words_do_not():
    told = [
        memory(0, "my puppy chewed the sofa"),
        memory(1, "the invoice was wrong"),
        memory(2, "it rained"),
    ]
    hits = Archive(told).recall(
        "the little dog destroyed furniture", NOW, embedder=EMBEDDER, threshold=-9
    )
    assert hits[0].id == "m0"


class Person:
    """Turns one after the other, as the service would store them."""

    def __init__(self):
        self.state = EndUserState.initial(NOW)
        self.archive, self.profile = Archive(), Profile()
        self.now, self.count = NOW, 0

    def says(self, text, *, after=timedelta(minutes=1)):
        self.now += after
        self.count += 1
        message = Message(f"e{self.count}", text, self.now, "whatsapp", phone="447700900123")
        prepared = prepare(
            TurnInput(message, self.state, self.archive, (), self.now, self.profile), PIPELINE
        )
        self.state, self.profile = prepared.state_after, prepared.profile_after
        for gone in prepared.forgets.memory_ids if prepared.forgets else ():
            self.archive.remove(gone)
        kept = remember(prepared, embedder=EMBEDDER)
        if kept is not None:
            self.archive.add(kept)
        return prepared

    def chats(self, count):
        rng = random.Random(7)
        for _ in range(count):
            self.says(
                f"today {rng.choice(WORDS)} and {rng.choice(WORDS)}, number {rng.randrange(999)}"
            )


def texts_of(prepared):
    return " | ".join(hit.text for hit in prepared.memories)


def test_what_a_person_said_is_known_three_sessions_and_400_messages_later():
    person = Person()
    person.says("hi, my name is Sarah, I work at TechCorp")
    for _ in range(3):
        person.chats(134)
        person.now += timedelta(days=9)
    assert "TechCorp" in texts_of(person.says("where do I work?"))
    asked = person.says("do you remember my name?")
    assert "Sarah" in texts_of(asked)
    assert asked.plan.prompt.brief.name == "Sarah"
    assert any("TechCorp" in line for line in asked.plan.prompt.brief.profile)


def test_a_contradiction_updates():
    person = Person()
    person.says("I work at TechCorp")
    person.chats(5)
    person.says("I work at BlueHarbour now")
    first = person.says("where do I work?").memories[0]
    assert "BlueHarbour" in first.text


@pytest.mark.parametrize(
    ("wish", "answer"), [("forget that", "forgotten"), ("please forget where I work", "forgotten")]
)
def test_forget_that_forgets(wish, answer):
    person = Person()
    person.says("I live in Lisbon")
    person.says("I work at TechCorp")
    forgotten = person.says(wish)
    assert isinstance(forgotten.plan, FixedReply)
    assert forgotten.plan.reason == answer
    asked = person.says("where do I work?")
    assert "TechCorp" not in repr((asked, person.profile, person.archive.memories))
    assert "Lisbon" in texts_of(person.says("where do I live?"))


def test_forget_everything():
    person = Person()
    person.says("my name is Sarah and I work at TechCorp")
    person.says("forget everything I told you")
    assert person.profile == Profile()
    assert not [one for one in person.archive.memories if "Sarah" in one.text]


def test_a_memory_is_a_kilobyte_and_a_half_beside_its_text():
    archive = Archive(memory(i, f"{WORDS[i % 13]} {i}") for i in range(500))
    vectors = archive._vectors
    assert vectors.dtype == np.float32
    assert vectors[: len(archive)].nbytes <= 1_536 * len(archive)
