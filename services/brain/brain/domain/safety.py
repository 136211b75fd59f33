"""The verdict on a text, the port of whoever judges it, and the rule that failure means HOLD."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from brain.domain.analysis import Risk

CHECK_FAILED = "safety_check_failed"
SELF_HARM = "self_harm"
REFERRALS = {"legal_advice_request": "VB-002", "financial_advice_request": "VB-003"}
"""Categories that are answered with a referral, and their published rule names."""


COMBINED = "combined"
THIRD_PERSON = "third_person"
BY_CLASSIFIER = "[classifier]"
"""Stands for a phrase where no single phrase decided."""

BY_SECOND_READER = "second_reader"
"""Names who decided, where it was the language model."""

HOLD_CUT, BLOCK_CUT, SECONDED_CUT, MASKED_CUT, REFERRAL_CUT = 0.5, 0.7, 0.5, 0.9, 0.6
"""Probabilities from which the classifier says HOLD; BLOCK alone; BLOCK where a rule says HOLD; HOLD
where a rule saw only an idiom or a denial; a referral. Chosen on the tuning part of the authored
messages (docs/model-card.md, "Safety")."""


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


FAILED = SafetyVerdict(action=Action.HOLD, risk_score=0.5, flags=(CHECK_FAILED,))
"""The verdict when a check could not be made."""


class SecondReader(Protocol):
    """A slower judge, asked after the rules and the classifier about what they did not BLOCK."""

    async def read(self, text: str, before: Sequence[str]) -> SafetyVerdict | None:
        """The verdict on the masked ``text``, said after ``before``; None when it cannot be had.

        Never raises, and answers within its own time box.
        """


class TextCheck(Protocol):
    """Judges a text by what it says literally. Synchronous, bound by the CPU, quick."""

    def check(self, text: str) -> SafetyVerdict:
        """May raise; call it through ``judge``."""


def judge(rules: TextCheck, text: str, risk: Risk | None) -> SafetyVerdict:
    """The verdict of the rules and the trained classifier together.

    Promise 11: when either fails (the rules raise, or ``risk`` is None) the verdict is at least
    HOLD with the flag ``safety_check_failed``. The error itself is dropped because its message may
    quote the text.
    """
    try:
        found = rules.check(text)
    except Exception:  # noqa: BLE001 - fail closed, whatever it was
        found = FAILED
    if risk is None:
        return strictest((found, FAILED))
    return strictest((found, _by_classifier(found, risk)))


def _by_classifier(found: SafetyVerdict, risk: Risk) -> SafetyVerdict:
    """What the classifier adds to the rules' verdict ``found``."""
    hold_cut = MASKED_CUT if found.override and found.action is Action.PROCEED else HOLD_CUT
    block_cut = SECONDED_CUT if found.action is Action.HOLD else BLOCK_CUT
    if risk.hold < hold_cut or risk.category in REFERRALS:
        referrals = [name for name in REFERRALS if risk.categories.get(name, 0.0) >= REFERRAL_CUT]
        codes = [REFERRALS[name] for name in referrals]
        return SafetyVerdict(risk_score=_share(risk.hold), flags=(*referrals, *codes))
    category = risk.category
    action = Action.BLOCK if risk.block >= block_cut else Action.HOLD
    flags = [category]
    if risk.third_person >= 0.5:
        flags.append(THIRD_PERSON)
        if found.action is Action.HOLD and THIRD_PERSON in found.flags:
            # A rule about somebody else knows better than the classifier how near the danger is.
            action = Action.HOLD
    return SafetyVerdict(
        action=action,
        risk_score=round(max(risk.hold * 0.6, risk.block), 4),
        flags=tuple(flags),
        matched=(SafetyMatch(BY_CLASSIFIER, category),),
    )


def _share(hold: float) -> float:
    return round(0.5 * hold, 4)


def seconded(found: SafetyVerdict, second: SafetyVerdict | None) -> SafetyVerdict:
    """The verdict after a language model read the message too.

    It may raise any verdict and lower only a HOLD; not one that stands for a failed check.
    """
    if second is None or found.action is second.action:
        return found
    if second.action.severity > found.action.severity:
        return strictest((second, found))
    if found.action is Action.HOLD and CHECK_FAILED not in found.flags:
        return replace(
            found, action=Action.PROCEED, risk_score=second.risk_score, override=BY_SECOND_READER
        )
    return found


def strictest(verdicts: Iterable[SafetyVerdict]) -> SafetyVerdict:
    """One verdict: the strictest action, the highest risk, all flags and matches in that order."""
    ordered = sorted(verdicts, key=lambda v: (-v.action.severity, -v.risk_score))
    if not ordered:
        return SafetyVerdict()
    if not any(map(_tells, ordered)) and ordered[0].risk_score >= ordered[-1].risk_score:
        return ordered[0]
    return replace(
        ordered[0],
        risk_score=max(v.risk_score for v in ordered),
        flags=tuple(dict.fromkeys(flag for v in ordered for flag in v.flags)),
        matched=tuple(dict.fromkeys(match for v in ordered for match in v.matched)),
        override=next((v.override for v in ordered if v.override), None),
        language=next((v.language for v in ordered if v.language), None),
    )


def _tells(verdict: SafetyVerdict) -> bool:
    """Whether it says more than how severe it is."""
    return bool(verdict.flags or verdict.matched or verdict.override or verdict.language)
