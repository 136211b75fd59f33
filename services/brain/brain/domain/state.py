"""How a person's state moves: an Ornstein-Uhlenbeck process watched through a scalar Kalman filter.

Between messages every variable returns to its baseline by exact exponentials, evaluated when read;
nothing ticks. A message moves mood and energy by a gain that falls with our doubt. Sources: ``P``
is the product's published behaviour (facts/behaviour §2), ``D`` our decision, ``U6`` the filter of
facts/understanding §6.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Signal = Literal["normal", "strong", "pivot"]

MOOD_HALF_LIFE_H = 5.0  # P
SENTIMENT_HALF_LIFE_H = 6.0  # P
GRUDGE_HALF_LIFE_H = 12.0  # P
ENERGY_HALF_LIFE_H = 3.0  # U6
FATIGUE_HALF_LIFE_H = 8.0  # D: a night's rest halves it
FOCUS_HALF_LIFE_H = 4.0  # D
SOCIAL_LOAD_HALF_LIFE_H = 2.0  # D: a talk weighs on a person for an evening, not for days
BOREDOM_HALF_LIFE_H = 24.0  # D: half bored after a day of silence

STATIONARY_VARIANCE = 0.15**2  # U6: spread of a person around the baseline when we know nothing new
MOOD_NOISE = 0.019  # U6: residual variance of a good reader
ENERGY_NOISE = 0.04  # D: arousal is read from text much worse than valence (U6, table 3.1)
LEAST_WEIGHT = 0.05  # U6's floor; below it a message moves nothing, so that many "ok"s cannot drag
STRONG_Z, PIVOT_Z = 1.5, 2.5  # U6
LIFE_EVENT_Z = 1.0  # D: a named loss or win needs less surprise to be a turning point
LARGEST_STEP = 0.18  # D: one message that is no turning point cannot take a calm .5 below .3
BASELINE_HALF_LIFE_DAYS = 14.0  # U6
BASELINE_RANGE = (0.35, 0.65)  # U6
LONGEST_GAP_FOR_BASELINE = timedelta(days=1)  # D: one message after a month is still one message
TRUST_STEP, TRUST_CEILING = 0.01, 0.95  # P
FAMILIARITY_STEP = 0.02  # D: 35 interactions take a stranger from .3 to about .65
GRUDGE_STEP = 0.28  # D: two hostile messages in a row reach .4, where the tone turns cautious (P)
SENTIMENT_STEP = 0.15  # D


@dataclass(frozen=True, slots=True)
class HumanState:
    """How the person is, each 0..1. Start values of mood and energy: P."""

    energy: float = 0.5
    mood: float = 0.5
    fatigue: float = 0.0
    boredom: float = 0.0
    social_load: float = 0.0
    focus: float = 0.5


@dataclass(frozen=True, slots=True)
class Relation:
    """How the person stands to us, each 0..1. Start values: P."""

    trust: float = 0.4
    sentiment: float = 0.5
    grudge: float = 0.0
    familiarity: float = 0.3


@dataclass(frozen=True, slots=True)
class EndUserState:
    """Everything the filter remembers of one person.

    ``*_variance``: our doubt about mood and energy, 0..``STATIONARY_VARIANCE``. ``*_baseline``:
    where this person returns to. ``updated_at``: the moment the numbers are true for.
    ``opted_out``: they asked us not to answer. ``held_until``: a human talks to them, or was asked
    for; until then no model answers.
    """

    human: HumanState
    relation: Relation
    mood_variance: float
    energy_variance: float
    mood_baseline: float
    energy_baseline: float
    sentiment_baseline: float
    updated_at: datetime
    interaction_count: int
    known_since: datetime
    last_seen: datetime | None
    opted_out: bool = False
    held_until: datetime | None = None

    @classmethod
    def initial(cls, now: datetime) -> "EndUserState":
        """A person we have never met."""
        return cls(
            human=HumanState(),
            relation=Relation(),
            mood_variance=STATIONARY_VARIANCE,
            energy_variance=STATIONARY_VARIANCE,
            mood_baseline=0.5,
            energy_baseline=0.5,
            sentiment_baseline=0.5,
            updated_at=now,
            interaction_count=0,
            known_since=now,
            last_seen=None,
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """What one message shows. Ranges as in ``Analysis``; ``certainty`` 0..1 is U6's c.

    ``largest_drop`` and ``largest_rise`` bound the change of mood and energy by one message
    (P: -0.3..+0.2 for the heuristic, -1..1 for a language model).
    """

    valence: float
    arousal: float
    informativeness: float
    certainty: float
    largest_drop: float = -0.3
    largest_rise: float = 0.2
    hostility: float = 0.0
    life_event: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """The state after a message and how far mood and energy moved, -1..1."""

    state: EndUserState
    signal: Signal
    mood_delta: float
    energy_delta: float


def decay(state: EndUserState, now: datetime) -> EndUserState:
    """``state`` as it is at ``now`` when nothing was heard since: ``b + (x - b) * 2**(-t/h)``.

    Exact for any gap, so two half-steps equal one. Trust and familiarity do not fade (P). Boredom
    grows to 1. A ``now`` before ``updated_at`` (clocks differ) returns ``state`` unchanged.
    """
    hours = (now - state.updated_at).total_seconds() / 3600
    if hours <= 0:
        return state
    human, relation = state.human, state.relation
    return replace(
        state,
        human=HumanState(
            energy=_drift(human.energy, state.energy_baseline, hours, ENERGY_HALF_LIFE_H),
            mood=_drift(human.mood, state.mood_baseline, hours, MOOD_HALF_LIFE_H),
            fatigue=_drift(human.fatigue, 0.0, hours, FATIGUE_HALF_LIFE_H),
            boredom=_drift(human.boredom, 1.0, hours, BOREDOM_HALF_LIFE_H),
            social_load=_drift(human.social_load, 0.0, hours, SOCIAL_LOAD_HALF_LIFE_H),
            focus=_drift(human.focus, 0.5, hours, FOCUS_HALF_LIFE_H),
        ),
        relation=replace(
            relation,
            sentiment=_drift(
                relation.sentiment, state.sentiment_baseline, hours, SENTIMENT_HALF_LIFE_H
            ),
            grudge=_drift(relation.grudge, 0.0, hours, GRUDGE_HALF_LIFE_H),
        ),
        mood_variance=_widen(state.mood_variance, hours, MOOD_HALF_LIFE_H),
        energy_variance=_widen(state.energy_variance, hours, ENERGY_HALF_LIFE_H),
        updated_at=now,
    )


def observe(state: EndUserState, observation: Observation, now: datetime) -> Observed:
    """``state`` after a message heard at ``now``: decay first, then one update. Deterministic.

    Mood follows the valence and energy the arousal by the Kalman gain of U6; the signal is that
    of the mood. The rules of the other variables stand beside ``_human_after`` and
    ``_relation_after``; the baseline's beside ``_baseline_after``.
    """
    before = decay(state, now)
    weight = observation.informativeness * observation.certainty
    signal: Signal = "normal"
    mood, mood_variance = before.human.mood, before.mood_variance
    energy, energy_variance = before.human.energy, before.energy_variance
    if weight >= LEAST_WEIGHT:
        seen = 0.5 + 0.5 * observation.valence
        signal = _signal(mood, mood_variance, seen, MOOD_NOISE / weight, observation)
        mood, mood_variance = _update(
            mood, mood_variance, seen, MOOD_NOISE / weight, signal=signal, observation=observation
        )
        energy, energy_variance = _update(
            energy,
            energy_variance,
            observation.arousal,
            ENERGY_NOISE / weight,
            signal="normal",
            observation=observation,
        )
    gap = timedelta() if state.last_seen is None else max(timedelta(), now - state.last_seen)
    relation = _relation_after(before.relation, observation, weight)
    share = _baseline_share(gap)
    after = EndUserState(
        human=_human_after(before.human, mood, energy, observation, weight),
        relation=relation,
        mood_variance=mood_variance,
        energy_variance=energy_variance,
        mood_baseline=_baseline_after(before.mood_baseline, mood, share),
        energy_baseline=_baseline_after(before.energy_baseline, energy, share),
        sentiment_baseline=_baseline_after(before.sentiment_baseline, relation.sentiment, share),
        updated_at=max(now, state.updated_at),
        interaction_count=before.interaction_count + 1,
        known_since=before.known_since,
        last_seen=now if state.last_seen is None else max(now, state.last_seen),
        opted_out=before.opted_out,
        held_until=before.held_until,
    )
    return Observed(
        state=after,
        signal=signal,
        mood_delta=mood - before.human.mood,
        energy_delta=energy - before.human.energy,
    )


def _human_after(
    human: HumanState, mood: float, energy: float, observation: Observation, weight: float
) -> HumanState:
    """The six human variables.

    Boredom resets on every interaction (P). Fatigue leans to ``1 - arousal`` when the message is
    unpleasant or flat, so that "exhausted" tires and "calm" does not (D). Each interaction adds a
    little social load (D). Focus leans to how much the message says (D).
    """
    tiredness = max(0.0, 0.5 - observation.arousal) * 2 if observation.valence <= 0 else 0.0
    return HumanState(
        energy=energy,
        mood=mood,
        fatigue=_unit(human.fatigue + 0.3 * weight * (tiredness - human.fatigue)),
        boredom=0.0,
        social_load=_unit(human.social_load + 0.05 * (1 - human.social_load)),
        focus=_unit(human.focus + 0.2 * (observation.informativeness - human.focus)),
    )


def _relation_after(relation: Relation, observation: Observation, weight: float) -> Relation:
    """The four relational variables.

    Trust +0.01 up to .95, hostile or not; it is lost only by broken promises (P). Familiarity
    closes a fixed part of the way to 1 (D). Sentiment leans to the valence (D). Hostility closes a
    good quarter of the way to a full grudge (D).
    """
    seen = 0.5 + 0.5 * observation.valence
    return Relation(
        trust=max(relation.trust, min(TRUST_CEILING, relation.trust + TRUST_STEP)),
        sentiment=_unit(relation.sentiment + SENTIMENT_STEP * weight * (seen - relation.sentiment)),
        grudge=_unit(relation.grudge + GRUDGE_STEP * observation.hostility * (1 - relation.grudge)),
        familiarity=_unit(relation.familiarity + FAMILIARITY_STEP * (1 - relation.familiarity)),
    )


def _baseline_share(gap: timedelta) -> float:
    """How much a message after this gap counts in a baseline, 0..1; the gap for a day at most (D)."""
    days = min(gap, LONGEST_GAP_FOR_BASELINE) / timedelta(days=1)
    return float(1 - 2 ** (-days / BASELINE_HALF_LIFE_DAYS))


def _baseline_after(baseline: float, value: float, share: float) -> float:
    """The person's own slow average (U6), weighted by the time since the last message.

    The baseline changes only here, never in ``decay``: the half-lives stay exact and the order of
    reads irrelevant.
    """
    moved = baseline + share * (value - baseline)
    return min(BASELINE_RANGE[1], max(BASELINE_RANGE[0], moved))


def _signal(
    value: float, variance: float, seen: float, noise: float, observation: Observation
) -> Signal:
    """How surprising the message is (U6's z).

    Hostility is never a pivot (D): an insult says something about the relation, and moves
    sentiment and grudge instead.
    """
    z = abs(seen - value) / math.sqrt(variance + noise)
    turning = z > PIVOT_Z or (observation.life_event and z > LIFE_EVENT_Z)
    if turning and observation.hostility < 0.5:
        return "pivot"
    return "strong" if z > STRONG_Z else "normal"


def _update(
    value: float,
    variance: float,
    seen: float,
    noise: float,
    *,
    signal: Signal,
    observation: Observation,
) -> tuple[float, float]:
    """One Kalman step; a pivot first quadruples our doubt, which makes the state snap (U6)."""
    prior = variance * 4 if signal == "pivot" else variance
    gain = prior / (prior + noise)
    step = gain * (seen - value)
    limit = 1.0 if signal == "pivot" else LARGEST_STEP
    step = max(observation.largest_drop, -limit, min(observation.largest_rise, limit, step))
    return _unit(value + step), min(STATIONARY_VARIANCE, (1 - gain) * prior)


def _drift(value: float, baseline: float, hours: float, half_life_h: float) -> float:
    return _unit(baseline + (value - baseline) * 2 ** (-hours / half_life_h))


def _widen(variance: float, hours: float, half_life_h: float) -> float:
    kept = 4 ** (-hours / half_life_h)
    # The sum can round to just above the stationary value, which is its bound.
    return min(STATIONARY_VARIANCE, variance * kept + STATIONARY_VARIANCE * (1 - kept))


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
