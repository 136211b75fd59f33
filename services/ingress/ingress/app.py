"""Where ingress is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from ingress.adapters.activity import Activity
from ingress.http.webhook import BODY_LIMIT_BYTES, Webhook
from ingress.settings import Settings
from shared.bus.consumer import Broadcast
from shared.bus.topology import broadcast_queue
from shared.cache import StaleCache
from shared.contracts import ChannelChanged, ControlCaughtUp, Envelope
from shared.http.internal import ChannelForIngress, InternalApi
from shared.http.operations import routes_of
from shared.http.server import application
from shared.http.throttle import throttle_of
from shared.runtime import HttpEdge, Resources, Service


@asynccontextmanager
async def build(settings: Settings, resources: Resources) -> AsyncIterator[Service]:
    """Ingress's service: one route, a cache of secrets, and news for the channel's feed."""
    metrics = resources.metrics
    activity = Activity(resources.bus)
    async with aiohttp.ClientSession() as session:
        internal = InternalApi(session, settings.internal_api_url, settings.internal_api_token)
        channels: StaleCache[ChannelForIngress] = StaleCache(
            "channels", internal.channel_for_ingress, metrics
        )
        webhook = Webhook(
            channels.get,
            resources.bus,
            activity,
            metrics,
            resources.clock,
            settings.publish_timeout_s,
            throttle_of(settings),
        )
        app = application(metrics, body_limit_bytes=BODY_LIMIT_BYTES)
        app.add_routes(routes_of(webhook.operations()))
        yield Service(
            http=(HttpEdge("public", app, settings.host, settings.port),),
            parts=(activity, _channel_listener(settings, resources, channels)),
        )


def _channel_listener(
    settings: Settings, resources: Resources, channels: StaleCache[ChannelForIngress]
) -> Broadcast:
    def heard(envelope: Envelope) -> None:
        if envelope.type == ControlCaughtUp.TYPE:
            channels.told(envelope.payload(ControlCaughtUp).as_of, resources.clock())
            return
        change = envelope.payload(ChannelChanged)
        drop = channels.forget if change.change == "deleted" else channels.expire
        drop(change.channel_id)

    queue = broadcast_queue(
        f"ingress.{settings.instance}", ("channel.changed", "control.caught_up")
    )
    return Broadcast(resources.bus, queue, heard, channels.expire_all)
