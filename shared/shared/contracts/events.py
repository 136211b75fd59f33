"""What happened: payloads of events, past tense.

Events on the ``interactions`` exchange carry ids, scores and verdicts only: no message text, no
phone number, because a stream cannot forget (ADR 0006). ``InboundMessageReceived`` and
``InboundNoticeReceived`` are the events with text; they live in the brain's inbound lanes until
they are handled.
"""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.envelope import Payload

Score = float
"""A number in 0..1."""


class Part(BaseModel):
    """Base of objects nested in a payload."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InboundMessageReceived(Payload):
    """A person wrote. ``message`` and ``contact`` are the provider's objects, verbatim."""

    TYPE: ClassVar[str] = "inbound.message.received.v1"
    PRIVATE: ClassVar[frozenset[str]] = frozenset(
        {"message", "contact", "conversation_key", "provider_message_id"}
    )

    channel_id: str
    provider: Literal["whatsapp"] = "whatsapp"
    provider_message_id: str = Field(
        description="`wamid…`, the provider's id; base64 that holds the person's number."
    )
    conversation_key: str = Field(description="Channel id, colon, provider's id of the person.")
    phone_number_id: str
    received_at: AwareDatetime = Field(description="When our edge accepted it, UTC.")
    auto_reply: bool = Field(description="Whether the channel answered by itself at that time.")
    reply_debounce_ms: int = Field(
        default=0,
        ge=0,
        description="How long the person must be silent before a burst is answered; 0: each "
        "message by itself.",
    )
    message: dict[str, Any]
    contact: dict[str, Any] | None = None


class InboundNoticeReceived(Payload):
    """Something happened in a conversation that starts no turn. The objects are verbatim."""

    TYPE: ClassVar[str] = "inbound.notice.received.v1"
    PRIVATE: ClassVar[frozenset[str]] = InboundMessageReceived.PRIVATE

    channel_id: str
    provider: Literal["whatsapp"] = "whatsapp"
    provider_message_id: str = Field(description="`wamid…` of the notice itself.")
    conversation_key: str = Field(description="Channel id, colon, provider's id of the person.")
    phone_number_id: str
    received_at: AwareDatetime = Field(description="When our edge accepted it, UTC.")
    notice: Literal["reaction", "edit", "revoke", "system", "echo"] = Field(
        description="system: the person's number or id changed; echo: a human of the business "
        "wrote from the phone app."
    )
    auto_reply: bool = Field(description="Whether the channel answered by itself at that time.")
    echo_pause_s: int = Field(
        default=3600, ge=0, description="How long an echo keeps the machine silent; 0: not at all."
    )
    message: dict[str, Any]
    contact: dict[str, Any] | None = None


class DeliveryStatusReceived(Payload):
    """The provider told what became of a message that we sent."""

    TYPE: ClassVar[str] = "delivery.status.received.v1"
    PRIVATE: ClassVar[frozenset[str]] = frozenset(
        {"conversation_key", "recipient", "provider_message_id"}
    )

    channel_id: str
    conversation_key: str
    provider_message_id: str = Field(description="`wamid…` of our message.")
    status: str = Field(description="sent, delivered, read, played, failed; others are ignored.")
    provider_timestamp: AwareDatetime | None = None
    recipient: str | None = None
    delivery_id: str | None = Field(default=None, description="Our id, echoed by the provider.")
    error_codes: tuple[int, ...] = ()


class DeliverySettled(Payload):
    """What became of a reply, for the interaction it belongs to. Ticks after ``sent`` are not told."""

    TYPE: ClassVar[str] = "delivery.settled.v1"
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"conversation_key", "provider_message_id"})

    interaction_id: str
    delivery_id: str
    channel_id: str
    conversation_key: str
    state: Literal["sent", "failed", "unknown", "window_closed"]
    at: AwareDatetime
    provider_message_id: str | None = Field(default=None, description="`wamid…` of our message.")
    code: int | None = Field(default=None, description="The provider's error code.")
    detail: str | None = Field(default=None, description="Slug of what went wrong.")


class UserScores(Part):
    """The end user's state after the interaction, each 0..1."""

    mood: Score
    energy: Score
    trust: Score
    sentiment: Score
    familiarity: Score


class SafetyScores(Part):
    """The verdict without the words that led to it."""

    action: Literal["PROCEED", "HOLD", "BLOCK"]
    risk_score: Score
    flags: tuple[str, ...] = ()


class InteractionProcessed(Payload):
    """A message was understood and its interaction can be read."""

    TYPE: ClassVar[str] = "interaction.processed.v1"

    interaction_id: str
    user_id: str = Field(description="Our id of the end user, `eu_…`; never a phone number.")
    channel: str
    channel_id: str | None = None
    user: UserScores
    mood_delta: float
    energy_delta: float
    signal_magnitude: Literal["normal", "strong", "pivot"]
    emotions: tuple[str, ...] = ()
    intent: str
    confidence: str
    tone: str
    safety: SafetyScores
    memory_hits: int
    interaction_count: int
    reply: Literal["none", "fixed", "pending"] = Field(
        description="none: nobody answers by machine; fixed: a reviewed text; pending: a model."
    )


class InteractionChanged(Payload):
    """Something happened to an interaction after it was processed; read it again."""

    TYPE: ClassVar[str] = "interaction.changed.v1"

    interaction_id: str
    user_id: str
    channel: str
    channel_id: str | None = None
    change: Literal["edited", "revoked", "reaction", "replied", "alert"] = Field(
        description="replied: its pending reply was settled. alert: a human attended to it."
    )


