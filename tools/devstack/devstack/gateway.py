"""One origin in front of the services, as the cluster's gateway does it: by path prefix."""

from collections.abc import AsyncIterator, Mapping

import aiohttp
from aiohttp import web

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"}
)
"""Headers that belong to one connection (RFC 9110 §7.6.1)."""

ROUTES = (
    ("/api/ingress/", "ingress"),
    ("/api/audit", "channels-api"),
    ("/api/caller", "channels-api"),
    ("/api/channels", "channels-api"),
    ("/api/keyring", "channels-api"),
    ("/api/keys", "channels-api"),
    ("/api/openapi.json", "channels-api"),
    ("/api/docs", "channels-api"),
    ("/api/deliveries", "outbound"),
    ("/api/", "brain"),
    ("/app", "dashboard"),
)
"""First match wins."""


def gateway(upstreams: Mapping[str, str]) -> web.Application:
    """``upstreams``: base URL of each service by name; read at each request."""
    session_key = web.AppKey("session", aiohttp.ClientSession)

    async def forward(request: web.Request) -> web.StreamResponse:
        service = _service(request.path)
        if service is None:
            raise web.HTTPNotFound
        try:
            async with request.app[session_key].request(
                request.method,
                upstreams[service] + request.raw_path,
                headers=_end_to_end(request.headers),
                data=request.content if request.body_exists else None,
                allow_redirects=False,
            ) as answer:
                response = web.StreamResponse(
                    status=answer.status, headers=_end_to_end(answer.headers)
                )
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
                return response
        except aiohttp.ClientError as error:
            raise web.HTTPBadGateway(text=f"{service}: {type(error).__name__}") from None

    async def session(app: web.Application) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as client:
            app[session_key] = client
            yield

    app = web.Application()
    app.cleanup_ctx.append(session)
    app.router.add_route("*", r"/{path:[\s\S]*}", forward)
    return app


def _service(path: str) -> str | None:
    if path == "/":
        return "dashboard"
    return next((name for prefix, name in ROUTES if path.startswith(prefix)), None)


def _end_to_end(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP]
