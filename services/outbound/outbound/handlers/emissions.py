"""What the world is told of a delivery's change. Ids make a repeat equal."""

from outbound.domain.deliveries import Delivery
from outbound.domain.lattice import ACCEPTED, State
from shared.bus.port import Publication
from shared.bus.topology import INTERACTIONS
from shared.contracts import Envelope, Payload, ReplyFailed, ReplySent
from shared.ids import derived_id

SOURCE = "outbound"


def events_between(before: Delivery, after: Delivery) -> list[Publication]:
    """Events of one change: none, or one of ``reply.sent`` and ``reply.failed``."""
    if after.state in ACCEPTED and before.state not in ACCEPTED:
        sent = ReplySent(
            interaction_id=after.interaction_id,
            delivery_id=after.id,
            channel_id=after.channel_id,
            attempts=after.attempts,
        )
        return [_event(after, "reply.sent", sent)]
    failed = after.state is State.FAILED and before.state is not State.FAILED
    given_up = after.state is State.UNKNOWN and before.open and not after.open
    if not (failed or given_up):
        return []
    lost = ReplyFailed(
        interaction_id=after.interaction_id,
        delivery_id=after.id,
        channel_id=after.channel_id,
        attempts=after.attempts,
        reason=after.error.kind if after.error else "unexplained",
        code=after.error.code if after.error else None,
    )
    return [_event(after, "reply.failed", lost)]


def _event(delivery: Delivery, routing_key: str, payload: Payload) -> Publication:
    return Publication(
        INTERACTIONS,
        routing_key,
        Envelope.of(
            payload,
            id=derived_id(delivery.id, payload.TYPE),
            source=SOURCE,
            subject=delivery.interaction_id,
            tenant=delivery.tenant,
            time=delivery.updated_at,
            traceparent=delivery.traceparent,
            causation=delivery.command_id,
        ),
    )
