"""Faults on demand: what goes wrong with a Graph call, and which calls it happens to."""

import asyncio
import contextlib
import secrets
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from metasim.codes import GraphError
from metasim.fields import BadCommandError, Fields
from metasim.messages import kinds_of
from metasim.world import GraphCall, digits_of

ACTIONS = frozenset(
    {
        "error",
        "timeout_before",
        "timeout_after",
        "reset",
        "html_500",
        "delay",
        "fails_later",
        "corrupt",
        "oversize",
        "slow_body",
    }
)
SPOILED = frozenset({"corrupt", "oversize", "slow_body"})
"""Faults of the answer's body; whatever is answered goes through them, media above all."""

HTML_500 = (
    "<!DOCTYPE html><html><title>Error</title><body>Sorry, something went wrong.</body></html>"
)

Proceed = Callable[[], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Action:
    """What happens. The arguments belong to one or two types each; others ignore them."""

    type: str
    code: int = 131000
    status: int | None = None
    subcode: int | None = None
    details: str | None = None
    delay_ms: float = 0.0
    hang_ms: float | None = None
    """How long a timeout holds the connection; None for the configured time."""
    extra_bytes: int = 1024 * 1024
    """What ``oversize`` adds."""

    @classmethod
    def of(cls, data: Any) -> "Action":
        """Read the JSON form. Raises BadCommandError."""
        fields = Fields(data)
        kind = fields.text("type")
        if kind not in ACTIONS:
            raise BadCommandError(f"action.type must be one of {', '.join(sorted(ACTIONS))}")
        code = fields.integer("code", None)
        if code is None and kind in {"error", "fails_later"}:
            raise BadCommandError(f"action.code is needed for {kind}")
        status = fields.integer("status", None)
        if status is not None and not 400 <= status <= 599:
            raise BadCommandError("action.status must be 400 to 599")
        return cls(
            type=kind,
            code=131000 if code is None else code,
            status=status,
            subcode=fields.integer("subcode", None),
            details=fields.optional_text("details"),
            delay_ms=fields.number("delay_ms", 0.0),
            hang_ms=fields.number("hang_ms", None),
            extra_bytes=fields.integer("extra_bytes", 1024 * 1024),
        )


@dataclass(slots=True)
class Rule:
    """A fault that waits for calls that match; every given condition must hold."""

    action: Action
    path_contains: str | None = None
    to: str | None = None
    """Digits, or a business-scoped id."""
    phone_number_id: str | None = None
    kind: str | None = None
    times_left: int | None = 1
    """None for as long as it stands."""
    hits: int = 0
    id: str = field(default_factory=lambda: secrets.token_hex(4))

    @classmethod
    def of(cls, fields: Fields) -> "Rule":
        """Read the JSON form. Raises BadCommandError."""
        match = Fields(fields.value("match", {}))
        to = match.optional_text("to")
        # Absent is once, null is for ever.
        times = fields.integer("times", None) if "times" in fields else 1
        if times is not None and times < 1:
            raise BadCommandError("times must be 1 or more, or null")
        return cls(
            action=Action.of(fields.value("action", None)),
            path_contains=match.optional_text("path_contains"),
            to=to and (digits_of(to) or to),
            phone_number_id=match.optional_text("phone_number_id"),
            kind=match.optional_text("kind"),
            times_left=times,
        )

    def matches(self, path: str, body: Any) -> bool:
        """Whether this call is meant."""
        if self.path_contains is not None and self.path_contains not in path:
            return False
        if self.phone_number_id is not None and self.phone_number_id not in path.split("/"):
            return False
        if self.kind is not None and self.kind not in kinds_of(body):
            return False
        return self.to is None or self.to in _recipients(body)


class Faults:
    """The rules that stand, oldest first; the first that matches a call is used up once."""

    def __init__(self, stopping: asyncio.Event, hang_s: float) -> None:
        self._stopping = stopping
        self._hang_s = hang_s
        self.rules: list[Rule] = []

    def pick(self, path: str, body: Any) -> Action | None:
        """The fault for this call, if any."""
        for rule in self.rules:
            if rule.matches(path, body):
                rule.hits += 1
                if rule.times_left is not None:
                    rule.times_left -= 1
                    if rule.times_left == 0:
                        self.rules.remove(rule)
                return rule.action
        return None

    async def apply(
        self, action: Action, request: web.Request, call: GraphCall, proceed: Proceed
    ) -> web.StreamResponse:
        """Let the fault happen to ``request``. Raises GraphError for the ``error`` fault."""
        call.fault = action.type
        match action.type:
            case "error":
                raise GraphError(
                    action.code, action.details, status=action.status, subcode=action.subcode
                )
            case "html_500":
                return web.Response(text=HTML_500, status=500, content_type="text/html")
            case "reset":
                return _closed(request, reset=True)
            case "timeout_before":
                await self._hold(action)
                return _closed(request)
            case "timeout_after":
                await _recorded(proceed, call)
                await self._hold(action)
                return _closed(request)
            case "delay":
                await self._wait(action.delay_ms / 1000)
        answer = await proceed()
        if action.type in SPOILED and isinstance(answer, web.Response):
            return await self._spoiled(action, request, answer)
        return answer

    async def _spoiled(
        self, action: Action, request: web.Request, answer: web.Response
    ) -> web.StreamResponse:
        body = answer.body if isinstance(answer.body, bytes) else b""
        spoiled = web.StreamResponse(status=answer.status)
        spoiled.headers["Content-Type"] = answer.headers["Content-Type"]
        middle = len(body) // 2
        parts = [body[:middle], body[middle:]]
        if action.type == "corrupt":
            parts[1] = bytes(byte ^ 0xFF for byte in parts[1][:1]) + parts[1][1:]
        if action.type == "oversize":
            # Chunked: no length in the header gives the surprise away.
            spoiled.enable_chunked_encoding()
            parts.append(bytes(action.extra_bytes))
        else:
            spoiled.content_length = len(body)
        # A client that has seen enough hangs up; that is its right.
        with contextlib.suppress(ConnectionError):
            await spoiled.prepare(request)
            await spoiled.write(parts[0])
            await self._wait(action.delay_ms / 1000)
            for part in parts[1:]:
                await spoiled.write(part)
            await spoiled.write_eof()
        return spoiled

    async def _hold(self, action: Action) -> None:
        await self._wait(self._hang_s if action.hang_ms is None else action.hang_ms / 1000)

    async def _wait(self, seconds: float) -> None:
        """Let time pass, but no longer than until shutdown."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


async def _recorded(proceed: Proceed, call: GraphCall) -> None:
    try:
        call.status = (await proceed()).status
    except GraphError as refused:
        call.status, call.code = refused.status, refused.code


def _closed(request: web.Request, *, reset: bool = False) -> web.Response:
    """End the connection; what is returned never reaches the wire."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if reset and connection is not None:
            # Linger of zero seconds makes the kernel send RST in place of FIN.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


def _recipients(body: Any) -> frozenset[str]:
    if not isinstance(body, dict):
        return frozenset()
    return frozenset({digits_of(str(body.get("to", ""))), str(body.get("recipient", ""))})
