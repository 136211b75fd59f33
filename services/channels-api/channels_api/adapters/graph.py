"""The Graph API's answers about a number, its token and its account. Failures are answers too.

Tokens travel in headers. The one exception is ``debug_token``, whose ``input_token`` Graph takes
from the query alone: no URL is ever logged, raised or followed here.
"""

import asyncio
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from time import perf_counter
from typing import Any
from urllib.parse import quote

import aiohttp

from channels_api.domain.graph import Reply, Silence, Silent, reply_to
from shared.telemetry.metrics import Metrics

CONNECT_TIMEOUT_S = 3.0
ANSWER_CAP_BYTES = 256 * 1024
TRIES = 2
PAUSE_S = 0.25
NUMBER_FIELDS = (
    "id,verified_name,quality_rating,code_verification_status,name_status,status,account_mode,"
    "platform_type,throughput,webhook_configuration,health_status"
)


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """Where the API is and how long to wait for it, all tries of a call together."""

    base_url: str
    version: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Credentials:
    """A channel's, opened for the length of a check."""

    phone_number_id: str
    access_token: str = field(repr=False)
    app_secret: str = field(repr=False)
    with_proof: bool = False
    """Whether the channel proves the app secret with every call."""

    def proof(self, token: str) -> dict[str, str]:
        """The query's ``appsecret_proof`` of a call with ``token``."""
        if not self.with_proof:
            return {}
        digest = hmac.new(self.app_secret.encode(), token.encode(), sha256)
        return {"appsecret_proof": digest.hexdigest()}


class GraphClient:
    """Questions and settings in the name of a channel. Use ``close`` at the end."""

    def __init__(self, settings: GraphSettings, metrics: Metrics) -> None:
        self._root = f"{settings.base_url.rstrip('/')}/{settings.version}"
        self._timeout_s = settings.timeout_s
        self._metrics = metrics
        self._session: aiohttp.ClientSession | None = None

    async def number(self, who: Credentials) -> Reply:
        """The number's own node."""
        return await self._own(
            "GET", who, "number", quote(who.phone_number_id, safe=""), {"fields": NUMBER_FIELDS}
        )

    async def token(self, who: Credentials) -> Reply:
        """What the access token tells about itself."""
        asked = {"input_token": who.access_token}
        return await self._own("GET", who, "token", "debug_token", asked)

    async def proof(self, who: Credentials, app_id: str) -> Reply:
        """What the app tells about the access token; refused when the app secret is wrong."""
        app_token = f"{app_id}|{who.app_secret}"
        asked = {"input_token": who.access_token, **who.proof(app_token)}
        return await self._call("GET", "app_secret", "debug_token", app_token, asked)

    async def subscriptions(self, who: Credentials, waba_id: str) -> Reply:
        """Which apps the account is subscribed to."""
        return await self._own("GET", who, "subscriptions", _apps(waba_id))

    async def subscribe(self, who: Credentials, waba_id: str) -> Reply:
        """Subscribe the account to the token's app."""
        return await self._own("POST", who, "subscribe", _apps(waba_id))

    async def override(self, who: Credentials, url: str, verify_token: str) -> Reply:
        """Set the number's own webhook address; Meta makes its handshake before it answers."""
        body = {
            "webhook_configuration": {"override_callback_uri": url, "verify_token": verify_token}
        }
        node = quote(who.phone_number_id, safe="")
        return await self._own("POST", who, "override", node, body=body)

    async def close(self) -> None:
        """Let connections go."""
        if self._session is not None:
            await self._session.close()

    async def _own(
        self,
        method: str,
        who: Credentials,
        kind: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Reply:
        asked = {**(query or {}), **who.proof(who.access_token)}
        return await self._call(method, kind, path, who.access_token, asked, body)

    async def _call(
        self,
        method: str,
        kind: str,
        path: str,
        token: str,
        query: Mapping[str, str],
        body: Any = None,
    ) -> Reply:
        began = perf_counter()
        reply: Reply = Silent(Silence.TIMEOUT)
        try:
            async with asyncio.timeout(self._timeout_s):
                for attempt in range(TRIES):
                    if attempt:
                        await asyncio.sleep(PAUSE_S)
                    reply = await self._try(method, path, token, query, body)
                    if not _is_passing(reply):
                        break
        except TimeoutError:
            # A try that failed before says more than that time ran out on the next.
            pass
        outcome = type(reply).__name__.lower()
        self._metrics.graph_seconds.labels(kind, outcome).observe(perf_counter() - began)
        return reply

    async def _try(
        self, method: str, path: str, token: str, query: Mapping[str, str], body: Any
    ) -> Reply:
        try:
            async with self._opened().request(
                method,
                f"{self._root}/{path}",
                params=query,
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=aiohttp.ClientTimeout(
                    total=self._timeout_s, connect=min(CONNECT_TIMEOUT_S, self._timeout_s)
                ),
                allow_redirects=False,
            ) as answer:
                return reply_to(answer.status, await _object(answer))
        except TimeoutError:
            return Silent(Silence.TIMEOUT)
        except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError, OSError):
            return Silent(Silence.UNREACHABLE)
        except (aiohttp.ClientError, ValueError):
            return Silent(Silence.UNREADABLE)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=20, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "platform-channels-api"},
            )
        return self._session


def _apps(waba_id: str) -> str:
    return f"{quote(waba_id, safe='')}/subscribed_apps"


def _is_passing(reply: Reply) -> bool:
    return isinstance(reply, Silent) and reply.why in (Silence.SERVER, Silence.UNREACHABLE)


async def _object(answer: aiohttp.ClientResponse) -> Mapping[str, Any] | None:
    """The JSON object of the answer; None for anything else, such as a proxy's HTML."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(8192):
        body += chunk
        if len(body) > ANSWER_CAP_BYTES:
            return None
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
