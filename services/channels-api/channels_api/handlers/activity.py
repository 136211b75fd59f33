"""Keeps what ingress and outbound tell about a channel, in words for its operator."""

from typing import Any

from channels_api.adapters.activity_store import ActivityStore, Item
from shared.bus.failures import Permanent
from shared.contracts import (
    ChannelDeliveryObserved,
    ChannelHandshakeAttempted,
    ChannelProblemDetected,
    Envelope,
)

HANDSHAKE_MESSAGES = {
    "verified": "Meta verified the webhook.",
    "token_mismatch": (
        "Refused: the verify token is another one. Copy the token of this channel to Meta's "
        "configuration page, or rotate it to get a new one."
    ),
    "token_has_whitespace": (
        "Refused: the verify token is right but for white space around it. Remove the stray "
        "newline or blank on Meta's configuration page."
    ),
    "wrong_mode": "Refused: the request was no subscription (hub.mode). It did not come from Meta.",
}


class KeepActivity:
    """Handles every event of the ``activity`` exchange."""

    def __init__(self, store: ActivityStore) -> None:
        self._store = store

    async def handle(self, envelope: Envelope) -> None:
        """Store it. Safe to repeat."""
        kind, channel_id, detail = _read(envelope)
        item = Item(envelope.tenant, channel_id, envelope.time, kind, detail)
        await self._store.add(envelope.id, item)


def _read(envelope: Envelope) -> tuple[str, str, dict[str, Any]]:
    match envelope.type:
        case ChannelHandshakeAttempted.TYPE:
            tried = envelope.payload(ChannelHandshakeAttempted)
            message = HANDSHAKE_MESSAGES[tried.outcome]
            return "handshake", tried.channel_id, {"outcome": tried.outcome, "message": message}
        case ChannelDeliveryObserved.TYPE:
            seen = envelope.payload(ChannelDeliveryObserved)
            return "delivery", seen.channel_id, _delivery(seen)
        case ChannelProblemDetected.TYPE:
            problem = envelope.payload(ChannelProblemDetected)
            detail = {
                "problem": problem.problem,
                "message": problem.detail,
                "code": problem.code,
            }
            return "problem", problem.channel_id, detail
        case _:
            raise Permanent("unknown_activity")


def _delivery(seen: ChannelDeliveryObserved) -> dict[str, Any]:
    parts = [
        f"{count} {one if count == 1 else many}{rest}"
        for count, one, many, rest in (
            (seen.messages, "message", "messages", ""),
            (seen.statuses, "status", "statuses", ""),
            (seen.ignored, "part", "parts", " ignored"),
            (seen.foreign, "part", "parts", " dropped for naming another phone number id"),
        )
        if count
    ]
    return {
        "messages": seen.messages,
        "statuses": seen.statuses,
        "ignored": seen.ignored,
        "foreign": seen.foreign,
        "message": f"Webhooks arrived: {', '.join(parts) or 'nothing in them'}.",
    }


def channel_of(envelope: Envelope) -> str:
    """Activity of one channel is kept in order."""
    return envelope.subject
