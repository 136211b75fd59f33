"""What the API answers, typed. Unknown keys are ignored, missing ones have defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FRUSTRATED_MOOD = 0.35
TIRED_ENERGY = 0.30
TRUSTED_TRUST = 0.70

Json = Mapping[str, Any]


@dataclass(frozen=True)
class UserState:
    """How the end user is after the message; each variable 0..1."""

    id: str
    energy: float
    mood: float
    trust: float
    sentiment: float
    familiarity: float
    interaction_count: int

    @property
    def is_frustrated(self) -> bool:
        """Mood below .35."""
        return self.mood < FRUSTRATED_MOOD

    @property
    def is_tired(self) -> bool:
        """Energy below .30."""
        return self.energy < TIRED_ENERGY

    @property
    def is_trusted(self) -> bool:
        """Trust above .70."""
        return self.trust > TRUSTED_TRUST


@dataclass(frozen=True)
class Timing:
    """A recommendation when to show the answer; nothing here sleeps."""

    delay_ms: int
    reason: str


@dataclass(frozen=True)
class SafetyMatch:
    """A phrase and the category it speaks for."""

    phrase: str
    category: str


@dataclass(frozen=True)
class Safety:
    """``action`` is PROCEED, HOLD (call a human) or BLOCK (refused); ``risk_score`` 0..1."""

    action: str
    risk_score: float
    flags: tuple[str, ...]
    matched: tuple[SafetyMatch, ...]
    override: str | None


@dataclass(frozen=True)
class Context:
    """How an answer should sound; ``empathy`` and ``formality`` 0..1."""

    tone: str
    empathy: float
    formality: float
    response_length: str


@dataclass(frozen=True)
class Trigger:
    """A phrase of the message that led to an emotion."""

    phrase: str
    emotion: str
    polarity: str


@dataclass(frozen=True)
class Analysis:
    """What the message says; deltas are -1..1."""

    detected_emotions: tuple[str, ...]
    intent: str
    confidence: str
    mood_delta: float
    energy_delta: float
    signal_magnitude: str
    triggers: tuple[Trigger, ...]
    reasons: tuple[str, ...]
    safety_matched: tuple[str, ...]


@dataclass(frozen=True)
class MemoryHit:
    """Something the person said before; ``similarity`` 0..1."""

    text: str
    similarity: float
    timestamp: datetime | None


@dataclass(frozen=True)
class Memory:
    """What is remembered of the person."""

    relevant_memories: tuple[MemoryHit, ...]
    total_stored: int
    interaction_count: int
    known_since: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True)
class Proactive:
    """A reason to write to the person first."""

    trigger: str
    description: str
    suggested_action: str
    end_user_id: str
    timestamp: datetime | None


@dataclass(frozen=True)
class ProcessResult:
    """The answer of ``process``. ``response`` is None when there is nothing to say."""

    response: str | None
    user: UserState
    timing: Timing
    safety: Safety
    context: Context
    analysis: Analysis
    proactive: tuple[Proactive, ...]
    memory: Memory
    model: str | None
    error: str | None
    setup_required: bool
    interaction_id: str | None
    raw: Json = field(repr=False, compare=False)


@dataclass(frozen=True)
class StreamEvent:
    """One event of a stream: ``metadata``, ``token``, ``blocked``, ``error`` or ``final``."""

    type: str
    data: Any

    @property
    def text(self) -> str:
        """The piece of text of a ``token``; empty for other events."""
        content = self.data.get("content") if isinstance(self.data, dict) else None
        return content if self.type == "token" and isinstance(content, str) else ""

    @property
    def result(self) -> ProcessResult | None:
        """The whole answer of a ``final`` event."""
        return process_result(self.data) if self.type == "final" else None


@dataclass(frozen=True)
class HistoryEntry:
    """One line of a conversation; ``role`` is user or assistant."""

    role: str
    content: str
    at: datetime | None


@dataclass(frozen=True)
class Channel:
    """A connected number. ``verify_token`` is there right after creation or rotation only."""

    id: str
    type: str
    label: str | None
    phone_number_id: str
    waba_id: str | None
    auto_reply: bool
    state: str
    webhook_url_hint: str
    access_token_last4: str | None
    app_secret_last4: str | None
    version: int
    created_at: datetime | None
    updated_at: datetime | None
    verify_token: str | None = field(repr=False)
    raw: Json = field(repr=False, compare=False)


@dataclass(frozen=True)
class Activity:
    """Something that happened at a channel's webhook; ``kind`` is handshake, delivery or problem."""

    at: datetime | None
    kind: str
    detail: Json


