"""``client.channels``: connected numbers, in both manners of calling."""

from __future__ import annotations

import builtins
from typing import Any

from humane_ai._core import AsyncSend, Request, Send, given, nothing, segment
from humane_ai._errors import InvalidArgumentError
from humane_ai._reading import read
from humane_ai._types import Activity, Channel, read_channel

Page = tuple[list[Channel], "str | None"]


def _create_request(**body: Any) -> Request[Channel]:
    return Request.with_body("POST", "/api/channels", read_channel, given(type="whatsapp", **body))


def _page_request(cursor: str | None) -> Request[Page]:
    def page(data: Any) -> Page:
        return [read_channel(item) for item in data["channels"]], data.get("next_cursor")

    return Request("GET", "/api/channels", page, params=given(cursor=cursor))


def _get_request(channel_id: str) -> Request[Channel]:
    return Request("GET", _path(channel_id), read_channel)


def _update_request(channel_id: str, *, rotate: bool, **changes: Any) -> Request[Channel]:
    body = given(**changes, rotate_verify_token=rotate or None)
    if not body:
        raise InvalidArgumentError("update() was given nothing to change.")
    return Request.with_body("PATCH", _path(channel_id), read_channel, body)


def _delete_request(channel_id: str) -> Request[None]:
    return Request("DELETE", _path(channel_id), nothing)


def _activity_request(channel_id: str) -> Request[list[Activity]]:
    return Request(
        "GET",
        f"{_path(channel_id)}/activity",
        lambda data: [read(Activity, item) for item in data["activity"]],
    )


def _path(channel_id: str) -> str:
    return f"/api/channels/{segment('channel_id', channel_id)}"


class Channels:
    """Connected numbers."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def create_whatsapp(
        self,
        *,
        phone_number_id: str,
        access_token: str,
        app_secret: str,
        label: str | None = None,
        auto_reply: bool = False,
        waba_id: str | None = None,
    ) -> Channel:
        """Connect a number. ``verify_token`` of the result is shown this once: keep it.

        ``phone_number_id``, ``access_token``, ``app_secret`` and ``waba_id`` are Meta's. With
        ``auto_reply`` each message is answered on WhatsApp.
        """
        return self._send(
            _create_request(
                phone_number_id=phone_number_id,
                access_token=access_token,
                app_secret=app_secret,
                label=label,
                auto_reply=auto_reply,
                waba_id=waba_id,
            )
        )

    def list(self) -> list[Channel]:
        """All channels of this key's tenant."""
        found, cursor = self._send(_page_request(None))
        while cursor:
            page, cursor = self._send(_page_request(cursor))
            found += page
        return found

    def get(self, channel_id: str) -> Channel:
        """One channel. Raises NotFoundError."""
        return self._send(_get_request(channel_id))

    def update(
        self,
        channel_id: str,
        *,
        label: str | None = None,
        auto_reply: bool | None = None,
        access_token: str | None = None,
        app_secret: str | None = None,
        rotate_verify_token: bool = False,
    ) -> Channel:
        """Change what is given and leave the rest. Raises NotFoundError.

        With ``rotate_verify_token`` the result shows the new token, this once.
        """
        return self._send(
            _update_request(
                channel_id,
                label=label,
                auto_reply=auto_reply,
                access_token=access_token,
                app_secret=app_secret,
                rotate=rotate_verify_token,
            )
        )

    def delete(self, channel_id: str) -> None:
        """Destroy its credentials at once and forget the channel. Raises NotFoundError."""
        self._send(_delete_request(channel_id))

    def activity(self, channel_id: str) -> builtins.list[Activity]:
        """What happened at its webhook. Raises NotFoundError."""
        return self._send(_activity_request(channel_id))


class AsyncChannels:
    """Connected numbers."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def create_whatsapp(
        self,
        *,
        phone_number_id: str,
        access_token: str,
        app_secret: str,
        label: str | None = None,
        auto_reply: bool = False,
        waba_id: str | None = None,
    ) -> Channel:
        """Connect a number. ``verify_token`` of the result is shown this once: keep it.

        ``phone_number_id``, ``access_token``, ``app_secret`` and ``waba_id`` are Meta's. With
        ``auto_reply`` each message is answered on WhatsApp.
        """
        return await self._send(
            _create_request(
                phone_number_id=phone_number_id,
                access_token=access_token,
                app_secret=app_secret,
                label=label,
                auto_reply=auto_reply,
                waba_id=waba_id,
            )
        )

    async def list(self) -> list[Channel]:
        """All channels of this key's tenant."""
        found, cursor = await self._send(_page_request(None))
        while cursor:
            page, cursor = await self._send(_page_request(cursor))
            found += page
        return found

    async def get(self, channel_id: str) -> Channel:
        """One channel. Raises NotFoundError."""
        return await self._send(_get_request(channel_id))

    async def update(
        self,
        channel_id: str,
        *,
        label: str | None = None,
        auto_reply: bool | None = None,
        access_token: str | None = None,
        app_secret: str | None = None,
        rotate_verify_token: bool = False,
    ) -> Channel:
        """Change what is given and leave the rest. Raises NotFoundError.

        With ``rotate_verify_token`` the result shows the new token, this once.
        """
        return await self._send(
            _update_request(
                channel_id,
                label=label,
                auto_reply=auto_reply,
                access_token=access_token,
                app_secret=app_secret,
                rotate=rotate_verify_token,
            )
        )

    async def delete(self, channel_id: str) -> None:
        """Destroy its credentials at once and forget the channel. Raises NotFoundError."""
        await self._send(_delete_request(channel_id))

    async def activity(self, channel_id: str) -> builtins.list[Activity]:
        """What happened at its webhook. Raises NotFoundError."""
        return await self._send(_activity_request(channel_id))
