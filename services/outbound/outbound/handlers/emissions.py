"""What the world is told of a delivery's change. Ids make a repeat equal."""

from typing import Any

from outbound.domain.deliveries import Delivery
from outbound.domain.lattice import ACCEPTED, State
from shared.bus.port import Publication
from shared.bus.topology import INBOUND, INBOUND_LANES, INTERACTIONS, lane_key
from shared.contracts import DeliverySettled, Envelope, Payload, ReplyFailed, ReplySent
from shared.ids import derived_id

SOURCE = "outbound"


SETTLED = {
    State.FAILED: "failed",
    State.WINDOW_CLOSED: "window_closed",
}


def events_between(before: Delivery, after: Delivery) -> list[Publication]:
    """What one change tells: the world, in ids, and brain, for the interaction it belongs to."""
    if after.state in ACCEPTED and before.state not in ACCEPTED:
        sent = ReplySent(
            interaction_id=after.interaction_id,
            delivery_id=after.id,
            channel_id=after.channel_id,
            attempts=after.attempts,
        )
        return [_event(after, "reply.sent", sent), _settled(after, "sent")]
    given_up = after.state is State.UNKNOWN and before.open and not after.open
    state = "unknown" if given_up else SETTLED.get(after.state)
    if state is None or (after.state is before.state and not given_up):
        return []
    lost = ReplyFailed(
        interaction_id=after.interaction_id,
        delivery_id=after.id,
        channel_id=after.channel_id,
        attempts=after.attempts,
        reason=after.error.kind if after.error else "unexplained",
        code=after.error.code if after.error else None,
    )
    return [_event(after, "reply.failed", lost), _settled(after, state)]


def _event(delivery: Delivery, routing_key: str, payload: Payload) -> Publication:
    return Publication(
        INTERACTIONS, routing_key, _enveloped(delivery, payload, delivery.interaction_id)
    )


def _settled(delivery: Delivery, state: Any) -> Publication:
    settled = DeliverySettled(
        interaction_id=delivery.interaction_id,
        delivery_id=delivery.id,
        channel_id=delivery.channel_id,
        conversation_key=delivery.conversation_key,
        state=state,
        at=delivery.updated_at,
        provider_message_id=delivery.wamid,
        code=delivery.error.code if delivery.error else None,
        detail=delivery.error.detail if delivery.error else None,
    )
    lane = lane_key(delivery.conversation_key, INBOUND_LANES)
    envelope = _enveloped(delivery, settled, delivery.conversation_key, state, delivery.wamid or "")
    return Publication(INBOUND, lane, envelope)


def _enveloped(delivery: Delivery, payload: Payload, subject: str, *name: str) -> Envelope:
    return Envelope.of(
        payload,
        id=derived_id(delivery.id, payload.TYPE, *name),
        source=SOURCE,
        subject=subject,
        tenant=delivery.tenant,
        time=delivery.updated_at,
        traceparent=delivery.traceparent,
        causation=delivery.command_id,
    )
