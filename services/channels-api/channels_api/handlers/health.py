"""Brings a channel's health up to date with an event, and tells whoever must know."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from channels_api.adapters.channel_store import ChannelStore
from channels_api.domain.channels import Channel
from channels_api.domain.health import Verdict, difference
from channels_api.handlers.announce import announcement, health_news
from shared.bus.outbox import Outbox
from shared.bus.port import Publication
from shared.contracts import Envelope

log = structlog.get_logger()


class WatchHealth:
    """One write for each change, its events in it; an event that says nothing new writes nothing."""

    def __init__(self, channels: ChannelStore, outbox: Outbox) -> None:
        self._channels = channels
        self._outbox = outbox

    async def judge(
        self,
        envelope: Envelope,
        channel_id: str,
        at: datetime,
        judge: Callable[[Channel], Verdict],
    ) -> Verdict | None:
        """Apply what ``judge`` says, true at ``at``. None: the tenant has no such channel."""
        while (channel := await self._channels.get(envelope.tenant, channel_id)) is not None:
            verdict = judge(channel)
            health = channel.health.after(verdict, _kept(at))
            if health == channel.health:
                return verdict
            after = replace(channel, health=health, version=channel.version + 1)
            events = _events(channel, after, envelope.id)
            # False: somebody else changed it meanwhile, so judge anew.
            if await self._channels.replace(channel, after, events):
                await self._outbox.flush(channel.id, events)
                return verdict
        return None


def _kept(at: datetime) -> datetime:
    """``at`` as the database keeps it, so that a redelivery compares equal."""
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _events(before: Channel, after: Channel, causation: str) -> list[Publication]:
    """None when only bookkeeping changed, such as when a problem was last seen."""
    found = difference(before.health, after.health)
    if not found.begun and not found.ended:
        return []
    # "health" does not wake what waits for the channel, "updated" does.
    control = announcement(after, "health" if found.begun else "updated", causation)
    log.info(
        "channel_health_changed",
        channel_id=after.id,
        begun=[problem.slug for problem in found.begun],
        ended=[problem.slug for problem in found.ended],
    )
    return [control, *health_news(before, after, causation)]
