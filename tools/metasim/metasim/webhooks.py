"""Callbacks to the business: the handshake, signed deliveries, retries, and a log of them all."""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from metasim.config import SimConfig
from metasim.events import log_event
from metasim.payloads import encode, envelope, signature
from metasim.tasks import Background
from metasim.world import HISTORY_SIZE, Number, World

USER_AGENT = "facebookexternalua"
EXCERPT = 300
"""Characters of an answer that are kept and shown."""

OK = 200
"""Meta takes nothing else for success, 202 and 204 included."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST and what came back."""

    at: float
    status_code: int | None
    error: str | None
    response: str
    duration_ms: float


@dataclass(slots=True)
class Delivery:
    """One webhook body on its way. Its bytes never change; each attempt signs them anew."""

    number: Number
    body: bytes = field(repr=False)
    kind: str
    """``message``, ``status``, ``raw``, or the webhook's field when that is not ``messages``."""
    wamids: frozenset[str]
    sign_with: str | None = field(default=None, repr=False)
    """A secret in place of the app's, for forgeries."""
    header: str | None = None
    """The signature header verbatim in place of a computed one; empty for no header."""
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    attempts: list[Attempt] = field(default_factory=list)
    state: str = "pending"
    """``pending``, ``delivered``, or ``dropped`` when the last attempt failed."""
    overridable: bool = True
    """Whether it may go to a callback of the number's or the WABA's own."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """Outcome of "Verify and Save". ``message`` is Meta's when ``ok`` is false."""

    ok: bool
    status_code: int | None
    body: str
    message: str | None = None


class Courier:
    """Delivers webhooks as Meta does. Needs ``open`` to be entered by the application."""

    def __init__(self, world: World, config: SimConfig, background: Background) -> None:
        self._world = world
        self._config = config
        self._background = background
        self._session: aiohttp.ClientSession | None = None
        self.log: deque[Delivery] = deque(maxlen=HISTORY_SIZE)

    async def open(self, _app: web.Application) -> AsyncIterator[None]:
        """A ``cleanup_ctx``: the HTTP session's life. Ends background work first."""
        timeout = aiohttp.ClientTimeout(total=self._config.webhook_timeout_s)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            self._session = session
            yield
            await self._background.cancel()

    async def deliver_value(
        self, number: Number, value: dict[str, Any], kind: str, wamid: str
    ) -> Delivery:
        """Wrap, encode and deliver one change of the field ``messages``; see ``deliver``."""
        body = encode(envelope(number, value), escape=self._config.escape_unicode)
        delivery = Delivery(number, body, kind, frozenset({wamid}))
        await self.deliver(delivery)
        return delivery

    async def deliver_to_app(
        self,
        number: Number,
        field: str,
        value: Any,
        *,
        time: int | None = None,
        wamids: frozenset[str] = frozenset(),
    ) -> Delivery:
        """Deliver a change of another field: always to the app's callback."""
        wrapped = envelope(number, value, field, time=time)
        body = encode(wrapped, escape=self._config.escape_unicode)
        delivery = Delivery(number, body, field, wamids, overridable=False)
        await self.deliver(delivery)
        return delivery

    async def deliver(self, delivery: Delivery) -> None:
        """Make the first attempt; when it fails the rest of the schedule goes on behind."""
        self.log.append(delivery)
        if not await self.attempt(delivery) and self._url(delivery):
            self._background.spawn(self._retry(delivery))

    async def attempt(self, delivery: Delivery) -> bool:
        """POST once. True when the answer was 200. Does nothing without a callback URL."""
        url = self._url(delivery)
        if url is None:
            delivery.state = "dropped"
            log_event("webhook_dropped", delivery_id=delivery.id, reason="no callback URL")
            return False
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        header = delivery.header
        if header is None:
            header = signature(delivery.sign_with or delivery.number.app_secret, delivery.body)
        if header:
            headers["X-Hub-Signature-256"] = header
        done = await self._post(url, headers, delivery.body)
        delivery.attempts.append(done)
        if done.status_code == OK:
            delivery.state = "delivered"
            await self._tick(delivery)
        log_event(
            "webhook_attempted",
            delivery_id=delivery.id,
            kind=delivery.kind,
            attempt=len(delivery.attempts),
            status_code=done.status_code,
            error=done.error,
        )
        return done.status_code == OK

    def latest(self, wamid: str) -> Delivery | None:
        """The newest delivery about this message."""
        return next((item for item in reversed(self.log) if wamid in item.wamids), None)

    async def handshake(self, callback_url: str, verify_token: str) -> Handshake:
        """Ask ``callback_url`` to prove itself with the verify token, as "Verify and Save" does."""
        challenge = str(secrets.randbelow(9 * 10**9) + 10**9)
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": verify_token,
        }
        failed = "(#2200) Callback verification failed with"
        try:
            async with self._client().get(
                callback_url,
                params=query,
                headers={"User-Agent": USER_AGENT},
                allow_redirects=False,
            ) as answer:
                status, body = answer.status, (await answer.read()).decode(errors="replace")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            message = f"{failed} the following error: {type(error).__name__}"
            done = Handshake(False, None, "", message)
        else:
            excerpt = body[:EXCERPT]
            if status != OK:
                done = Handshake(False, status, excerpt, f"{failed} HTTP Status Code = {status}")
            elif body != challenge:
                message = (
                    "(#2200) The URL couldn't be validated. Response does not match challenge, "
                    f'expected value="{challenge}", received="{excerpt}"'
                )
                done = Handshake(False, status, excerpt, message)
            else:
                done = Handshake(True, status, excerpt)
        log_event("handshake_finished", ok=done.ok, status_code=done.status_code)
        return done

    async def _retry(self, delivery: Delivery) -> None:
        for delay_s in self._config.webhook_retry_delays_s:
            await asyncio.sleep(delay_s)
            if delivery.state == "delivered" or await self.attempt(delivery):
                return
        delivery.state = "dropped"
        log_event("webhook_dropped", delivery_id=delivery.id, reason="schedule is over")

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> Attempt:
        at, started = self._world.now(), asyncio.get_running_loop().time()
        status: int | None = None
        error: str | None = None
        text = ""
        try:
            async with self._client().post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
                text = (await answer.read()).decode(errors="replace")[:EXCERPT]
        except (aiohttp.ClientError, TimeoutError, ValueError) as caught:
            status, error = None, type(caught).__name__
        duration_ms = (asyncio.get_running_loop().time() - started) * 1000
        return Attempt(at, status, error, text, round(duration_ms, 1))

    async def _tick(self, delivery: Delivery) -> None:
        for wamid in delivery.wamids:
            found = self._world.written(delivery.number.phone_number_id, wamid)
            if found is not None and found[1].delivered_at is None:
                found[1].delivered_at = self._world.now()
        await self._world.announce()

    def _url(self, delivery: Delivery) -> str | None:
        return self._world.callback_url(delivery.number, overridable=delivery.overridable)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the application is not running")
        return self._session


def outcome(delivery: Delivery) -> dict[str, Any]:
    """What a command answers about the webhook that it caused."""
    last = delivery.attempts[-1] if delivery.attempts else None
    return {
        "delivery_id": delivery.id,
        "delivered": delivery.state == "delivered",
        "status_code": last.status_code if last else None,
        "error": last.error if last else "no callback URL",
        "response": last.response if last else "",
        "attempts": len(delivery.attempts),
    }