def process_result(data: Json) -> ProcessResult:
    """From the wire."""
    return ProcessResult(
        response=data.get("response"),
        user=_user(_part(data, "user")),
        timing=Timing(
            int(_part(data, "timing").get("delay_ms", 0)),
            str(_part(data, "timing").get("reason", "")),
        ),
        safety=_safety(_part(data, "safety")),
        context=_context(_part(data, "context")),
        analysis=_analysis(_part(data, "analysis")),
        proactive=tuple(_proactive(item) for item in data.get("proactive") or ()),
        memory=_memory(_part(data, "memory")),
        model=data.get("model"),
        error=data.get("error"),
        setup_required=bool(data.get("setup_required")),
        interaction_id=data.get("interaction_id"),
        raw=data,
    )


def channel(data: Json) -> Channel:
    """From the wire."""
    return Channel(
        id=str(data.get("id", "")),
        type=str(data.get("type", "whatsapp")),
        label=data.get("label"),
        phone_number_id=str(data.get("phone_number_id", "")),
        waba_id=data.get("waba_id"),
        auto_reply=bool(data.get("auto_reply")),
        state=str(data.get("state", "")),
        webhook_url_hint=str(data.get("webhook_url_hint", "")),
        access_token_last4=data.get("access_token_last4"),
        app_secret_last4=data.get("app_secret_last4"),
        version=int(data.get("version", 0)),
        created_at=_time(data.get("created_at")),
        updated_at=_time(data.get("updated_at")),
        verify_token=data.get("verify_token"),
        raw={key: value for key, value in data.items() if key != "verify_token"},
    )


def history_entry(data: Json) -> HistoryEntry:
    """From the wire."""
    return HistoryEntry(
        str(data.get("role", "")), str(data.get("content", "")), _time(data.get("at"))
    )


def activity(data: Json) -> Activity:
    """From the wire."""
    return Activity(_time(data.get("at")), str(data.get("kind", "")), _part(data, "detail"))


def _user(data: Json) -> UserState:
    return UserState(
        id=str(data.get("id", "")),
        energy=_number(data, "energy", 0.5),
        mood=_number(data, "mood", 0.5),
        trust=_number(data, "trust", 0.4),
        sentiment=_number(data, "sentiment", 0.5),
        familiarity=_number(data, "familiarity", 0.3),
        interaction_count=int(data.get("interaction_count", 0)),
    )


def _safety(data: Json) -> Safety:
    return Safety(
        action=str(data.get("action", "PROCEED")),
        risk_score=_number(data, "risk_score", 0.0),
        flags=_strings(data, "flags"),
        matched=tuple(
            SafetyMatch(str(item.get("phrase", "")), str(item.get("category", "")))
            for item in data.get("matched") or ()
        ),
        override=data.get("override"),
    )


def _context(data: Json) -> Context:
    return Context(
        tone=str(data.get("tone", "")),
        empathy=_number(data, "empathy", 0.5),
        formality=_number(data, "formality", 0.5),
        response_length=str(data.get("response_length", "medium")),
    )


def _analysis(data: Json) -> Analysis:
    return Analysis(
        detected_emotions=_strings(data, "detected_emotions"),
        intent=str(data.get("intent", "")),
        confidence=str(data.get("confidence", "")),
        mood_delta=_number(data, "mood_delta", 0.0),
        energy_delta=_number(data, "energy_delta", 0.0),
        signal_magnitude=str(data.get("signal_magnitude", "normal")),
        triggers=tuple(
            Trigger(
                str(item.get("phrase", "")),
                str(item.get("emotion", "")),
                str(item.get("polarity", "")),
            )
            for item in data.get("triggers") or ()
        ),
        reasons=_strings(data, "reasons"),
        safety_matched=_strings(data, "safety_matched"),
    )


def _memory(data: Json) -> Memory:
    return Memory(
        relevant_memories=tuple(
            MemoryHit(
                str(item.get("text", "")),
                _number(item, "similarity", 0.0),
                _time(item.get("timestamp")),
            )
            for item in data.get("relevant_memories") or ()
        ),
        total_stored=int(data.get("total_stored", 0)),
        interaction_count=int(data.get("interaction_count", 0)),
        known_since=_time(data.get("known_since")),
        last_seen=_time(data.get("last_seen")),
    )


def _proactive(data: Json) -> Proactive:
    return Proactive(
        trigger=str(data.get("trigger", "")),
        description=str(data.get("description", "")),
        suggested_action=str(data.get("suggested_action", "")),
        end_user_id=str(data.get("end_user_id", "")),
        timestamp=_time(data.get("timestamp")),
    )


def _part(data: Json, name: str) -> Json:
    part = data.get(name)
    return part if isinstance(part, Mapping) else {}


def _number(data: Json, name: str, default: float) -> float:
    value = data.get(name)
    return float(value) if isinstance(value, (int, float)) else default


def _strings(data: Json, name: str) -> tuple[str, ...]:
    return tuple(str(item) for item in data.get(name) or ())


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        # Python 3.10 does not read a trailing Z.
        return datetime.fromisoformat(value.replace("Z", "+00:00"))  # noqa: FURB162 - see above
    except ValueError:
        return None
