"""Wire contracts: the envelope, every payload, and the registry of them all."""

from shared.contracts.commands import (
    COMMANDS,
    ForgetConversation,
    MarkMessageRead,
    SendReply,
    Template,
)
from shared.contracts.envelope import ContractError, Envelope, Payload
from shared.contracts.events import (
    EVENTS,
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
    SafetyScores,
    UserCreated,
    UserErased,
    UserScores,
)

PAYLOADS: dict[str, type[Payload]] = {model.TYPE: model for model in (*EVENTS, *COMMANDS)}
"""Every payload model by its wire type."""

PRIVATE_FIELDS: dict[str, frozenset[str]] = {name: m.PRIVATE for name, m in PAYLOADS.items()}
"""What ``Envelope.redacted`` removes, by wire type."""

__all__ = [
    "COMMANDS",
    "EVENTS",
    "PAYLOADS",
    "PRIVATE_FIELDS",
    "ChannelAccountNoticeReceived",
    "ChannelChanged",
    "ChannelDeliveryObserved",
    "ChannelHandshakeAstray",
    "ChannelHandshakeAttempted",
    "ChannelNeedsAttention",
    "ChannelProblemDetected",
    "ChannelProblemEnded",
    "ChannelRecovered",
    "ContractError",
    "ControlCaughtUp",
    "DeliverySettled",
    "DeliveryStatusReceived",
    "Envelope",
    "ForgetConversation",
    "InboundMessageReceived",
    "InboundNoticeReceived",
    "InteractionChanged",
    "InteractionProcessed",
    "KeyRevoked",
    "MarkMessageRead",
    "Payload",
    "ReplyFailed",
    "ReplySent",
    "SafetyBlocked",
    "SafetyHeld",
    "SafetyScores",
    "SendReply",
    "Template",
    "UserCreated",
    "UserErased",
    "UserScores",
]
