"""What others are told: services on ``control``, any team on ``interactions``. Never a secret."""

from datetime import datetime
from typing import Literal

from channels_api.domain.channels import Channel
from channels_api.domain.health import difference
from shared.bus.port import Publication
from shared.bus.topology import CONTROL, INTERACTIONS
from shared.contracts import (
    ChannelChanged,
    ChannelNeedsAttention,
    ChannelRecovered,
    ControlCaughtUp,
    Envelope,
    KeyRevoked,
    Payload,
)
from shared.telemetry.trace import current_traceparent

SOURCE = "channels-api"


def announcement(
    channel: Channel,
    change: Literal["created", "updated", "deleted", "health"],
    causation: str | None = None,
) -> Publication:
    """A channel is another than before: drop what you remember of it."""
    payload = ChannelChanged(channel_id=channel.id, version=channel.version, change=change)
    return Publication(CONTROL, "channel.changed", _about(channel, payload, causation))


def health_news(before: Channel, after: Channel, causation: str | None = None) -> list[Publication]:
    """For whoever watches the channel: each problem that began, and that none is left."""
    found = difference(before.health, after.health)
    news = [
        Publication(
            INTERACTIONS,
            "channel.needs_attention",
            _about(
                after,
                ChannelNeedsAttention(
                    channel_id=after.id,
                    problem=problem.slug,
                    detail=problem.detail,
                    code=problem.code,
                ),
                causation,
            ),
        )
        for problem in found.begun
    ]
    if found.recovered:
        recovered = ChannelRecovered(channel_id=after.id)
        news.append(
            Publication(INTERACTIONS, "channel.recovered", _about(after, recovered, causation))
        )
    return news


def _about(channel: Channel, payload: Payload, causation: str | None) -> Envelope:
    return Envelope.of(
        payload,
        source=SOURCE,
        subject=channel.id,
        tenant=channel.tenant,
        traceparent=current_traceparent(),
        causation=causation,
    )


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


def caught_up(as_of: datetime) -> Publication:
    """Every change that was made until then was told."""
    envelope = Envelope.of(
        ControlCaughtUp(as_of=as_of), source=SOURCE, subject="control", tenant="", time=as_of
    )
    return Publication(CONTROL, "control.caught_up", envelope)
