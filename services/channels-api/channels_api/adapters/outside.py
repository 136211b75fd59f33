"""Calls to addresses that a caller named: to public ones only, checked where the socket is made.

A name is resolved once for each call, and the connection goes to an address of that answer, so a
name that changes its address between check and call gains nothing. Redirects are not followed.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from channels_api.domain.addresses import Policy, allowed_text

ANSWER_CAP_BYTES = 1024
"""More than the answer that we look for has."""


class AddressRefusedError(OSError):
    """The name leads to where only we can go. Says nothing about what is there."""


class Resolver(Protocol):
    """What aiohttp asks for addresses."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...


class CheckedResolver(AbstractResolver):
    """Refuses a name as soon as one of its addresses is not public."""

    def __init__(self, resolver: Resolver, policy: Policy) -> None:
        self._resolver = resolver
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises AddressRefusedError."""
        found = await self._resolver.resolve(host, port, family)
        if not self._policy.private and not all(allowed_text(item["host"]) for item in found):
            raise AddressRefusedError("the address is not public")
        return found

    async def close(self) -> None:
        """Let go."""
        await self._resolver.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back. ``problem`` is a slug when nothing did."""

    status: int | None = None
    text: str = ""
    problem: str | None = None


class Outside:
    """GETs a URL that a caller named. Use ``close`` at the end."""

    def __init__(self, policy: Policy, timeout_s: float, resolver: Resolver | None = None) -> None:
        self._policy = policy
        self._timeout_s = timeout_s
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str) -> Outcome:
        """One try within the time limit; never raises for what the other side does."""
        if not self._policy.private and _is_refused_literal(url):
            return Outcome(problem="refused")
        try:
            async with self._opened().get(
                url, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=self._timeout_s)
            ) as answer:
                body = await answer.content.read(ANSWER_CAP_BYTES)
                return Outcome(answer.status, body.decode(errors="replace"))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Outcome(problem=_problem(error))

    async def close(self) -> None:
        """Let connections go."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = self._resolver or aiohttp.ThreadedResolver()
            connector = aiohttp.TCPConnector(
                resolver=CheckedResolver(resolver, self._policy),
                socket_factory=self._socket,
                use_dns_cache=False,
                force_close=True,
                limit=20,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "platform-channels-api"},
            )
        return self._session

    def _socket(self, found: Sequence[Any]) -> socket.socket:
        """Made for this very address: whatever led here, nothing else is called."""
        family, kind, protocol, _, where = found
        if not self._policy.private and not allowed_text(where[0]):
            raise AddressRefusedError("the address is not public")
        return socket.socket(family, kind, protocol)


def _is_refused_literal(url: str) -> bool:
    """Whether the URL has an address in place of a name, and one that is not public."""
    host = urlsplit(url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return False
    return not allowed_text(host)


def _problem(error: Exception) -> str:
    inner = getattr(error, "os_error", None)
    if isinstance(error, AddressRefusedError) or isinstance(inner, AddressRefusedError):
        return "refused"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "certificate"
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "connection"
