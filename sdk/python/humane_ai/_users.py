"""``client.users``: people, what is known of them, and what a human says to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from humane_ai._core import AsyncSend, Request, Send, given, person_path
from humane_ai._errors import InvalidArgumentError
from humane_ai._interactions import READ_INTERACTION
from humane_ai._memories import LIMIT, memories_request
from humane_ai._paging import PAGE_SIZE, Listing, async_rows_of, rows_of
from humane_ai._reading import read
from humane_ai._records import Action, Interaction, Memories, Mood, OutgoingMessage, User

_read_user = partial(read, User)
_read_message = partial(read, OutgoingMessage)


def _listing(
    q: str | None,
    channel: str | None,
    action: Action | None,
    mood: Mood | None,
    seen_since: datetime | None,
    limit: int,
) -> Listing[User]:
    since = None if seen_since is None else _moment("seen_since", seen_since)
    params = given(q=q, channel=channel, action=action, mood=mood, seen_since=since, limit=limit)
    return Listing("/api/users", "users", _read_user, params)


def _moment(name: str, at: datetime) -> str:
    """As the API takes it. Raises InvalidArgumentError without a time zone."""
    if at.utcoffset() is None:
        raise InvalidArgumentError(
            f"{name} needs a time zone: datetime.now(timezone.utc) + timedelta(hours=1), say."
        )
    return at.isoformat()


def _get_request(user_id: str) -> Request[User]:
    return Request("GET", person_path(user_id), _read_user)


def _auto_reply_request(user_id: str, auto_reply: Any) -> Request[User]:
    body = {"auto_reply": auto_reply}
    return Request.with_body("PATCH", person_path(user_id), _read_user, body)


def _pause_request(user_id: str, until: datetime | None) -> Request[User]:
    if until is None:
        return _auto_reply_request(user_id, "paused")
    return _auto_reply_request(user_id, {"paused_until": _moment("until", until)})


def _send_request(
    user_id: str,
    *,
    text: str | None,
    template: str | Mapping[str, Any] | None,
    channel_id: str | None,
    pause_s: int | None,
    idempotency_key: str | None,
) -> Request[OutgoingMessage]:
    if (text is None) == (template is None):
        raise InvalidArgumentError("send() needs text or template, one of them.")
    named = {"name": template} if isinstance(template, str) else template
    return Request.with_body(
        "POST",
        f"{person_path(user_id)}/messages",
        _read_message,
        given(
            text=text,
            template=None if named is None else dict(named),
            channel_id=channel_id,
            pause_s=pause_s,
        ),
        idempotency_key=idempotency_key,
    )


def _messages(user_id: str, limit: int) -> Listing[OutgoingMessage]:
    return Listing(f"{person_path(user_id)}/messages", "messages", _read_message, {"limit": limit})


def _interactions(user_id: str, action: Action | None, limit: int) -> Listing[Interaction]:
    return Listing(
        f"{person_path(user_id)}/interactions",
        "interactions",
        READ_INTERACTION,
        given(action=action, limit=limit),
    )


class Users:
    """People. A ``user_id`` is the ``id`` of a User, your own id of the person, or their phone."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def list(
        self,
        channel: str | None = None,
        limit: int = PAGE_SIZE,
        *,
        q: str | None = None,
        action: Action | None = None,
        mood: Mood | None = None,
        seen_since: datetime | None = None,
    ) -> Iterator[User]:
        """Everybody, last seen first; ``channel``: only those met there, such as "whatsapp".

        ``q``: only those of whose names, numbers or ids a word begins so. ``action`` is the verdict on
        their last message, ``mood`` how they were after it, ``seen_since`` a moment with a time zone.
        Pages are asked for as you get there, ``limit`` people at a time, 1 to 200.
        """
        return rows_of(self._send, _listing(q, channel, action, mood, seen_since, limit))

    def get(self, user_id: str) -> User:
        """One person, their state at this moment. Raises NotFoundError."""
        return self._send(_get_request(user_id))

    def pause(self, user_id: str, until: datetime | None = None) -> User:
        """Keep the machine silent for this person; a cry for help is answered all the same.

        ``until`` is a moment with a time zone; without it, until ``resume``. Raises NotFoundError,
        and ConflictError when the person writes at that very moment: try again.
        """
        return self._send(_pause_request(user_id, until))

    def resume(self, user_id: str) -> User:
        """Let the machine answer again. Raises as ``pause`` does."""
        return self._send(_auto_reply_request(user_id, "on"))

    def send(
        self,
        user_id: str,
        *,
        text: str | None = None,
        template: str | Mapping[str, Any] | None = None,
        channel_id: str | None = None,
        pause_s: int | None = None,
        idempotency_key: str | None = None,
    ) -> OutgoingMessage:
        """Write to a person yourself. It is on its way then: ``deliveries`` tell how it fares.

        Either ``text``, 1 to 20,000 characters, within 24 hours of the person's last message; or
        ``template``, one that Meta approved, at any time: its name, or
        ``{"name": ..., "language": "en_US", "components": [...]}`` in Meta's form.
        ``channel_id`` is the number to write from (where the person wrote last). ``pause_s``: how
        long the machine is silent afterwards, 0 to 604,800 (3600). Give an ``idempotency_key``
        where your own program may make the same call again.

        Raises NotFoundError; ConflictError, whose ``slug`` is ``window-closed`` when only a
        template may be sent and ``no-conversation`` when the person never wrote on that channel.
        """
        return self._send(
            _send_request(
                user_id,
                text=text,
                template=template,
                channel_id=channel_id,
                pause_s=pause_s,
                idempotency_key=idempotency_key,
            )
        )

    def messages(self, user_id: str, limit: int = PAGE_SIZE) -> Iterator[OutgoingMessage]:
        """What humans wrote to the person, newest first; ``limit`` a page, 1 to 200."""
        return rows_of(self._send, _messages(user_id, limit))

    def interactions(
        self, user_id: str, action: Action | None = None, limit: int = PAGE_SIZE
    ) -> Iterator[Interaction]:
        """What the person wrote, newest first; ``action``: only those with that verdict.

        Pages are asked for as you get there, ``limit`` interactions at a time, 1 to 200.
        """
        return rows_of(self._send, _interactions(user_id, action, limit))

    def memories(self, user_id: str, query: str | None = None, limit: int = LIMIT) -> Memories:
        """At most ``limit`` (1 to 200) memories: the nearest to ``query``, else the newest.

        Raises NotFoundError.
        """
        return self._send(memories_request(user_id, query, limit))


