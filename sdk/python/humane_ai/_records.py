"""What the API keeps: people, interactions, memories, deliveries and keys, as frozen dataclasses.

The wire's own names. Every field has a default, so that tests of your code build them as they need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from humane_ai._reading import WIRE_NAME, read
from humane_ai._types import (
    Analysis,
    Context,
    Impression,
    Json,
    Memory,
    Proactive,
    Safety,
    Timing,
    UserState,
    without,
)

Action = Literal["PROCEED", "HOLD", "BLOCK"]
"""What the safety check said of a message."""

Mood = Literal["low", "even", "good"]
"""Below .35, between, above .65."""

AlertFilter = Literal["open", "acknowledged", "all"]

DeliveryState = Literal[
    "queued",
    "sending",
    "unknown",
    "sent",
    "failed",
    "window_closed",
    "delivered",
    "read",
    "played",
]
"""Where a delivery stands. ``unknown``: the answer of Meta was lost, so that it may be there."""


@dataclass(frozen=True)
class ProfileFact:
    """One thing that a person told of themselves."""

    kind: str = ""
    """name, age, work, employer, home, family, pet, event, like, dislike, health or language."""
    key: str = ""
    """What it is about, such as ``employer`` or ``family:daughter``."""
    value: str = ""
    """In their own spelling."""
    said: str = ""
    """How they put it."""
    interaction_id: str = ""
    """The message that told it."""
    stated_at: datetime | None = None
    on: date | None = None
    """The day of an event, where it is certain."""


@dataclass(frozen=True)
class UserChannel:
    """A number on which the person has written."""

    channel_id: str = ""
    last_message_at: datetime | None = None
    """Meta takes free text for 24 hours from here, and only templates after."""


@dataclass(frozen=True)
class User(Impression):
    """A person, with their state at the moment of the call; each variable 0..1."""

    id: str = ""
    external_id: str | None = None
    """Your own id of the person, or the provider's."""
    channel: str = ""
    """Where they were met: whatsapp, or what your program calls its own."""
    name: str | None = None
    username: str | None = None
    mood: float = 0.5
    energy: float = 0.5
    fatigue: float = 0.0
    boredom: float = 0.0
    social_load: float = 0.0
    focus: float = 0.5
    trust: float = 0.4
    sentiment: float = 0.5
    grudge: float = 0.0
    familiarity: float = 0.3
    interaction_count: int = 0
    known_since: datetime | None = None
    last_seen: datetime | None = None
    last_action: str | None = None
    """The verdict of the safety check on their last message."""
    opted_out: bool = False
    """They asked not to be answered."""
    held_until: datetime | None = None
    """The machine is silent until then; in the year 9999: until it is switched on again."""
    channels: tuple[UserChannel, ...] = ()
    profile: tuple[ProfileFact, ...] = ()
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Reaction:
    """An emoji on a message."""

    emoji: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class MessageVersion:
    """What a message said before it was edited."""

    text: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Message:
    """What a person sent."""

    type: str = ""
    """text, image, audio, location and so on; ``unsupported`` for what nobody knows yet."""
    text: str | None = None
    """All of it in one readable piece; personal data masked. Empty once it was taken back."""
    pii: tuple[str, ...] = ()
    """Kinds of personal data that were masked."""
    content: Json | None = None
    """The typed object, such as the place of a location."""
    reaction: Reaction | None = None
    """Theirs, on their own message."""
    edited_at: datetime | None = None
    revoked_at: datetime | None = None
    versions: tuple[MessageVersion, ...] = ()

    @property
    def has_file(self) -> bool:
        """A file came with it: ``client.interactions.media`` gets it."""
        return self.content is not None and self.content.get("media") is not None


@dataclass(frozen=True)
class DeliverySummary:
    """What became of one part of what was said; ``client.deliveries`` tells more."""

    id: str = ""
    state: str = ""
    at: datetime | None = None
    code: int | None = None
    """Meta's error code."""
    detail: str | None = None
    """A stable name of the trouble."""


@dataclass(frozen=True)
class Reply:
    """What was said in return."""

    status: str = ""
    """pending, none, fixed (a reviewed text) or model."""
    text: str | None = None
    model: str | None = None
    reason: str | None = None
    """Why it is as it is, or why there is none; a stable name."""
    at: datetime | None = None
    answered_with: str | None = None
    """The later interaction of the same burst whose reply answers this one too."""
    reaction: Reaction | None = None
    """Theirs, on what we said."""
    deliveries: tuple[DeliverySummary, ...] = ()
    """One for each part that was sent."""


@dataclass(frozen=True)
class Interaction:
    """A message, how it was understood and what was said in return; variables 0..1."""

    id: str = ""
    user_id: str = ""
    external_id: str | None = None
    channel: str = ""
    channel_id: str | None = None
    provider_message_id: str | None = None
    at: datetime | None = None
    """When it arrived here."""
    sent_at: datetime | None = None
    """When the person sent it, by the provider's clock."""
    message: Message = Message()
    mood: float = 0.5
    energy: float = 0.5
    user: UserState = field(default_factory=UserState)
    """The person right after the message."""
    timing: Timing = field(default_factory=Timing)
    safety: Safety = field(default_factory=Safety)
    context: Context = field(default_factory=Context)
    analysis: Analysis = field(default_factory=Analysis)
    proactive: tuple[Proactive, ...] = ()
    memory: Memory = field(default_factory=Memory)
    policy: Any = None
    experiments: tuple[Any, ...] = ()
    reply: Reply = Reply()
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class StoredMemory:
    """Something that a person said."""

    id: str = ""
    text: str = ""
    timestamp: datetime | None = None
    similarity: float | None = None
    """0..1; None without a query."""


