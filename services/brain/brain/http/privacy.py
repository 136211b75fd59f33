"""``/api/privacy``: what a person may ask for by law."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import orjson
import structlog
from aiohttp import web
from typing_extensions import TypedDict

from brain.adapters.erasure_store import ErasureStore
from brain.adapters.interaction_store import InteractionFilter, InteractionStore
from brain.adapters.memory_store import MemoryStore
from brain.adapters.outgoing_store import OutgoingStore
from brain.adapters.user_store import EndUser, UserStore
from brain.domain.memory import Memory
from brain.domain.people import Route
from brain.domain.state import decay
from brain.domain.wire import described
from brain.handlers.erasing import Erasing
from brain.http.shapes import (
    ErasedShape,
    InteractionShape,
    MemoryShape,
    OutgoingShape,
    UserShape,
    interaction_shape,
    memory_shape,
    outgoing_shape,
    user_shape,
)
from shared.clock import Clock
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.problem import json_response, not_found

log = structlog.get_logger()

PAGE = 200
"""Rows that are read, and held, at once."""

R = TypeVar("R")
Place = tuple[datetime, str]
ReadPage = Callable[[Place | None], Awaitable[Sequence[R]]]


@described
class ExportedUser(UserShape):
    """A person, and by what they are found."""

    aliases: list[str]
    routes: dict[str, Route]
    """By channel."""


class ExportShape(TypedDict):
    """All that is kept of a person."""

    exported_at: datetime
    user: ExportedUser
    interactions: list[InteractionShape]
    memories: list[MemoryShape]
    messages: list[OutgoingShape]


class PrivacyApi:
    """Handlers of a person's own wishes about what is kept of them."""

    def __init__(
        self,
        users: UserStore,
        interactions: InteractionStore,
        memories: MemoryStore,
        outgoing: OutgoingStore,
        erasures: ErasureStore,
        erasing: Erasing,
        clock: Clock,
    ) -> None:
        self._users = users
        self._interactions = interactions
        self._memories = memories
        self._outgoing = outgoing
        self._erasures = erasures
        self._erasing = erasing
        self._clock = clock

    def operations(self) -> list[Operation]:
        """Every route under ``/api/privacy``."""
        return [
            Operation(
                *("GET", "/api/privacy/export/{user_id}", self.export, "read"), answer=ExportShape
            ),
            Operation(
                *("DELETE", "/api/privacy/erase/{user_id}", self.erase, "admin"), answer=ErasedShape
            ),
        ]

    async def export(self, request: web.Request) -> web.StreamResponse:
        """All that is kept of a person, as one JSON document, newest first in each list.

        Files are named by their interaction, and fetched from `/api/interactions/{id}/media`.
        """
        # Written as it is read, a page at a time: years of messages need no memory of ours.
        tenant = request[PRINCIPAL].tenant
        user = await self._users.named(tenant, request.match_info["user_id"])
        if user is None:
            raise not_found("user")
        log.info("privacy_export", user_id=user.id, key=request[PRINCIPAL].key_hash[:12])
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/json",
                "Content-Disposition": f'attachment; filename="{user.id}.json"',
                "Cache-Control": "private, no-store",
            }
        )
        await response.prepare(request)
        async for part in self._document(user):
            await response.write(part)
        await response.write_eof()
        return response

    async def erase(self, request: web.Request) -> web.Response:
        """Remove a person everywhere. There is no way back; by our id it may be repeated."""
        caller, name = request[PRINCIPAL], request.match_info["user_id"]
        user = await self._users.named(caller.tenant, name)
        if user is not None:
            erased = await self._erasing.erase(user, caller.key_hash[:12])
            return json_response(ErasedShape(user_id=user.id, complete=True, erased=erased))
        known = await self._erasures.of(caller.tenant, name)
        if known is None:
            raise not_found("user")
        return json_response(
            ErasedShape(user_id=known.user_id, complete=True, erased=dict(known.erased))
        )

    async def _document(self, user: EndUser) -> AsyncIterator[bytes]:
        now = self._clock()
        about: ExportedUser = {
            **user_shape(user, decay(user.state, now)),
            "aliases": list(user.aliases),
            "routes": dict(user.routes),
        }
        yield b'{"exported_at":' + _json(now) + b',"user":' + _json(about)
        lists = (
            (b"interactions", self._said(user)),
            (b"memories", self._remembered(user)),
            (b"messages", self._written(user)),
        )
        for name, rows in lists:
            yield b',"' + name + b'":['
            separator = b""
            async for row in rows:
                yield separator + _json(row)
                separator = b","
            yield b"]"
        yield b"}"

    async def _said(self, user: EndUser) -> AsyncIterator[InteractionShape]:
        chosen = InteractionFilter(user_id=user.id)

        async def page(after: Place | None) -> Sequence[dict[str, Any]]:
            return await self._interactions.page(user.tenant, chosen, limit=PAGE, after=after)

        async for row in _all(page, _place):
            yield interaction_shape(row)

    async def _written(self, user: EndUser) -> AsyncIterator[OutgoingShape]:
        async def page(after: Place | None) -> Sequence[dict[str, Any]]:
            return await self._outgoing.page(user.tenant, user.id, limit=PAGE, after=after)

        async for row in _all(page, _place):
            yield outgoing_shape(row)

    async def _remembered(self, user: EndUser) -> AsyncIterator[MemoryShape]:
        async def page(after: Place | None) -> Sequence[Memory]:
            return await self._memories.page(user.tenant, user.id, limit=PAGE, after=after)

        async for memory in _all(page, lambda memory: (memory.created_at, memory.id)):
            yield memory_shape(memory)


async def _all(page: ReadPage[R], place: Callable[[R], Place]) -> AsyncIterator[R]:
    after: Place | None = None
    while rows := await page(after):
        for row in rows:
            yield row
        after = place(rows[-1])


def _place(row: dict[str, Any]) -> Place:
    return row["at"], row["_id"]


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)