class AsyncUsers:
    """People. A ``user_id`` is the ``id`` of a User, your own id of the person, or their phone."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list(
        self,
        channel: str | None = None,
        limit: int = PAGE_SIZE,
        *,
        q: str | None = None,
        action: Action | None = None,
        mood: Mood | None = None,
        seen_since: datetime | None = None,
    ) -> AsyncIterator[User]:
        """Everybody, last seen first; ``channel``: only those met there, such as "whatsapp".

        ``q``: only those of whose names, numbers or ids a word begins so. ``action`` is the verdict on
        their last message, ``mood`` how they were after it, ``seen_since`` a moment with a time zone.
        Pages are asked for as you get there, ``limit`` people at a time, 1 to 200.
        """
        return async_rows_of(self._send, _listing(q, channel, action, mood, seen_since, limit))

    async def get(self, user_id: str) -> User:
        """One person, their state at this moment. Raises NotFoundError."""
        return await self._send(_get_request(user_id))

    async def pause(self, user_id: str, until: datetime | None = None) -> User:
        """Keep the machine silent for this person; a cry for help is answered all the same.

        ``until`` is a moment with a time zone; without it, until ``resume``. Raises NotFoundError,
        and ConflictError when the person writes at that very moment: try again.
        """
        return await self._send(_pause_request(user_id, until))

    async def resume(self, user_id: str) -> User:
        """Let the machine answer again. Raises as ``pause`` does."""
        return await self._send(_auto_reply_request(user_id, "on"))

    async def send(
        self,
        user_id: str,
        *,
        text: str | None = None,
        template: str | Mapping[str, Any] | None = None,
        channel_id: str | None = None,
        pause_s: int | None = None,
        idempotency_key: str | None = None,
    ) -> OutgoingMessage:
        """Write to a person yourself. It is on its way then: ``deliveries`` tell how it fares.

        Either ``text``, 1 to 20,000 characters, within 24 hours of the person's last message; or
        ``template``, one that Meta approved, at any time: its name, or
        ``{"name": ..., "language": "en_US", "components": [...]}`` in Meta's form.
        ``channel_id`` is the number to write from (where the person wrote last). ``pause_s``: how
        long the machine is silent afterwards, 0 to 604,800 (3600). Give an ``idempotency_key``
        where your own program may make the same call again.

        Raises NotFoundError; ConflictError, whose ``slug`` is ``window-closed`` when only a
        template may be sent and ``no-conversation`` when the person never wrote on that channel.
        """
        return await self._send(
            _send_request(
                user_id,
                text=text,
                template=template,
                channel_id=channel_id,
                pause_s=pause_s,
                idempotency_key=idempotency_key,
            )
        )

    def messages(self, user_id: str, limit: int = PAGE_SIZE) -> AsyncIterator[OutgoingMessage]:
        """What humans wrote to the person, newest first; ``limit`` a page, 1 to 200."""
        return async_rows_of(self._send, _messages(user_id, limit))

    def interactions(
        self, user_id: str, action: Action | None = None, limit: int = PAGE_SIZE
    ) -> AsyncIterator[Interaction]:
        """What the person wrote, newest first; ``action``: only those with that verdict.

        Pages are asked for as you get there, ``limit`` interactions at a time, 1 to 200.
        """
        return async_rows_of(self._send, _interactions(user_id, action, limit))

    async def memories(
        self, user_id: str, query: str | None = None, limit: int = LIMIT
    ) -> Memories:
        """At most ``limit`` (1 to 200) memories: the nearest to ``query``, else the newest.

        Raises NotFoundError.
        """
        return await self._send(memories_request(user_id, query, limit))
