"""``client.memories``: what is remembered of a person."""

from __future__ import annotations

from functools import partial

from humane_ai._core import AsyncSend, Request, Send, given, person_path
from humane_ai._errors import InvalidArgumentError
from humane_ai._reading import read
from humane_ai._records import Memories

LIMIT = 20
"""Memories of one call, where the caller does not say."""


def memories_request(user_id: str, query: str | None, limit: int) -> Request[Memories]:
    """``GET /api/users/{user_id}/memories``. Raises InvalidArgumentError."""
    return Request(
        "GET",
        f"{person_path(user_id)}/memories",
        partial(read, Memories),
        params=given(q=query, limit=limit),
    )


def _search_request(user_id: str, query: str, limit: int) -> Request[Memories]:
    if not query.strip():
        raise InvalidArgumentError("search() needs words to look for; list() gives the newest.")
    return memories_request(user_id, query, limit)


class Recall:
    """Memories. A ``user_id`` is the ``id`` of a User, your own id of the person, or their phone."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def list(self, user_id: str, limit: int = LIMIT) -> Memories:
        """The newest ones, ``limit`` at most (1 to 200). Raises NotFoundError."""
        return self._send(memories_request(user_id, None, limit))

    def search(self, user_id: str, query: str, limit: int = LIMIT) -> Memories:
        """Those nearest to ``query`` in meaning, each with its ``similarity`` 0..1.

        ``limit`` at most, 1 to 200. Raises NotFoundError.
        """
        return self._send(_search_request(user_id, query, limit))


class AsyncRecall:
    """Memories. A ``user_id`` is the ``id`` of a User, your own id of the person, or their phone."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def list(self, user_id: str, limit: int = LIMIT) -> Memories:
        """The newest ones, ``limit`` at most (1 to 200). Raises NotFoundError."""
        return await self._send(memories_request(user_id, None, limit))

    async def search(self, user_id: str, query: str, limit: int = LIMIT) -> Memories:
        """Those nearest to ``query`` in meaning, each with its ``similarity`` 0..1.

        ``limit`` at most, 1 to 200. Raises NotFoundError.
        """
        return await self._send(_search_request(user_id, query, limit))
