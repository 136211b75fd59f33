"""The sieve may only leave out patterns that cannot match."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.domain.cues import Cues
from brain.domain.output_safety import OutputGates
from brain.domain.profile_rules import rules
from brain.domain.safety_rules import load_rules
from brain.domain.sieve import Sieve, ways_of

BOOK = load_rules()
PATTERNS = [
    *(rule.pattern for rule in BOOK.risks),
    *(mask.pattern for mask in BOOK.masks),
    *(rule.pattern for rule in BOOK.means),
    *(pattern for pattern, _ in OutputGates.load().rules),
    *(pattern for pattern, _ in Cues.load()._sieve.items),
    *(pattern for pattern, _ in rules()._facts.items),
    *(pattern for pattern, _ in rules()._wishes.items),
]
ALL = Sieve((one, one) for one in PATTERNS)


@pytest.mark.parametrize(
    ("source", "ways"),
    [
        (r"\bkill (?:me|him)\b", [[{"kill me", "kill him"}]]),
        (r"suicid\w*|kms", [[{"suicid"}], [{"kms"}]]),
        (
            r"(?:do|be)(?:ing)? \w+ d[iy]e",
            [[{" die", " dye"}, {"do ", "doing ", "be ", "being "}]],
        ),
        (r"(?:go \w+|i) (?:\w+ ){1,2}die", [[{"go "}, {"die"}], [{"die"}]]),
        (r"(?:a|bc)d?x*", []),
        (r"(?:die)?", []),
        (r"(?:die)+ now", [[{"die now"}]]),
        (r"(?i)kill", []),
        (r"(?i:k)ill now", []),
        (r"\w+", []),
        (r"(?=kill)\w+", []),
    ],
)
def test_what_a_match_must_hold(source, ways):
    found = [[set(clause) for clause in way] for way in ways_of(source)]
    assert found == ways


@given(st.data())
def test_a_pattern_that_matches_is_always_a_candidate(data):
    pattern = data.draw(st.sampled_from(PATTERNS))
    text = data.draw(st.from_regex(pattern))
    assert pattern.search(text)
    assert pattern in [candidate for _, candidate in ALL.candidates(text)]


def test_candidates_keep_the_given_order():
    sieve = Sieve([(re.compile("bb"), 1), (re.compile("aa"), 2), (re.compile("."), 3)])
    assert [item for _, item in sieve.candidates("aa bb")] == [1, 2, 3]
    assert [item for _, item in sieve.candidates("zz")] == [3]


def test_every_example_of_the_cues_file_is_found():
    cues = Cues.load()
    assert cues.read("i am so happy today").triggers[0].emotion == "joy"
    assert not cues.read("i am not happy").triggers
    assert cues.read("ok").says_nothing
    assert "human_please" in cues.read("can i talk to a real person").intents
