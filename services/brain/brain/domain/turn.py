"""One turn as a functional core: ``prepare`` before the reply model, ``conclude`` after it.

Both are pure given their arguments. What is slow or outside (reading the store, the reply model,
saving) happens between and around them.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from brain.domain.analysis import Analyser, Analysis, observation_of, unread
from brain.domain.crisis import CrisisBook, crisis_answer
from brain.domain.language import detect
from brain.domain.memory import Archive, Embedder, Memory, MemoryHit, importance_of
from brain.domain.output_safety import INACTION, OutputGates
from brain.domain.pii import PiiScan, scan_pii
from brain.domain.profile import (
    Forgotten,
    Profile,
    answering,
    extract,
    forgetting,
    forgotten,
    relevant,
    updated,
)
from brain.domain.prompt import RecentTurn, build_prompt
from brain.domain.replies import Prompt, ReplyBrief
from brain.domain.safety import (
    CHECK_FAILED,
    COMBINED,
    REFERRALS,
    SELF_HARM,
    THIRD_PERSON,
    Action,
    SafetyMatch,
    SafetyVerdict,
    TextCheck,
    judge,
    seconded,
    strictest,
)
from brain.domain.shaping import Shape, Timing, shape, timing
from brain.domain.standing import HUMAN_PLEASE, OPT_IN, OPT_OUT, silence_of, standing_after
from brain.domain.state import EndUserState, Signal, decay, observe
from brain.domain.terms import tokenise

HUMAN_COMING = "human_coming"
"""Why a fixed reply was given: the person asked for a human, who is being called."""
_WISHES = {OPT_OUT: "opted_out", OPT_IN: "opted_in", HUMAN_PLEASE: HUMAN_COMING}
"""Intents that a reviewed text answers, and its name."""
NOT_UNDERSTOOD = {
    **dict.fromkeys(("audio", "voice"), "not_heard"),
    **dict.fromkeys(("image", "video"), "not_seen"),
    **dict.fromkeys(("document", "unsupported"), "not_opened"),
}
"""Kinds that say nothing to us without words, and the honest text that answers them."""
SPEAKING_LINES = frozenset({"location", "contacts", "order", "interactive"})
"""Kinds whose line a model can answer."""
RECALLED = 3  # P
PROMPTED_FACTS = 10
SUSPICIOUS = 0.1
"""Risk score from which a message is read together with those before it."""
SAID_BEFORE, JUST_BEFORE = 2, timedelta(minutes=30)
"""How many earlier messages, and how old they may be."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a person wrote. ``at``: when, by the provider. ``phone``: with country code, any form.

    ``text`` is what they said in words, ``line`` what came besides, such as ``[image]``; ``kind``
    is the provider's type.
    """

    id: str
    text: str
    at: datetime
    channel: str
    profile_name: str | None = None
    phone: str | None = None
    kind: str = "text"
    line: str = ""


@dataclass(frozen=True, slots=True)
class TurnInput:
    """A message and all we know. ``recent_turns`` oldest first, without the message itself.

    ``previous_id``: of the person's message before this one, when it is known; "forget that" means
    it. ``hurried``: many wait behind this message, so the quickest model reads it. ``second``: the
    second reader's verdict on this message, None when it was not asked or did not answer. ``parts``:
    ids of the stored messages whose words this one holds, when it is a whole burst.
    """

    message: Message
    state: EndUserState
    memories: Archive
    recent_turns: tuple[RecentTurn, ...]
    now: datetime
    profile: Profile = field(default_factory=Profile)
    previous_id: str | None = None
    hurried: bool = False
    second: SafetyVerdict | None = None
    parts: frozenset[str] = frozenset()

    @property
    def own_ids(self) -> frozenset[str]:
        """What is said now, and so cannot be recalled."""
        return self.parts | {self.message.id}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a turn needs besides its input; made once, where the service is wired."""

    analyser: Analyser
    rules: TextCheck
    crisis: CrisisBook
    gates: OutputGates
    embedder: Embedder | None = None


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
    is decayed to now, ``state_after`` and ``profile_after`` are what to save. ``forgets``: what
    the person asked us to forget, None when they did not.
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
    profile_after: Profile
    forgets: Forgotten | None
    now: datetime

    @property
    def shown(self) -> str:
        """The whole message in one readable piece, masked."""
        return _shown(self.message)


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


def _whole(turn: TurnInput) -> TurnInput:
    """The turn, with half characters in its text replaced: a transcript may have an emoji cut in two."""
    text = turn.message.text
    try:
        text.encode()
    except UnicodeEncodeError:
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return replace(turn, message=replace(turn.message, text=whole))
    return turn