@dataclass(frozen=True)
class Memories:
    """Some of what is remembered of a person. Iterating gives them."""

    memories: tuple[StoredMemory, ...] = ()
    """The nearest first for a query, else the newest first."""
    total_stored: int = 0
    """How many there are of the person in all."""

    def __iter__(self) -> Iterator[StoredMemory]:
        return iter(self.memories)

    def __len__(self) -> int:
        return len(self.memories)


@dataclass(frozen=True)
class OutgoingMessage:
    """What a human of the business wrote to a person."""

    id: str = ""
    user_id: str = ""
    channel_id: str = ""
    author: str = ""
    """operator: through the API; phone_app: with the number's own app."""
    text: str = ""
    """Personal data masked; it was sent as it was given."""
    template: str | None = None
    """Name of the template, where one was sent."""
    at: datetime | None = None
    reaction: Reaction | None = None
    """The person's."""
    deliveries: tuple[DeliverySummary, ...] = ()
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class DeliveryError:
    """The last thing that went wrong with a delivery."""

    kind: str = field(default="", metadata={WIRE_NAME: "class"})
    """transient, throttled, permanent and so on; ``class`` on the wire."""
    code: int | None = None
    """Meta's error code."""
    detail: str = ""
    """A stable name."""
    fbtrace_id: str | None = None
    """Quote it when you ask Meta for help."""


@dataclass(frozen=True)
class DeliveryStep:
    """A state, and since when."""

    state: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """One message on its way to a person: a part of a reply, or of what a human wrote."""

    id: str = ""
    interaction_id: str = ""
    """The interaction that it answers, or the OutgoingMessage that it is."""
    channel_id: str = ""
    state: str = ""
    """A DeliveryState."""
    waiting: str | None = None
    """Why it is not sent now: pace, slot, turn, retry, throttle or channel."""
    attempts: int = 0
    next_attempt_at: datetime | None = None
    """None when nothing is left to do."""
    wamid: str | None = None
    """Meta's id of the message."""
    resent: bool = False
    """Sent again without knowing what became of the first time: it may be there twice."""
    error: DeliveryError | None = None
    author: str = ""
    """assistant or operator."""
    text: str = ""
    template: Json | None = None
    """``{name, language, components}``, where one is sent in place of the text."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    history: tuple[DeliveryStep, ...] = ()
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class AlertEntry:
    """Something that was done about an alert."""

    at: datetime | None = None
    by: str = ""
    """Label of the API key; ``safety`` for the machine."""
    what: str = ""
    """raised, acknowledged, reopened, assigned or note."""
    text: str | None = None
    """A note, or to whom it was assigned."""


@dataclass(frozen=True)
class Alert:
    """A message that a human should look at."""

    id: str = ""
    """Of the interaction."""
    user_id: str = ""
    external_id: str = ""
    channel: str = ""
    channel_id: str | None = None
    raised_at: datetime | None = None
    action: str = "HOLD"
    """HOLD or BLOCK, the gravest so far."""
    flags: tuple[str, ...] = ()
    risk_score: float = 0.0
    text: str = ""
    """What the person wrote; personal data masked."""
    reply_status: str = ""
    state: str = "open"
    """open, until somebody acknowledges it: then acknowledged."""
    assignee: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    history: tuple[AlertEntry, ...] = ()
    raw: Json = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class ApiKey:
    """A key of the API. ``key`` itself is there right after creation only."""

    id: str = ""
    label: str = ""
    last4: str = ""
    created_at: datetime | None = None
    key: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ()
    """Of ``process``, ``read``, ``channels`` and ``admin``, which allows all of it."""
    state: str = ""
    """``active``, ``expired`` or ``revoked``."""
    expires_at: datetime | None = None
    """None: never."""
    last_used_at: datetime | None = None
    """To the minute; None: not yet."""
    revoked_at: datetime | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)
    """The answer as it came, without the key: what is logged whole stays harmless."""


def read_api_key(data: object) -> ApiKey:
    """A key from the wire. Raises TypeError when ``data`` is no JSON object."""
    key = read(ApiKey, data)
    return replace(key, raw=without("key", key.raw))


@dataclass(frozen=True)
class Erasure:
    """What became of a wish to be forgotten."""

    complete: bool = False
    """False: it has begun and goes on by itself; ``erase`` again tells how far it is."""
    erased: Json = field(default_factory=dict)
    """How many of each kind are gone, by name."""
    raw: Json = field(default_factory=dict, repr=False, compare=False)


def read_erasure(data: object) -> Erasure:
    """What the server erased; a repeat that finds nobody left has erased all.

    Raises TypeError when ``data`` is no JSON object.
    """
    if data is None:
        return Erasure(complete=True)
    return read(Erasure, data)
