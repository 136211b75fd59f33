"""Where the dashboard is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from dashboard.adapters.api import Api
from dashboard.domain.session import Sessions
from dashboard.handlers.live import Live
from dashboard.http.channels import Channels
from dashboard.http.guard import guard
from dashboard.http.keeping import Keeping
from dashboard.http.live import Events
from dashboard.http.sign_in import SignIn, home
from dashboard.http.stepping_in import SteppingIn
from dashboard.http.views import STATIC, offers_phone, static
from dashboard.http.watching import Watching
from dashboard.settings import Settings
from shared.bus.consumer import Broadcast
from shared.bus.topology import ACTIVITY, INTERACTIONS, Queue, QueueKind
from shared.http.server import application
from shared.http.throttle import throttle_of
from shared.runtime import HttpEdge, Resources, Service

COOKIE = "humane_session"


@asynccontextmanager
async def build(settings: Settings, resources: Resources) -> AsyncIterator[Service]:
    """The dashboard's service: pages, and the events behind them."""
    sessions = Sessions(settings.seal(), settings.session_s)
    live = Live(resources.probe)
    async with aiohttp.ClientSession() as http:
        api = Api(http, settings.api_url, settings.api_timeout_s)
        app = application(resources.metrics)
        app.middlewares.append(guard(sessions, COOKIE))
        offers_phone(app, settings.phone_url is not None)
        app.add_routes(
            [
                web.get("/", home),
                web.get(STATIC + "{name:[^/]+}", static),
                *SignIn(
                    api, sessions, COOKIE, throttle_of(settings), secure=settings.secure_cookies
                ).routes(),
                *Events(live, sessions, COOKIE).routes(),
                *Watching(api).routes(),
                *SteppingIn(api).routes(),
                *Channels(api, settings.public_url).routes(),
                *Keeping(api, sessions, settings.phone_url).routes(),
            ]
        )
        yield Service(
            http=(HttpEdge("public", app, settings.host, settings.port),),
            parts=(
                live,
                *(
                    Broadcast(resources.bus, _queue(settings, exchange), live.heard, live.gap)
                    for exchange in (INTERACTIONS, ACTIVITY)
                ),
            ),
        )


def _queue(settings: Settings, exchange: str) -> Queue:
    """Of one replica, gone with it: a page that was closed needs no history."""
    return Queue(
        name=f"dashboard.{exchange}.{settings.instance}",
        exchange=exchange,
        patterns=("#",),
        kind=QueueKind.BROADCAST,
    )