def prepare(turn: TurnInput, pipeline: Pipeline) -> Prepared:
    """Decay, mask, read, judge, recall, shape, and decide what reply is needed. Never raises.

    A failing analyser means an empty reading; a failing safety check means HOLD (promise 11). A
    self-harm hit never yields a ``ModelReply``.
    """
    turn = _whole(turn)
    message, now = turn.message, turn.now
    pii = scan_pii(message.text)
    analysis = _read(pipeline.analyser, pii.masked_text, hurried=turn.hurried)
    verdict = judge(pipeline.rules, message.text, analysis.risk)
    verdict = _with_before(turn, pii.masked_text, analysis, verdict, pipeline)
    verdict = _masked(seconded(verdict, turn.second), pii)
    analysis = _told(analysis, verdict)
    masked = message
    if pii.kinds or message.line:
        masked = replace(message, text=pii.masked_text, line=_masked_line(message))
    before = decay(turn.state, now)
    observed = observe(before, observation_of(analysis), now)
    after = standing_after(observed.state, analysis.intent, now)
    forgets = _forgets(turn, pii.masked_text, analysis)
    profile = _told_of_themselves(turn, pii.masked_text, analysis, forgets)
    hits = _recalled(turn, pii.masked_text, profile, pipeline.embedder)
    style = shape(observed.state, analysis, verdict, channel=message.channel)
    fixed = _fixed_reply(turn, pii, analysis, verdict, pipeline.crisis, forgets=forgets)
    plan = fixed or ModelReply(
        _prompt(
            turn,
            _shown(masked),
            analysis,
            state=observed.state,
            profile=profile,
            hits=hits,
            style=style,
        )
    )
    return Prepared(
        message=masked,
        text=pii.masked_text,
        pii=pii,
        analysis=analysis,
        safety=verdict,
        state_before=before,
        state_after=after,
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
        profile_after=profile,
        forgets=forgets,
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
    return _judge_reply(
        model_text,
        safety=prepared.safety,
        language=prepared.analysis.language,
        phone=prepared.message.phone,
        pipeline=pipeline,
    )


def _judge_reply(
    model_text: str | None,
    *,
    safety: SafetyVerdict,
    language: str | None,
    phone: str | None,
    pipeline: Pipeline,
) -> Concluded:
    """What may be said of ``model_text``; ``safety`` is the verdict on the input.

    What the output gates block is replaced by a reviewed text in the person's language; None or
    blank text ends the turn without an answer.
    """
    text = (model_text or "").strip()
    blocked = safety.action is Action.BLOCK
    if not text:
        return Concluded(None, "none", safety, blocked, "no_model_text")
    gate = pipeline.gates.check(text, safety)
    joined = strictest((safety, gate))
    if gate.action is not Action.BLOCK:
        return Concluded(text, "model", joined, blocked, "model")
    # Where help had to be named and was not, the reviewed text of that danger names it.
    danger = gate.category if INACTION in gate.flags else None
    answer = crisis_answer(
        pipeline.crisis, danger or "output_blocked", phone=phone, language=language
    )
    return Concluded(answer.text, "fixed", joined, True, "output_blocked")


def remember(
    prepared: Prepared, concluded: Concluded | None = None, *, embedder: Embedder | None = None
) -> Memory | None:
    """The one record of this interaction, both sides masked; None when there was no text.

    Without ``concluded`` it holds the person's side only. Its id is the message's: remembering twice
    is remembering once. A reviewed text is not worth remembering as our side; a refused request and
    a wish to forget are not remembered at all.
    """
    refused = prepared.safety.action is Action.BLOCK and prepared.safety.category in {
        "illegal",
        "sexual_minors",
        "pii_extraction",
    }
    if not prepared.text.strip() or refused or prepared.forgets is not None:
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
        vector=None if embedder is None else embedder.embed(prepared.text),
    )


def _masked(verdict: SafetyVerdict, pii: PiiScan) -> SafetyVerdict:
    """Tier 1 personal data is a BLOCK of its own; the number itself is never a match's phrase."""
    if verdict.matched:
        matched = tuple(
            SafetyMatch(scan_pii(match.phrase).masked_text, match.category)
            for match in verdict.matched
        )
        verdict = replace(verdict, matched=matched)
    if not pii.blocked:
        return verdict
    found = SafetyVerdict(
        action=Action.BLOCK, risk_score=0.7, flags=("pii_tier1",), language=verdict.language
    )
    return strictest((verdict, found))


def _with_before(
    turn: TurnInput, text: str, analysis: Analysis, verdict: SafetyVerdict, pipeline: Pipeline
) -> SafetyVerdict:
    """``verdict``, or a stricter one of the message together with what was said just before.

    "I have the pills here" means one thing alone and another after "I can't do this any more". Only
    a message that is not plainly harmless is read a second time.
    """
    suspicious = verdict.risk_score >= SUSPICIOUS or verdict.action is not Action.PROCEED
    if verdict.action is Action.BLOCK or not suspicious or analysis.risk is None:
        return verdict
    before = said_before(turn)
    if not before:
        return verdict
    whole = ". ".join((*before, text))
    again = judge(pipeline.rules, whole, _read(pipeline.analyser, whole, hurried=False).risk)
    if again.action.severity <= verdict.action.severity:
        return verdict
    return strictest((replace(again, flags=(*again.flags, COMBINED)), verdict))