class UserCreated(Payload):
    """A person wrote for the first time."""

    TYPE: ClassVar[str] = "user.created.v1"

    user_id: str
    channel: str
    channel_id: str | None = None


class SafetyRaised(Payload):
    """Common form of the two safety events."""

    interaction_id: str
    user_id: str
    channel: str
    channel_id: str | None = None
    risk_score: Score
    flags: tuple[str, ...]


class SafetyHeld(SafetyRaised):
    """A human should look at this person's conversation."""

    TYPE: ClassVar[str] = "safety.hold.v1"


class SafetyBlocked(SafetyRaised):
    """The message was refused, or met by a reviewed text; a human should look now."""

    TYPE: ClassVar[str] = "safety.blocked.v1"


class ReplySent(Payload):
    """The provider accepted a reply."""

    TYPE: ClassVar[str] = "reply.sent.v1"

    interaction_id: str
    delivery_id: str
    channel_id: str
    attempts: int


class ReplyFailed(Payload):
    """A reply will not reach the person."""

    TYPE: ClassVar[str] = "reply.failed.v1"

    interaction_id: str
    delivery_id: str
    channel_id: str
    attempts: int
    reason: str = Field(description="Failure class, such as `permanent` or `window_closed`.")
    code: int | None = Field(default=None, description="The provider's error code.")


class ChannelChanged(Payload):
    """A channel's settings or credentials changed. Never carries a secret."""

    TYPE: ClassVar[str] = "channel.changed.v1"

    channel_id: str
    version: int
    change: Literal["created", "updated", "deleted", "health"] = Field(
        description="health: it needs attention now, so nothing that waits need be tried."
    )


class UserErased(Payload):
    """A person and all that was kept of them are gone; who copied anything must forget it too."""

    TYPE: ClassVar[str] = "user.erased.v1"

    user_id: str = Field(description="Our id of the person; it will never come again.")


class KeyRevoked(Payload):
    """An API key must not be accepted any more."""

    TYPE: ClassVar[str] = "key.revoked.v1"

    key_hash: str = Field(description="SHA-256 of the key, hex.")


class ControlCaughtUp(Payload):
    """Every change that was made until now has been told on ``control``.

    Twice a second, and only while it is true: who has not heard it lately may have missed a change.
    """

    TYPE: ClassVar[str] = "control.caught_up.v1"

    as_of: AwareDatetime = Field(description="Changes made until then were told.")


class ChannelHandshakeAttempted(Payload):
    """Somebody asked to verify the webhook; what we said and why."""

    TYPE: ClassVar[str] = "channel.handshake.v1"

    channel_id: str
    outcome: Literal["verified", "token_mismatch", "token_has_whitespace", "wrong_mode"]


class ChannelHandshakeAstray(Payload):
    """A verify token of our making came to an address that it does not belong to."""

    TYPE: ClassVar[str] = "channel.handshake_astray.v1"

    token_hash: str = Field(
        description="SHA-256 of the token, hex: 256 random bits, so nobody finds the token by it."
    )


class ChannelDeliveryObserved(Payload):
    """A signed webhook arrived; counts only."""

    TYPE: ClassVar[str] = "channel.delivery.v1"

    channel_id: str
    messages: int
    statuses: int
    ignored: int
    foreign: int = Field(description="Dropped: they named a phone number of another channel.")


class ChannelProblemDetected(Payload):
    """Something an operator should mend, in a plain sentence."""

    TYPE: ClassVar[str] = "channel.problem.v1"

    channel_id: str
    problem: str = Field(description="Stable slug: `bad_signature`, `token_rejected`…")
    detail: str = Field(description="What it means and what to do.")
    code: int | None = None


class ChannelProblemEnded(Payload):
    """A reply went out on a channel that had a problem."""

    TYPE: ClassVar[str] = "channel.problem_ended.v1"

    channel_id: str


class ChannelAccountNoticeReceived(Payload):
    """The provider told about the account or the number: restricted, flagged or reinstated."""

    TYPE: ClassVar[str] = "channel.account_notice.v1"

    channel_id: str
    account_id: str | None = Field(default=None, description="The WhatsApp business account's id.")
    topic: str = Field(description="The webhook's field, such as `account_update`.")
    notice: dict[str, Any] = Field(description="The webhook's value, verbatim.")
    received_at: AwareDatetime


class ChannelNeedsAttention(Payload):
    """Something is wrong with a channel; sending may be paused until an operator mends it."""

    TYPE: ClassVar[str] = "channel.needs_attention.v1"

    channel_id: str
    problem: str = Field(description="Stable slug: `token_rejected`, `payment_missing`…")
    detail: str = Field(description="What it means and what to do.")
    code: int | None = None


class ChannelRecovered(Payload):
    """The channel works again."""

    TYPE: ClassVar[str] = "channel.recovered.v1"

    channel_id: str


EVENTS: tuple[type[Payload], ...] = (
    InboundMessageReceived,
    InboundNoticeReceived,
    DeliveryStatusReceived,
    DeliverySettled,
    InteractionProcessed,
    InteractionChanged,
    UserCreated,
    SafetyHeld,
    SafetyBlocked,
    ReplySent,
    ReplyFailed,
    ChannelChanged,
    KeyRevoked,
    ControlCaughtUp,
    UserErased,
    ChannelHandshakeAttempted,
    ChannelHandshakeAstray,
    ChannelDeliveryObserved,
    ChannelProblemDetected,
    ChannelProblemEnded,
    ChannelAccountNoticeReceived,
    ChannelNeedsAttention,
    ChannelRecovered,
)
