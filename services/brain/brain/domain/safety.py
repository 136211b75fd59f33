"""The verdict on a text, the port of whoever judges it, and the rule that failure means HOLD."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

CHECK_FAILED = "safety_check_failed"
SELF_HARM = "self_harm"
REFERRALS = {"legal_advice_request": "VB-002", "financial_advice_request": "VB-003"}
"""Categories that are answered with a referral, and their published rule names."""


class Action(StrEnum):
    """What happens to the message. A flag without HOLD or BLOCK is for analytics only."""

    PROCEED = "PROCEED"
    HOLD = "HOLD"
    BLOCK = "BLOCK"

    @property
    def severity(self) -> int:
        """0 PROCEED, 1 HOLD, 2 BLOCK."""
        return _SEVERITY[self]


_SEVERITY = {Action.PROCEED: 0, Action.HOLD: 1, Action.BLOCK: 2}


@dataclass(frozen=True, slots=True)
class SafetyMatch:
    """A phrase of the text, as normalised, and the category it speaks for."""

    phrase: str
    category: str


@dataclass(frozen=True, slots=True)
class SafetyVerdict:
    """PROCEED, HOLD (a human is called, nothing is withheld) or BLOCK (refused).

    ``risk_score`` 0..1. ``flags``: categories, strongest first, then modifiers such as
    ``third_person`` or ``combined``. ``override``: the idiom, negation or quotation that was
    neutralised. ``language``: of the strongest rule that matched, not on the wire.
    """

    action: Action = Action.PROCEED
    risk_score: float = 0.0
    flags: tuple[str, ...] = ()
    matched: tuple[SafetyMatch, ...] = ()
    override: str | None = None
    language: str | None = None

    @property
    def category(self) -> str | None:
        """The category that decided, None when nothing matched."""
        return self.matched[0].category if self.matched else None

    def concerns(self, category: str) -> bool:
        """Whether ``category`` is a reason for HOLD or BLOCK here."""
        return self.action is not Action.PROCEED and category in self.flags


class SafetyCheck(Protocol):
    """Judges what a person wrote. Synchronous, bound by the CPU, quick."""

    def check(self, text: str) -> SafetyVerdict:
        """May raise; call it through ``check_input``."""


def check_input(check: SafetyCheck, text: str) -> SafetyVerdict:
    """The verdict of ``check``; HOLD with the flag ``safety_check_failed`` if it raises.

    Promise 11: the safety check failing means HOLD, never PROCEED. The error itself is dropped
    because its message may quote the text.
    """
    try:
        return check.check(text)
    except Exception:  # noqa: BLE001 - fail closed, whatever it was
        return SafetyVerdict(action=Action.HOLD, risk_score=0.5, flags=(CHECK_FAILED,))


def strictest(verdicts: Iterable[SafetyVerdict]) -> SafetyVerdict:
    """One verdict: the strictest action, the highest risk, all flags and matches in that order."""
    ordered = sorted(verdicts, key=lambda v: (-v.action.severity, -v.risk_score))
    if not ordered:
        return SafetyVerdict()
    return replace(
        ordered[0],
        risk_score=max(v.risk_score for v in ordered),
        flags=tuple(dict.fromkeys(flag for v in ordered for flag in v.flags)),
        matched=tuple(dict.fromkeys(match for v in ordered for match in v.matched)),
        override=next((v.override for v in ordered if v.override), None),
        language=next((v.language for v in ordered if v.language), None),
    )
