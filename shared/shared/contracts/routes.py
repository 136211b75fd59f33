"""Who publishes what, where, and for whom: the table behind ``docs/asyncapi.yaml``.

Data only. A test keeps it true to the topology and to the registry of payloads.
"""

from dataclasses import dataclass, field

from shared.bus.topology import (
    ACTIVITY,
    CONTROL,
    INBOUND,
    INBOUND_LANES,
    INTERACTIONS,
    OUTBOUND,
    OUTBOUND_LANES,
)
from shared.contracts.commands import ForgetConversation, MarkMessageRead, SendReply
from shared.contracts.envelope import Payload
from shared.contracts.events import (
    ChannelAccountNoticeReceived,
    ChannelChanged,
    ChannelDeliveryObserved,
    ChannelHandshakeAstray,
    ChannelHandshakeAttempted,
    ChannelNeedsAttention,
    ChannelProblemDetected,
    ChannelProblemEnded,
    ChannelRecovered,
    ControlCaughtUp,
    DeliverySettled,
    DeliveryStatusReceived,
    InboundMessageReceived,
    InboundNoticeReceived,
    InteractionChanged,
    InteractionProcessed,
    KeyRevoked,
    ReplyFailed,
    ReplySent,
    SafetyBlocked,
    SafetyHeld,
    UserCreated,
    UserErased,
)


@dataclass(frozen=True, slots=True)
class Address:
    """An exchange and a routing key, with ``{names}`` where the key varies."""

    exchange: str
    routing_key: str
    lanes: int = field(default=0, kw_only=True)
    """How many values ``{lane}`` has; 0 where the key has none."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one message type."""

    payload: type[Payload]
    address: Address
    publishers: tuple[str, ...]
    subscribers: tuple[str, ...] = ()
    """Services with a queue for it. Empty: only the log and any team's own queue."""


_INBOUND_LANE = Address(INBOUND, "{lane}", lanes=INBOUND_LANES)
_OUTBOUND_LANE = Address(OUTBOUND, "{lane}", lanes=OUTBOUND_LANES)

ROUTES: tuple[Route, ...] = (
    Route(InboundMessageReceived, _INBOUND_LANE, ("ingress",), ("brain",)),
    Route(InboundNoticeReceived, _INBOUND_LANE, ("ingress",), ("brain",)),
    Route(DeliverySettled, _INBOUND_LANE, ("outbound",), ("brain",)),
    Route(DeliveryStatusReceived, _OUTBOUND_LANE, ("ingress",), ("outbound",)),
    Route(MarkMessageRead, _OUTBOUND_LANE, ("brain",), ("outbound",)),
    Route(SendReply, _OUTBOUND_LANE, ("brain",), ("outbound",)),
    Route(
        InteractionProcessed, Address(INTERACTIONS, "interaction.processed.{channel}"), ("brain",)
    ),
    Route(InteractionChanged, Address(INTERACTIONS, "interaction.changed.{channel}"), ("brain",)),
    Route(UserCreated, Address(INTERACTIONS, "user.created"), ("brain",)),
    Route(SafetyHeld, Address(INTERACTIONS, "safety.hold"), ("brain",)),
    Route(SafetyBlocked, Address(INTERACTIONS, "safety.blocked"), ("brain",)),
    Route(ReplySent, Address(INTERACTIONS, "reply.sent"), ("outbound",)),
    Route(ReplyFailed, Address(INTERACTIONS, "reply.failed"), ("outbound",)),
    Route(
        ChannelChanged,
        Address(CONTROL, "channel.changed"),
        ("channels-api",),
        ("ingress", "outbound"),
    ),
    Route(
        KeyRevoked,
        Address(CONTROL, "key.revoked"),
        ("channels-api",),
        ("brain", "outbound"),
    ),
    Route(UserErased, Address(INTERACTIONS, "user.erased"), ("brain",)),
    Route(ForgetConversation, _OUTBOUND_LANE, ("brain",), ("outbound",)),
    Route(
        ControlCaughtUp,
        Address(CONTROL, "control.caught_up"),
        ("channels-api",),
        ("ingress", "brain", "outbound"),
    ),
    Route(
        ChannelHandshakeAttempted,
        Address(ACTIVITY, "channel.handshake"),
        ("ingress",),
        ("channels-api",),
    ),
    Route(
        ChannelHandshakeAstray,
        Address(ACTIVITY, "channel.handshake_astray"),
        ("ingress",),
        ("channels-api",),
    ),
    Route(
        ChannelDeliveryObserved,
        Address(ACTIVITY, "channel.delivery"),
        ("ingress",),
        ("channels-api",),
    ),
    Route(
        ChannelProblemDetected,
        Address(ACTIVITY, "channel.problem"),
        ("ingress", "outbound"),
        ("channels-api",),
    ),
    Route(
        ChannelProblemEnded,
        Address(ACTIVITY, "channel.problem_ended"),
        ("outbound",),
        ("channels-api",),
    ),
    Route(
        ChannelAccountNoticeReceived,
        Address(ACTIVITY, "channel.account_notice"),
        ("ingress",),
        ("channels-api",),
    ),
    Route(
        ChannelNeedsAttention, Address(INTERACTIONS, "channel.needs_attention"), ("channels-api",)
    ),
    Route(ChannelRecovered, Address(INTERACTIONS, "channel.recovered"), ("channels-api",)),
)
"""Every payload once."""
