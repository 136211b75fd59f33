"""``client.interactions``: messages as they were understood and answered, and their files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

from humane_ai._core import AsyncSend, Request, Send, given, same, segment
from humane_ai._media import MediaFile, file_from
from humane_ai._paging import PAGE_SIZE, Listing, async_rows_of, rows_of
from humane_ai._reading import read
from humane_ai._records import Action, Interaction

READ_INTERACTION: Callable[[object], Interaction] = partial(read, Interaction)


def _listing(channel: str | None, action: Action | None, limit: int) -> Listing[Interaction]:
    params = given(channel=channel, action=action, limit=limit)
    return Listing("/api/interactions", "interactions", READ_INTERACTION, params)


def _get_request(interaction_id: str) -> Request[Interaction]:
    return Request("GET", _path(interaction_id), READ_INTERACTION)


def _media_request(interaction_id: str) -> Request[MediaFile]:
    return Request(
        "GET",
        f"{_path(interaction_id)}/media",
        same,
        headers={"Accept": "*/*"},
        decode=file_from,
    )


def _path(interaction_id: str) -> str:
    return f"/api/interactions/{segment('interaction_id', interaction_id)}"


class Interactions:
    """Messages, how they were understood and what was said in return."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def list(
        self, channel: str | None = None, action: Action | None = None, limit: int = PAGE_SIZE
    ) -> Iterator[Interaction]:
        """Of all people, newest first; only of that ``channel`` and with that verdict, if given.

        Pages are asked for as you get there, ``limit`` interactions at a time, 1 to 200.
        """
        return rows_of(self._send, _listing(channel, action, limit))

    def get(self, interaction_id: str) -> Interaction:
        """One interaction. Raises NotFoundError."""
        return self._send(_get_request(interaction_id))

    def media(self, interaction_id: str) -> MediaFile:
        """The file that came with the message, whole in memory; Meta has it for 7 days.

        Raises NotFoundError without a file or when it is gone; ValidationError (413) when it is
        larger than the server passes on; ServerError when it is not what the person sent.
        """
        return self._send(_media_request(interaction_id))


class AsyncInteractions:
    """Messages, how they were understood and what was said in return."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list(
        self, channel: str | None = None, action: Action | None = None, limit: int = PAGE_SIZE
    ) -> AsyncIterator[Interaction]:
        """Of all people, newest first; only of that ``channel`` and with that verdict, if given.

        Pages are asked for as you get there, ``limit`` interactions at a time, 1 to 200.
        """
        return async_rows_of(self._send, _listing(channel, action, limit))

    async def get(self, interaction_id: str) -> Interaction:
        """One interaction. Raises NotFoundError."""
        return await self._send(_get_request(interaction_id))

    async def media(self, interaction_id: str) -> MediaFile:
        """The file that came with the message, whole in memory; Meta has it for 7 days.

        Raises NotFoundError without a file or when it is gone; ValidationError (413) when it is
        larger than the server passes on; ServerError when it is not what the person sent.
        """
        return await self._send(_media_request(interaction_id))
