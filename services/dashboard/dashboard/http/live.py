"""``/app/events``: server-sent events for one open page."""

import asyncio
from contextlib import suppress

import orjson
from aiohttp import web

from dashboard.domain.session import Sessions
from dashboard.handlers.live import Live
from dashboard.http.views import SESSION

HEARTBEAT_S = 10.0
RETRY_MS = 1_000


class Events:
    """Handler of the stream."""

    def __init__(self, live: Live, sessions: Sessions, cookie: str) -> None:
        self._live = live
        self._sessions = sessions
        self._cookie = cookie

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [web.get("/app/events", self.stream)]

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Until the page goes, or the session ends."""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        # A page that is closed takes the connection with it.
        with suppress(ConnectionError):
            await self._tell(request, response)
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        await response.write(b"retry: %d\n\n" % RETRY_MS)
        async with self._live.watching(request[SESSION].tenant) as watcher:
            while self._sessions.opened(request.cookies.get(self._cookie, "")) is not None:
                try:
                    event = await asyncio.wait_for(watcher.events.get(), HEARTBEAT_S)
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                await response.write(b"data: " + orjson.dumps(event) + b"\n\n")
                if event["type"] == "bye":
                    break
