"""One turn as a functional core: ``prepare`` before the reply model, ``conclude`` after it.

Both are pure given their arguments. What is slow or outside (reading the store, the reply model,
saving) happens between and around them.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from brain.domain.analysis import Analyser, Analysis, observation_of, unread
from brain.domain.crisis import CrisisBook, crisis_answer
from brain.domain.language import detect
from brain.domain.memory import Memory, MemoryHit, importance_of, recall, tokenise
from brain.domain.output_safety import check_output
from brain.domain.pii import PiiScan, scan_pii
from brain.domain.prompt import RecentTurn, build_prompt
from brain.domain.replies import Prompt, ReplyBrief
from brain.domain.safety import (
    CHECK_FAILED,
    REFERRALS,
    SELF_HARM,
    Action,
    SafetyCheck,
    SafetyMatch,
    SafetyVerdict,
    check_input,
    strictest,
)
from brain.domain.shaping import Shape, Timing, shape, timing
from brain.domain.state import EndUserState, Signal, decay, observe


@dataclass(frozen=True, slots=True)
class Message:
    """What a person wrote. ``at``: when, by the provider. ``phone``: with country code, any form."""

    id: str
    text: str
    at: datetime
    channel: str
    profile_name: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class TurnInput:
    """A message and all we know. ``recent_turns`` oldest first, without the message itself."""

    message: Message
    state: EndUserState
    memories: tuple[Memory, ...]
    recent_turns: tuple[RecentTurn, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a turn needs besides its input; made once, where the service is wired."""

    analyser: Analyser
    safety: SafetyCheck
    crisis: CrisisBook


@dataclass(frozen=True, slots=True)
class FixedReply:
    """A reviewed text; no model is asked. ``helpline`` when the text names one."""

    text: str
    reason: str
    helpline: str | None = None


@dataclass(frozen=True, slots=True)
class ModelReply:
    """A model may answer this prompt."""

    prompt: Prompt


@dataclass(frozen=True, slots=True)
class NoReply:
    """Nothing to answer."""

    reason: str


ReplyPlan = FixedReply | ModelReply | NoReply


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything known before a reply is written.

    ``text`` is the masked message: the only form that may be stored or sent on. ``state_before``
    is decayed to now, ``state_after`` is what to save.
    """

    message: Message
    text: str
    pii: PiiScan
    analysis: Analysis
    safety: SafetyVerdict
    state_before: EndUserState
    state_after: EndUserState
    mood_delta: float
    energy_delta: float
    signal_magnitude: Signal
    memories: tuple[MemoryHit, ...]
    shape: Shape
    timing: Timing
    plan: ReplyPlan
    now: datetime


@dataclass(frozen=True, slots=True)
class Concluded:
    """The end of a turn. ``text`` None: nothing is said. ``safety`` joins input and output.

    ``blocked``: the message was refused, or the model's text was replaced.
    """

    text: str | None
    source: Literal["fixed", "model", "none"]
    safety: SafetyVerdict
    blocked: bool
    reason: str


def prepare(turn: TurnInput, pipeline: Pipeline) -> Prepared:
    """Decay, mask, read, judge, recall, shape, and decide what reply is needed. Never raises.

    A failing analyser means an empty reading; a failing safety check means HOLD (promise 11). A
    self-harm hit never yields a ``ModelReply``.
    """
    message, now = turn.message, turn.now
    pii = scan_pii(message.text)
    verdict = _judged(check_input(pipeline.safety, message.text), pii)
    analysis = _read(pipeline.analyser, pii.masked_text, verdict)
    before = decay(turn.state, now)
    observed = observe(before, observation_of(analysis), now)
    hits = recall(pii.masked_text, turn.memories, now)
    style = shape(observed.state, analysis, verdict, channel=message.channel)
    fixed = _fixed_reply(message, pii, analysis, verdict, pipeline.crisis)
    plan = fixed or ModelReply(
        _prompt(turn, pii.masked_text, analysis, state=observed.state, hits=hits, style=style)
    )
    return Prepared(
        message=replace(message, text=pii.masked_text),
        text=pii.masked_text,
        pii=pii,
        analysis=analysis,
        safety=verdict,
        state_before=before,
        state_after=observed.state,
        mood_delta=observed.mood_delta,
        energy_delta=observed.energy_delta,
        signal_magnitude=observed.signal,
        memories=hits,
        shape=style,
        timing=timing(
            message.id,
            pii.masked_text,
            observed.state,
            analysis,
            verdict,
            channel=message.channel,
            last_seen=turn.state.last_seen,
            now=now,
        ),
        plan=plan,
        now=now,
    )


def conclude(prepared: Prepared, model_text: str | None, pipeline: Pipeline) -> Concluded:
    """The final text. ``model_text`` counts only when the plan asked for it."""
    blocked = prepared.safety.action is Action.BLOCK
    plan = prepared.plan
    if isinstance(plan, FixedReply):
        return Concluded(plan.text, "fixed", prepared.safety, blocked, plan.reason)
    if isinstance(plan, NoReply):
        return Concluded(None, "none", prepared.safety, blocked, plan.reason)
    return judge_reply(
        model_text,
        safety=prepared.safety,
        language=prepared.analysis.language,
        phone=prepared.message.phone,
        crisis=pipeline.crisis,
    )


def judge_reply(
    model_text: str | None,
    *,
    safety: SafetyVerdict,
    language: str | None,
    phone: str | None,
    crisis: CrisisBook,
) -> Concluded:
    """What may be said of ``model_text``: the second half of a turn read back from storage.

    ``safety`` is the verdict on the input. What the output gates block is replaced by a reviewed
    text in the person's language; None or blank text ends the turn without an answer.
    """
    text = (model_text or "").strip()
    blocked = safety.action is Action.BLOCK
    if not text:
        return Concluded(None, "none", safety, blocked, "no_model_text")
    gate = check_output(text)
    joined = strictest((safety, gate))
    if gate.action is not Action.BLOCK:
        return Concluded(text, "model", joined, blocked, "model")
    answer = crisis_answer(crisis, "output_blocked", phone=phone, language=language)
    return Concluded(answer.text, "fixed", joined, True, "output_blocked")


def remember(prepared: Prepared, concluded: Concluded | None = None) -> Memory | None:
    """The one record of this interaction, both sides masked; None when there was no text.

    Without ``concluded`` it holds the person's side only. Its id is the message's: remembering twice is remembering once. A reviewed text is not worth
    remembering as our side; a refused request is not remembered at all.
    """
    refused = prepared.safety.action is Action.BLOCK and prepared.safety.category in {
        "illegal",
        "sexual_minors",
        "pii_extraction",
    }
    if not prepared.text.strip() or refused:
        return None
    reply = None
    if concluded is not None and concluded.source == "model" and concluded.text:
        reply = scan_pii(concluded.text).masked_text
    return Memory(
        id=prepared.message.id,
        text=prepared.text,
        created_at=prepared.message.at,
        importance=importance_of(prepared.analysis, prepared.safety),
        reply=reply,
        tokens=tokenise(prepared.text),
    )


def _judged(verdict: SafetyVerdict, pii: PiiScan) -> SafetyVerdict:
    """Tier 1 personal data is a BLOCK of its own; the number itself is never a match's phrase."""
    matched = tuple(
        SafetyMatch(scan_pii(match.phrase).masked_text, match.category) for match in verdict.matched
    )
    verdict = replace(verdict, matched=matched)
    if not pii.blocked:
        return verdict
    found = SafetyVerdict(
        action=Action.BLOCK, risk_score=0.7, flags=("pii_tier1",), language=verdict.language
    )
    return strictest((verdict, found))


