"""The state's filter: bounded, exact in time, calm against noise."""

from dataclasses import astuple, fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.domain.state import (
    STATIONARY_VARIANCE,
    EndUserState,
    HumanState,
    Observation,
    Relation,
    decay,
    observe,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNIT = st.floats(0, 1)
OK = Observation(valence=0.2, arousal=0.5, informativeness=0.0, certainty=0.6)
HOSTILE = Observation(valence=-1, arousal=1, informativeness=1, certainty=0.6, hostility=0.9)


def observations(**fixed):
    return st.builds(
        Observation,
        valence=fixed.get("valence", st.floats(-1, 1)),
        arousal=UNIT,
        informativeness=UNIT,
        certainty=st.sampled_from([0.6, 0.8, 1.0]),
        largest_drop=st.sampled_from([-0.3, -1.0]),
        largest_rise=st.sampled_from([0.2, 1.0]),
        hostility=fixed.get("hostility", UNIT),
        life_event=fixed.get("life_event", st.booleans()),
    )


@st.composite
def states(draw):
    return EndUserState(
        human=HumanState(*draw(st.tuples(*[UNIT] * 6))),
        relation=Relation(*draw(st.tuples(st.floats(0, 0.95), UNIT, UNIT, UNIT))),
        mood_variance=draw(st.floats(0.001, STATIONARY_VARIANCE)),
        energy_variance=draw(st.floats(0.001, STATIONARY_VARIANCE)),
        mood_baseline=draw(st.floats(0.35, 0.65)),
        energy_baseline=draw(st.floats(0.35, 0.65)),
        sentiment_baseline=draw(st.floats(0.35, 0.65)),
        updated_at=NOW,
        interaction_count=3,
        known_since=NOW,
        last_seen=NOW,
    )


def numbers(state):
    return [
        *astuple(state.human),
        *astuple(state.relation),
        *(
            getattr(state, f.name)
            for f in fields(state)
            if isinstance(getattr(state, f.name), float)
        ),
    ]


def with_human(**values):
    start = EndUserState.initial(NOW)
    return EndUserState(
        **{**{f.name: getattr(start, f.name) for f in fields(start)}, "human": HumanState(**values)}
    )


@given(states(), st.lists(st.tuples(observations(), st.floats(0, 1e6)), max_size=8))
def test_everything_stays_between_0_and_1(state, story):
    now = NOW
    for observation, seconds in story:
        now += timedelta(seconds=seconds)
        step = observe(state, observation, now)
        state = step.state
        assert -1 <= step.mood_delta <= 1
        assert -1 <= step.energy_delta <= 1
        assert all(0 <= number <= 1 for number in numbers(state))
        assert state.mood_variance <= STATIONARY_VARIANCE
        assert state.relation.trust <= 0.95


@given(states(), st.floats(0.001, 1e6), st.floats(0, 1))
def test_two_half_steps_equal_one(state, seconds, share):
    end = NOW + timedelta(seconds=seconds)
    middle = NOW + timedelta(seconds=seconds * share)
    assert numbers(decay(decay(state, middle), end)) == pytest.approx(
        numbers(decay(state, end)), abs=1e-6
    )


@given(states(), st.lists(st.tuples(observations(), st.floats(0, 1e5)), max_size=6))
def test_replaying_the_same_messages_gives_the_same_state(state, story):
    def played():
        current, now = state, NOW
        for observation, seconds in story:
            now += timedelta(seconds=seconds)
            current = observe(current, observation, now).state
        return current

    assert played() == played()


@given(states(), observations(), st.floats(0, 1e5))
def test_reading_in_between_changes_nothing(state, observation, seconds):
    end = NOW + timedelta(seconds=seconds)
    read = decay(state, NOW + timedelta(seconds=seconds / 2))
    assert numbers(observe(read, observation, end).state) == pytest.approx(
        numbers(observe(state, observation, end).state), abs=1e-6
    )


@pytest.mark.parametrize(
    ("read", "hours", "start", "baseline"),
    [
        (lambda s: s.human.mood, 5, 0.9, 0.5),
        (lambda s: s.human.energy, 3, 0.9, 0.5),
        (lambda s: s.relation.sentiment, 6, 0.9, 0.5),
        (lambda s: s.relation.grudge, 12, 0.9, 0.0),
        (lambda s: s.human.fatigue, 8, 0.9, 0.0),
        (lambda s: s.human.boredom, 24, 0.2, 1.0),
    ],
)
def test_half_lives_are_exact(read, hours, start, baseline):
    first = EndUserState.initial(NOW)
    values = {f.name: getattr(first, f.name) for f in fields(first)}
    values["human"] = HumanState(energy=0.9, mood=0.9, fatigue=0.9, boredom=0.2)
    values["relation"] = Relation(sentiment=0.9, grudge=0.9)
    after = decay(EndUserState(**values), NOW + timedelta(hours=hours))
    assert read(after) == pytest.approx((start + baseline) / 2, abs=1e-12)


def test_trust_does_not_fade_and_time_does_not_run_backwards():
    state = EndUserState.initial(NOW)
    assert decay(state, NOW + timedelta(days=400)).relation.trust == 0.4
    assert decay(state, NOW - timedelta(days=1)) is state


def test_a_burst_of_ok_does_not_drag():
    state = with_human(mood=0.2, energy=0.2)
    for second in range(50):
        state = observe(state, OK, NOW + timedelta(seconds=second)).state
    assert state.human.mood == pytest.approx(0.2, abs=0.01)
    assert state.human.energy == pytest.approx(0.2, abs=0.01)
    assert state.interaction_count == 50


@given(observations(hostility=st.floats(0.5, 1)), st.floats(0.5, 0.8))
def test_one_hostile_message_does_not_swing_a_calm_person(observation, mood):
    assert observe(with_human(mood=mood), observation, NOW).state.human.mood >= 0.3


@given(observations(life_event=st.just(False)), st.floats(0.5, 0.65))
def test_one_heuristic_message_without_a_turning_point_leaves_the_mood_in_reach(observation, mood):
    step = observe(with_human(mood=mood), observation, NOW)
    assert step.signal == "pivot" or abs(step.mood_delta) <= 0.18 + 1e-12


def test_a_loss_is_a_pivot_and_a_remark_is_normal():
    loss = Observation(-0.9, 0.5, 1.0, 0.6, life_event=True)
    remark = Observation(0.1, 0.5, 0.4, 0.6)
    assert observe(EndUserState.initial(NOW), loss, NOW).signal == "pivot"
    assert observe(EndUserState.initial(NOW), loss, NOW).mood_delta == pytest.approx(-0.3)
    assert observe(EndUserState.initial(NOW), remark, NOW).signal == "normal"


def test_a_surer_reader_moves_the_state_more():
    def moved(certainty):
        seen = Observation(-0.5, 0.5, 0.6, certainty)
        return observe(EndUserState.initial(NOW), seen, NOW).mood_delta

    assert moved(1.0) < moved(0.8) < moved(0.6) < 0


def test_relation_rules():
    state = with_human(boredom=0.8)
    after = observe(state, HOSTILE, NOW).state
    assert after.human.boredom == 0
    assert after.relation.trust == pytest.approx(0.41)
    assert 0.3 < after.relation.familiarity < 0.33
    assert after.relation.grudge < 0.4 < observe(after, HOSTILE, NOW).state.relation.grudge
    for _ in range(100):
        after = observe(after, OK, NOW).state
    assert after.relation.trust == pytest.approx(0.95)


def test_the_baseline_follows_slowly_and_a_long_absence_counts_a_day():
    low = Observation(-0.9, 0.3, 1.0, 1.0)

    def baseline_after(days):
        first = observe(EndUserState.initial(NOW), low, NOW).state
        return observe(first, low, NOW + timedelta(days=days)).state.mood_baseline

    assert baseline_after(0) == 0.5
    assert 0.48 < baseline_after(1) < 0.5
    assert baseline_after(60) == pytest.approx(baseline_after(1), abs=1e-3)
