"""What the API answers, as frozen dataclasses of the wire's own names.

Every field has a default, so that tests of your code build them as they need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from humane_ai._doctor import CheckReport, SetupReport
from humane_ai._reading import read

FRUSTRATED_MOOD = 0.35
TIRED_ENERGY = 0.30
TRUSTED_TRUST = 0.70

Json = Mapping[str, Any]


class Impression:
    """What stands out of a person's state."""

    mood: float
    energy: float
    trust: float

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
class UserState(Impression):
    """How the end user is after the message; each variable 0..1."""

    id: str = ""
    """Your own id of the person."""
    energy: float = 0.5
    mood: float = 0.5
    trust: float = 0.4
    sentiment: float = 0.5
    familiarity: float = 0.3
    interaction_count: int = 0


@dataclass(frozen=True)
class Timing:
    """A recommendation when to show the answer; nothing in this library sleeps for it."""

    delay_ms: int = 0
    reason: str = ""


@dataclass(frozen=True)
class SafetyMatch:
    """A phrase and the category it speaks for."""

    phrase: str = ""
    category: str = ""


@dataclass(frozen=True)
class Safety:
    """The verdict. ``risk_score`` is 0..1.

    ``action`` is PROCEED, HOLD (call a human) or BLOCK (refused). An answer without a verdict reads
    as HOLD: not knowing is never "all is well".
    """

    action: str = "HOLD"
    risk_score: float = 0.0
    flags: tuple[str, ...] = ()
    matched: tuple[SafetyMatch, ...] = ()
    override: str | None = None
    """Why a match was set aside, as an idiom is."""


@dataclass(frozen=True)
class Context:
    """How an answer should sound; ``empathy`` and ``formality`` 0..1."""

    tone: str = ""
    empathy: float = 0.5
    formality: float = 0.5
    response_length: str = "medium"
    """short, medium or long."""


@dataclass(frozen=True)
class Trigger:
    """A phrase of the message that led to an emotion."""

    phrase: str = ""
    emotion: str = ""
    polarity: str = ""


@dataclass(frozen=True)
class Analysis:
    """What the message says; deltas are -1..1."""

    detected_emotions: tuple[str, ...] = ()
    intent: str = ""
    confidence: str = ""
    """Who judged: llm, model or heuristic."""
    mood_delta: float = 0.0
    energy_delta: float = 0.0
    signal_magnitude: str = "normal"
    """normal, strong or pivot."""
    triggers: tuple[Trigger, ...] = ()
    reasons: tuple[str, ...] = ()
    safety_matched: tuple[str, ...] = ()
    """Phrases that the safety check took note of."""


@dataclass(frozen=True)
class RelevantMemory:
    """Something the person said before; ``similarity`` 0..1."""

    text: str = ""
    similarity: float = 0.0
    timestamp: datetime | None = None


@dataclass(frozen=True)
class Memory:
    """What is remembered of the person."""

    relevant_memories: tuple[RelevantMemory, ...] = ()
    total_stored: int = 0
    interaction_count: int = 0
    known_since: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True)
class Proactive:
    """A reason to write to the person first."""

    trigger: str = ""
    description: str = ""
    suggested_action: str = ""
    end_user_id: str = ""
    timestamp: datetime | None = None


@dataclass(frozen=True)
class ProcessResult:
    """The answer of ``process``. ``response`` is None when there is nothing to say."""

    response: str | None = None
    user: UserState = UserState()
    timing: Timing = Timing()
    safety: Safety = Safety()
    context: Context = Context()
    analysis: Analysis = Analysis()
    proactive: tuple[Proactive, ...] = ()
    memory: Memory = Memory()
    model: str | None = None
    """Who wrote the response, if a language model did."""
    experiments: tuple[Any, ...] = ()
    policy: Any = None
    error: str | None = None
    """Why there is no response although there should be one."""
    setup_required: bool = False
    """The server has no language model to write responses with."""
    interaction_id: str | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)
    """The answer as it came."""