def _read(analyser: Analyser, text: str, verdict: SafetyVerdict) -> Analysis:
    try:
        analysis = analyser.analyse(text)
    except Exception:  # noqa: BLE001 - the turn goes on; the error may quote the text
        analysis = unread(detect(text))
    if analysis.language is None:
        analysis = replace(analysis, language=verdict.language)
    if verdict.concerns(SELF_HARM):
        analysis = replace(analysis, intent="crisis")
    return analysis


def _fixed_reply(
    message: Message, pii: PiiScan, analysis: Analysis, verdict: SafetyVerdict, crisis: CrisisBook
) -> FixedReply | NoReply | None:
    """The answer that needs no model, None when a model may speak."""
    if not message.text.strip():
        return NoReply("empty_message")
    reason = _fixed_reason(verdict, pii)
    if reason is None:
        return None
    answer = crisis_answer(crisis, reason, phone=message.phone, language=analysis.language)
    return FixedReply(answer.text, reason, answer.helpline)


def _prompt(
    turn: TurnInput,
    text: str,
    analysis: Analysis,
    *,
    state: EndUserState,
    hits: tuple[MemoryHit, ...],
    style: Shape,
) -> Prompt:
    """All that leaves for a provider, masked: the message, the memories, the turns, the name."""
    name = turn.message.profile_name
    brief = ReplyBrief(
        message=text,
        language=analysis.language,
        mood=state.human.mood,
        energy=state.human.energy,
        emotions=analysis.emotions,
        intent=analysis.intent,
        shape=style,
        memories=tuple(hit.text for hit in hits),
        name=scan_pii(name).masked_text if name else None,
    )
    recent = tuple(
        replace(earlier, content=scan_pii(earlier.content).masked_text)
        for earlier in turn.recent_turns
    )
    return Prompt(messages=tuple(build_prompt(brief, recent)), brief=brief)


def _fixed_reason(verdict: SafetyVerdict, pii: PiiScan) -> str | None:
    """Which reviewed text answers, None when a model may.

    Self-harm comes first, whatever else is in the message. HOLD for anything but self-harm and a
    failed check calls a human and lets the model answer: nothing is withheld (P).
    """
    if verdict.concerns(SELF_HARM):
        if "third_person" in verdict.flags:
            return "self_harm_other"
        return SELF_HARM if verdict.action is Action.BLOCK else "self_harm_concern"
    if CHECK_FAILED in verdict.flags:
        return "held"
    if pii.blocked and verdict.category is None:
        return "privacy"
    if verdict.action is Action.BLOCK:
        return verdict.category or "refusal"
    if verdict.action is Action.PROCEED:
        return next((flag for flag in verdict.flags if flag in REFERRALS), None)
    return None
