"""Channels as channels-api knows them, cached; a rotated token is picked up without a restart."""

from datetime import datetime

from shared.cache import StaleCache
from shared.http.internal import ChannelForOutbound, InternalApi
from shared.telemetry.metrics import Metrics


class Channels:
    """Credentials by channel id. Stale ones are served while channels-api is away."""

    def __init__(self, internal: InternalApi, metrics: Metrics) -> None:
        self._cache: StaleCache[ChannelForOutbound] = StaleCache(
            "channels", internal.channel_for_outbound, metrics
        )

    async def get(self, channel_id: str, tenant: str) -> ChannelForOutbound | None:
        """None when the tenant has no such channel. Raises SourceUnavailableError."""
        channel = await self._cache.get(channel_id)
        return channel if channel is not None and channel.tenant == tenant else None

    async def reload(self, channel_id: str, tenant: str) -> ChannelForOutbound | None:
        """As ``get``, past the cache: the provider refused what is remembered."""
        self._cache.expire(channel_id)
        return await self.get(channel_id, tenant)

    def changed(self, channel_id: str) -> None:
        """Ask again; the old value serves while nobody can be asked."""
        self._cache.expire(channel_id)

    def deleted(self, channel_id: str) -> None:
        """Never use its token again."""
        self._cache.forget(channel_id)

    def told(self, as_of: datetime, now: datetime) -> None:
        """Every change until ``as_of`` was heard of by ``now``."""
        self._cache.told(as_of, now)

    def all_changed(self) -> None:
        """Changes may have been missed."""
        self._cache.expire_all()
