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
    ("/api/channels", "channels-api"),
    ("/api/keyring", "channels-api"),
    ("/api/keys", "channels-api"),
    ("/api/openapi.json", "channels-api"),
    ("/api/docs", "channels-api"),
    ("/api/deliveries", "outbound"),
    ("/api/", "brain"),
)
"""First match wins."""

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>It runs</title>
<style>body{{font:16px/1.5 system-ui;max-width:42rem;margin:3rem auto;padding:0 1rem;
color-scheme:light dark}}code{{word-break:break-all}}</style>
<h1>It runs</h1><p>The API answers under <code>/api</code> and is told at
<a href="/api/docs">/api/docs</a>; your key and a first call to paste
were printed in the terminal.</p><p><a href="{simulator}">Open the simulated phone</a> and write
to the demo care line: the whole loop runs on this machine.</p></html>"""


def gateway(upstreams: Mapping[str, str], simulator_url: str) -> web.Application:
    """``upstreams``: base URL of each service by name."""
    session_key = web.AppKey("session", aiohttp.ClientSession)

    async def home(_: web.Request) -> web.Response:
        return web.Response(text=PAGE.format(simulator=simulator_url), content_type="text/html")

    async def forward(request: web.Request) -> web.StreamResponse:
        service = next((name for prefix, name in ROUTES if request.path.startswith(prefix)), None)
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
    app.router.add_get("/", home)
    app.router.add_route("*", r"/{path:[\s\S]*}", forward)
    return app


def _end_to_end(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP]