def said_before(turn: TurnInput) -> list[str]:
    """The person's last messages of the past half hour, masked, oldest first; two at most."""
    own = turn.own_ids
    last = turn.memories.memories[-SAID_BEFORE - len(own) :]
    before = [memory for memory in last if memory.id not in own][-SAID_BEFORE:]
    return [memory.text for memory in before if turn.now - memory.created_at <= JUST_BEFORE]


def _read(analyser: Analyser, text: str, *, hurried: bool) -> Analysis:
    try:
        return analyser.analyse(text, hurried=hurried)
    except Exception:  # noqa: BLE001 - the turn goes on; the error may quote the text
        return unread(detect(text))


def _told(analysis: Analysis, verdict: SafetyVerdict) -> Analysis:
    """``analysis`` with what the safety check knows better."""
    if analysis.language is None:
        analysis = replace(analysis, language=verdict.language)
    if verdict.concerns(SELF_HARM):
        analysis = replace(analysis, intent="crisis")
    return analysis


def _forgets(turn: TurnInput, text: str, analysis: Analysis) -> Forgotten | None:
    """What the message asks us to forget. Of memories, those of this very message do not count."""
    request = forgetting(text, analysis.language)
    if request is None:
        return None
    told = [memory for memory in turn.memories.memories if memory.id not in turn.own_ids]
    return forgotten(request, turn.profile, told, last_id=turn.previous_id)


def _told_of_themselves(
    turn: TurnInput, text: str, analysis: Analysis, forgets: Forgotten | None
) -> Profile:
    """The profile after the message."""
    if forgets is not None:
        return forgets.profile
    facts = extract(text, source_id=turn.message.id, at=turn.message.at, language=analysis.language)
    return updated(turn.profile, facts)


def _recalled(
    turn: TurnInput, text: str, profile: Profile, embedder: Embedder | None
) -> tuple[MemoryHit, ...]:
    """What the message brings back: facts that answer it first, then memories."""
    facts = (
        MemoryHit(fact.source_id, fact.sentence, 1.0, fact.stated_at)
        for fact in answering(profile, text)
        if fact.source_id not in turn.own_ids
    )
    found = turn.memories.recall(text, turn.now, embedder=embedder, but=turn.own_ids)
    hits: dict[str, MemoryHit] = {}
    for hit in (*facts, *found):  # one message may state several facts, and be a memory too
        hits.setdefault(hit.id, hit)
    return tuple(hits.values())[:RECALLED]


def _fixed_reply(
    turn: TurnInput,
    pii: PiiScan,
    analysis: Analysis,
    verdict: SafetyVerdict,
    crisis: CrisisBook,
    *,
    forgets: Forgotten | None,
) -> FixedReply | NoReply | None:
    """The answer that needs no model, None when a model may speak.

    Danger first, then what the person wishes of us.
    """
    message = turn.message
    reason = _fixed_reason(verdict, pii)
    silence = silence_of(turn.state, analysis.intent, turn.now)
    if silence is not None and (verdict.action is Action.PROCEED or reason is None):
        return NoReply(silence)
    if not message.text.strip():
        return _wordless(turn, crisis)
    reason = reason or ("forgotten" if forgets else _WISHES.get(analysis.intent))
    if reason is None:
        return None
    answer = crisis_answer(crisis, reason, phone=message.phone, language=analysis.language)
    return FixedReply(answer.text, reason, answer.helpline)


def _wordless(turn: TurnInput, crisis: CrisisBook) -> FixedReply | NoReply | None:
    """The answer to a message without words, in the language of those before it."""
    message = turn.message
    if message.kind in SPEAKING_LINES:
        return None
    reason = NOT_UNDERSTOOD.get(message.kind)
    if reason is None:
        return NoReply("empty_message")
    before = turn.memories.memories[-1:]
    language = detect(before[0].text) if before else None
    answer = crisis_answer(crisis, reason, phone=message.phone, language=language)
    return FixedReply(answer.text, reason, answer.helpline)


def _masked_line(message: Message) -> str:
    """Names in a line are the sender's own words; a place's degrees are no phone number."""
    if not message.line or message.kind == "location":
        return message.line
    return scan_pii(message.line).masked_text


def _shown(message: Message) -> str:
    return f"{message.line} {message.text}".strip()


def _prompt(
    turn: TurnInput,
    text: str,
    analysis: Analysis,
    *,
    state: EndUserState,
    profile: Profile,
    hits: tuple[MemoryHit, ...],
    style: Shape,
) -> Prompt:
    """All that leaves for a provider, masked: the message, the memories, the turns, the name."""
    name = profile.name or turn.message.profile_name
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
        profile=tuple(fact.sentence for fact in relevant(profile, text, PROMPTED_FACTS)),
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
        if THIRD_PERSON in verdict.flags:
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
