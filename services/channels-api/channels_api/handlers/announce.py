"""What other services are told on the control exchange. Never a secret."""

from typing import Literal

from channels_api.domain.channels import Channel
from shared.bus.port import Publication
from shared.bus.topology import CONTROL
from shared.contracts import ChannelChanged, Envelope, KeyRevoked
from shared.telemetry.trace import current_traceparent

SOURCE = "channels-api"


def announcement(channel: Channel, change: Literal["created", "updated", "deleted"]) -> Publication:
    """A channel is another than before: drop what you remember of it."""
    payload = ChannelChanged(channel_id=channel.id, version=channel.version, change=change)
    envelope = Envelope.of(
        payload,
        source=SOURCE,
        subject=channel.id,
        tenant=channel.tenant,
        traceparent=current_traceparent(),
    )
    return Publication(CONTROL, "channel.changed", envelope)


def revocation(key_hash: str, tenant: str) -> Publication:
    """A key must not be accepted any more."""
    envelope = Envelope.of(
        KeyRevoked(key_hash=key_hash),
        source=SOURCE,
        subject=key_hash,
        tenant=tenant,
        traceparent=current_traceparent(),
    )
    return Publication(CONTROL, "key.revoked", envelope)
