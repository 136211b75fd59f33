"""Where outbound is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp

from outbound.adapters import hold_store, pace_store, template_claims
from outbound.adapters.channels import Channels
from outbound.adapters.delivery_store import DELIVERIES, INDEXES, DeliveryStore
from outbound.adapters.graph import GraphClient, GraphSettings, open_session
from outbound.adapters.hold_store import HoldStore
from outbound.adapters.media import MediaClient, MediaSettings
from outbound.adapters.pace_store import PaceStore
from outbound.adapters.template_claims import TemplateClaims
from outbound.handlers.control import Control
from outbound.handlers.dispatcher import Dispatcher
from outbound.handlers.forgetting import Forgetting
from outbound.handlers.lanes import Lanes, key_of
from outbound.handlers.ledger import Ledger
from outbound.handlers.problems import ProblemReports
from outbound.handlers.read_marks import ReadMarks
from outbound.handlers.replies import Replies
from outbound.handlers.sending import Patience, Sending
from outbound.handlers.statuses import Statuses
from outbound.http.deliveries import Deliveries
from outbound.http.media import MediaFiles
from outbound.settings import Settings
from shared.bus.consumer import Broadcast, Consumer, ConsumerSpec
from shared.bus.outbox import Outbox
from shared.bus.topology import OUTBOUND_LANE_QUEUES, broadcast_queue
from shared.cache import StaleCache
from shared.http.internal import InternalApi
from shared.http.keys import require_key
from shared.http.operations import routes_of
from shared.http.outages import outages
from shared.http.server import application
from shared.http.service_token import require_service_token
from shared.http.throttle import throttle_of
from shared.principal import Principal
from shared.runtime import HttpEdge, Resources, Service

READ_MARKS_AT_ONCE = 32


@asynccontextmanager
async def build(settings: Settings, resources: Resources) -> AsyncIterator[Service]:
    """Outbound's service: its lanes, the dispatcher, and ``/api/deliveries``."""
    clock, metrics, bus = resources.clock, resources.metrics, resources.bus
    store = DeliveryStore(resources.database, clock)
    outbox = Outbox(resources.database[DELIVERIES], bus, clock, metrics)
    holds = HoldStore(resources.database, clock)
    async with (
        aiohttp.ClientSession() as internal_session,
        open_session(settings.concurrency + READ_MARKS_AT_ONCE) as graph_session,
    ):
        internal = InternalApi(
            internal_session, settings.internal_api_url, settings.internal_api_token
        )
        channels = Channels(internal, metrics)
        principals: StaleCache[Principal] = StaleCache("keys", internal.principal, metrics)
        graph = GraphClient(
            graph_session,
            GraphSettings(
                settings.graph_base_url, settings.graph_version, settings.graph_timeout_s
            ),
            metrics,
        )
        problems = ProblemReports(bus)
        ledger = Ledger(
            store,
            outbox,
            lambda: dispatcher.loop.wake(),  # noqa: PLW0108 - its steps record here: made below
            clock,
            metrics,
        )
        claims = TemplateClaims(resources.database, clock)
        sending = Sending(
            store,
            ledger,
            graph,
            channels,
            PaceStore(resources.database),
            holds,
            claims,
            problems,
            Patience(
                answer=timedelta(seconds=settings.graph_timeout_s),
                settle=timedelta(seconds=settings.settle_timeout_s),
            ),
            clock,
            metrics,
        )
        dispatcher = Dispatcher(store, sending.step, sending.resume, clock, settings.concurrency)
        control = Control(channels, principals, sending, dispatcher, clock)
        lanes = Lanes(
            replies=Replies(ledger, clock).handle,
            read_marks=ReadMarks(graph, channels).handle,
            statuses=Statuses(store, ledger, problems, clock).handle,
            forgetting=Forgetting(store, claims).handle,
        )
        yield Service(
            http=(
                *_edges(settings, resources, store, principals),
                _internal_edge(settings, resources, graph_session, channels),
            ),
            parts=(
                outbox,
                dispatcher.loop,
                Broadcast(
                    bus,
                    broadcast_queue(
                        f"outbound.{settings.instance}",
                        ("channel.changed", "key.revoked", "control.caught_up"),
                    ),
                    control.on_event,
                    control.on_gap,
                ),
                Consumer(
                    ConsumerSpec(
                        name="replies",
                        queues=OUTBOUND_LANE_QUEUES,
                        handle=lanes.handle,
                        key_of=key_of,
                        probe=resources.probe,
                        prefetch=64,
                        concurrency=128,
                    ),
                    bus,
                    metrics,
                    settings.instance,
                ),
            ),
            indexes=(*INDEXES, *pace_store.INDEXES, *hold_store.INDEXES, *template_claims.INDEXES),
        )


def _internal_edge(
    settings: Settings,
    resources: Resources,
    session: aiohttp.ClientSession,
    channels: Channels,
) -> HttpEdge:
    media = MediaClient(
        session,
        MediaSettings(
            root=f"{settings.graph_base_url.rstrip('/')}/{settings.graph_version}",
            hosts=settings.media_hosts,
            cap_bytes=settings.media_cap_mb * 1024 * 1024,
            timeout_s=settings.media_timeout_s,
        ),
    )
    app = application(resources.metrics)
    app.middlewares.extend((outages, require_service_token({"brain": settings.internal_tokens})))
    app.add_routes(MediaFiles(media, channels).routes())
    return HttpEdge("internal", app, settings.internal_host, settings.internal_port)


def _edges(
    settings: Settings,
    resources: Resources,
    store: DeliveryStore,
    principals: StaleCache[Principal],
) -> tuple[HttpEdge, ...]:
    if not settings.api_enabled:
        return ()
    app = application(resources.metrics)
    app.middlewares.extend(
        (outages, require_key(principals.get, resources.clock, throttle_of(settings)))
    )
    app.add_routes(routes_of(Deliveries(store).operations()))
    return (HttpEdge("public", app, settings.host, settings.port),)