@dataclass(frozen=True)
class StreamEvent:
    """One event of a stream: ``metadata``, ``token``, ``blocked``, ``error`` or ``final``."""

    type: str
    data: Any = None

    @property
    def text(self) -> str:
        """What this event adds to what the person reads; empty for most events."""
        if self.type not in ("token", "blocked") or not isinstance(self.data, Mapping):
            return ""
        content = self.data.get("content")
        return content if isinstance(content, str) else ""

    @property
    def result(self) -> ProcessResult | None:
        """The answer as far as it is known: of ``metadata`` without response, of ``final`` whole."""
        if self.type not in ("metadata", "final") or not isinstance(self.data, Mapping):
            return None
        return read(ProcessResult, self.data)


@dataclass(frozen=True)
class HistoryEntry:
    """One line of a conversation; ``role`` is user or assistant."""

    role: str = ""
    content: str = ""
    at: datetime | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class ChannelHealth:
    """Whether a channel can do its work."""

    state: str = ""
    """ok or needs_attention; empty when the server does not say."""
    problem: str | None = None
    """A stable name, such as token_rejected or payment_missing."""
    detail: str | None = None
    """What is wrong and what to do, in a sentence for a person."""
    code: int | None = None
    """Meta's error code."""
    since: datetime | None = None
    paused: bool = False
    """Meta stopped the account: nothing is sent until it lets it go."""

    @property
    def needs_attention(self) -> bool:
        """Somebody has to mend something."""
        return self.state == "needs_attention"


@dataclass(frozen=True)
class Channel:
    """A connected number. ``verify_token`` is there right after creation or rotation only."""

    id: str = ""
    type: str = "whatsapp"
    label: str | None = None
    phone_number_id: str = ""
    waba_id: str | None = None
    auto_reply: bool = False
    webhook_url_hint: str = ""
    """The path of the webhook: put your public address before it."""
    verify_token: str | None = field(default=None, repr=False)
    access_token_last4: str | None = None
    app_secret_last4: str | None = None
    state: str = ""
    """active or disabled, as its operator wants it."""
    health: ChannelHealth = ChannelHealth()
    """Whether it works; independent of ``state``."""
    reply_debounce_ms: int = 1200
    echo_pause_s: int = 3600
    read_receipts: bool = True
    messages_per_second: int = 80
    window_template: str | None = None
    window_template_language: str = "en_US"
    appsecret_proof: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    version: int = 0
    etag: str | None = None
    """For ``if_match``; after ``get`` and ``update``."""
    warnings: tuple[str, ...] = ()
    """What to know right after creation, such as another channel for the same number."""
    setup: SetupReport | None = None
    """How the setup at Meta went, right after a creation that asked for it."""
    check: CheckReport | None = None
    """What the doctor found, right after a creation that asked for it."""
    raw: Json = field(default_factory=dict, repr=False, compare=False)
    """The answer as it came, without the verify token: what is logged whole stays harmless."""


@dataclass(frozen=True)
class Activity:
    """Something that happened at a channel's webhook."""

    at: datetime | None = None
    kind: str = ""
    detail: Json = field(default_factory=dict)
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Audit:
    """A change of a channel: which fields, never their values."""

    at: datetime | None = None
    action: str = ""
    """created, updated or deleted."""
    fields: tuple[str, ...] = ()
    key_label: str = ""
    """Label of the API key that made the change."""
    key: str = ""
    """The first characters of the SHA-256 of that key."""
    version: int = 0
    """Of the channel, after it."""
    raw: Json = field(default_factory=dict, repr=False, compare=False)


def read_channel(data: object) -> Channel:
    """A channel from the wire. Raises TypeError when ``data`` is no JSON object."""
    channel = read(Channel, data)
    return replace(channel, raw=without("etag", without("verify_token", channel.raw)))


def without(hidden: str, raw: Json) -> Json:
    """``raw`` but for one of its fields."""
    return {name: value for name, value in raw.items() if name != hidden}
