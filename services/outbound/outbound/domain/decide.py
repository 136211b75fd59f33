"""From what the Graph API answered, or failed to answer, to what is done about it. Pure."""

from dataclasses import dataclass

from outbound.domain.deliveries import Trouble
from outbound.domain.graph_codes import (
    PROOF_REJECTED_RULE,
    UNREACHABLE,
    Handling,
    Problem,
    Rule,
    Scope,
    rule_for,
)

JITTER = 0.25
"""A delay grows by up to this share; it never shrinks below what a throttle asks for."""
LONGEST_RETRY_AFTER_S = 3600.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """200 with the provider's id of our message: accepted, not delivered."""

    wamid: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is surely no acceptance."""

    status: int
    code: int | None = None
    subcode: int | None = None
    fbtrace_id: str | None = None
    retry_after_s: float | None = None
    """Not documented by Meta; honoured where it stands."""
    about_proof: bool = False
    """The bad parameter is our ``appsecret_proof``: the channel's credentials do not fit together."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No request left: refused, unresolved, or no connection in time. ``reason`` is a slug."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The request left and no readable answer came: the provider may have accepted it."""

    reason: str


Answer = Accepted | Refused | Unreachable | Unanswered
Fault = Refused | Unreachable | Unanswered


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do. ``after_s`` matters to waiting, ``scope`` to throttles."""

    handling: Handling
    trouble: Trouble
    after_s: float = 0.0
    scope: Scope | None = None
    problem: Problem | None = None


def decide(fault: Fault, previous: Trouble | None, spread: float) -> Verdict:
    """Judge one failed send.

    ``previous`` is the delivery's trouble before: failures in a row lengthen the wait, and end
    it for codes that only deserve a few tries. ``spread`` in 0..1 is the jitter.
    """
    match fault:
        case Unanswered(reason):
            return Verdict(Handling.AMBIGUOUS, Trouble(Handling.AMBIGUOUS, reason))
        case Unreachable(reason):
            return _judge(UNREACHABLE, Refused(0), previous, spread, detail=reason)
        case Refused():
            rule = rule_for(fault.status, fault.code, fault.subcode)
            if fault.about_proof:
                rule = PROOF_REJECTED_RULE
            return _judge(rule, fault, previous, spread, detail=rule.detail)


def _judge(
    rule: Rule, fault: Refused, previous: Trouble | None, spread: float, *, detail: str
) -> Verdict:
    times = 1
    if previous is not None and (previous.detail, previous.code) == (detail, fault.code):
        times += previous.times
    exhausted = rule.tries is not None and times >= rule.tries
    handling = Handling.PERMANENT if exhausted else rule.handling
    delay_s = rule.backoff.delay_s(times)
    if fault.retry_after_s is not None:
        delay_s = max(delay_s, min(fault.retry_after_s, LONGEST_RETRY_AFTER_S))
    return Verdict(
        handling=handling,
        trouble=Trouble(handling, detail, fault.code, fault.fbtrace_id, times),
        after_s=delay_s * (1 + JITTER * spread),
        scope=rule.scope,
        problem=rule.problem,
    )
