"""What a model may not say, gate by gate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.domain.output_safety import EMOTIONAL_DEPENDENCE, INACTION, OutputGates
from brain.domain.safety import SELF_HARM, Action, SafetyMatch, SafetyVerdict

GATES = OutputGates.load()
NOTHING_SAID = SafetyVerdict()
EXAMPLES = [(rule, example) for _, rule in GATES.rules for example in rule.examples]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=lambda value: str(value)[:40])
def test_every_rule_catches_its_examples(rule, example):
    verdict = GATES.check(example, NOTHING_SAID)
    if rule.action == "BLOCK":
        assert verdict.action is Action.BLOCK
        assert verdict.flags
    else:
        assert verdict.action is Action.PROCEED
        assert rule.name in verdict.flags


@pytest.mark.parametrize("reply", GATES.fine)
def test_good_replies_pass_untouched(reply):
    assert GATES.check(reply, NOTHING_SAID) == SafetyVerdict()


def test_the_first_gate_that_refuses_decides_and_flags_add_up():
    verdict = GATES.check("I promise it helps. Take 50 mg. You are pathetic.", NOTHING_SAID)
    assert verdict.flags[0] == "values_boundary"
    verdict = GATES.check("I promise. I'll always be here for you.", NOTHING_SAID)
    assert verdict.action is Action.PROCEED
    assert set(verdict.flags) == {"overclaim", EMOTIONAL_DEPENDENCE}
    verdict = GATES.check("I promise. You're right, nobody cares.", NOTHING_SAID)
    assert verdict.flags == ("dissent", "agrees_with_despair", "overclaim")


def test_encouraging_self_harm_is_named_so():
    assert GATES.check("you should kill yourself", NOTHING_SAID).category == SELF_HARM


@pytest.mark.parametrize("danger", ["abuse", "violence", "medical"])
def test_a_reply_to_danger_must_name_help(danger):
    said = SafetyVerdict(action=Action.HOLD, flags=(danger,), matched=(SafetyMatch("x", danger),))
    idle = GATES.check("I am sorry to hear that. How was the rest of your day?", said)
    assert idle.action is Action.BLOCK
    assert idle.flags == (INACTION,)
    assert idle.category == danger
    helpful = "I'm sorry. Are you safe? You can call the police or someone you trust right now."
    assert GATES.check(helpful, said).action is Action.PROCEED
    assert GATES.check("How was your day?", NOTHING_SAID).action is Action.PROCEED


@given(st.text())
def test_any_reply_is_judged(text):
    assert GATES.check(text, NOTHING_SAID).action in Action
