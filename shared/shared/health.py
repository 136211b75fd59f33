"""The admin port: is the process alive, started, ready; and its metrics.

Liveness knows nothing of dependencies, or a broker's outage would restart every replica at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.http.problem import json_response
from shared.telemetry.metrics import Metrics

PING_TIMEOUT_S = 2.0

Ping = Callable[[], Awaitable[None]]
"""Raises when the dependency cannot be used now."""


class Health:
    """What the probes answer. The runtime moves it from starting to ready to draining."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._pings: Mapping[str, Ping] = {}
        self._started = False
        self._draining = False

    def started(self, pings: Mapping[str, Ping]) -> None:
        """Topology, indexes and edges are up; from now on readiness asks ``pings``."""
        self._pings = dict(pings)
        self._started = True
        self._metrics.ready.set(1)

    def draining(self) -> None:
        """Take this replica out: it still works, on what it has."""
        self._draining = True
        self._metrics.ready.set(0)

    async def failing(self) -> dict[str, str]:
        """What keeps the service from being ready, by name; empty when it is ready."""
        if not self._started:
            return {"service": "starting"}
        if self._draining:
            return {"service": "draining"}
        names = tuple(self._pings)
        results = await asyncio.gather(*(_answer(self._pings[name]) for name in names))
        return {name: result for name, result in zip(names, results, strict=True) if result}

    def admin_application(self) -> web.Application:
        """Routes of the admin port."""

        async def livez(_: web.Request) -> web.Response:
            return json_response({"status": "alive"})

        async def startupz(_: web.Request) -> web.Response:
            status = 200 if self._started else 503
            return json_response(
                {"status": "started" if self._started else "starting"}, status=status
            )

        async def readyz(_: web.Request) -> web.Response:
            failing = await self.failing()
            status = "ready" if not failing else "not ready"
            return json_response(
                {"status": status, "failing": failing}, status=503 if failing else 200
            )

        async def metrics(_: web.Request) -> web.Response:
            body = generate_latest(self._metrics.registry)
            return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

        app = web.Application()
        app.router.add_get("/livez", livez)
        app.router.add_get("/startupz", startupz)
        app.router.add_get("/readyz", readyz)
        app.router.add_get("/metrics", metrics)
        return app


async def _answer(ping: Ping) -> str:
    try:
        async with asyncio.timeout(PING_TIMEOUT_S):
            await ping()
    except Exception as error:  # noqa: BLE001 - whatever it is, the dependency is not usable
        return type(error).__name__
    return ""
