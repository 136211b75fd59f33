"""``client.channels``: connected numbers, in both manners of calling."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

from humane_ai._core import AsyncSend, Request, Send, given, json_from, nothing, segment
from humane_ai._doctor import CheckReport, Finding, SetupReport
from humane_ai._errors import InvalidArgumentError
from humane_ai._paging import Listing, async_rows_of, rows_of
from humane_ai._reading import read
from humane_ai._types import Activity, Audit, Channel, read_channel

R = TypeVar("R")

_ALL = Listing("/api/channels", "channels", read_channel)


def _create_request(**values: Any) -> Request[Channel]:
    body = _body(type="whatsapp", **values)
    return Request.with_body("POST", "/api/channels", read_channel, body)


def _body(*, window_template: str | None, **values: Any) -> dict[str, Any]:
    """What is given; an empty template is null on the wire, which takes it away."""
    body = given(**values)
    if window_template is not None:
        body["window_template"] = window_template or None
    return body


def _with_etag(headers: Mapping[str, str], body: bytes) -> Any:
    data = json_from(headers, body)
    return {**data, "etag": headers["etag"]} if "etag" in headers else data


def _get_request(channel_id: str) -> Request[Channel]:
    return Request("GET", _path(channel_id), read_channel, decode=_with_etag)


def _update_request(
    channel_id: str, *, rotate: bool, if_match: str | None, **changes: Any
) -> Request[Channel]:
    body = _body(**changes, rotate_verify_token=rotate or None)
    if not body:
        raise InvalidArgumentError("update() was given nothing to change.")
    request = Request.with_body("PATCH", _path(channel_id), read_channel, body)
    return replace(_matching(request, if_match), decode=_with_etag)


def _delete_request(channel_id: str, if_match: str | None) -> Request[None]:
    return _matching(Request.deletion(_path(channel_id), nothing), if_match)


def _matching(request: Request[R], etag: str | None) -> Request[R]:
    return replace(request, headers={**request.headers, **given(**{"If-Match": etag})})


def _audit_request(channel_id: str, limit: int) -> Request[list[Audit]]:
    return Request(
        "GET",
        f"{_path(channel_id)}/audit",
        lambda data: [read(Audit, item) for item in data["audit"]],
        params={"limit": limit},
    )


def _activity_request(channel_id: str) -> Request[list[Activity]]:
    return Request(
        "GET",
        f"{_path(channel_id)}/activity",
        lambda data: [read(Activity, item) for item in data["activity"]],
    )


def _diagnosis_request(channel_id: str) -> Request[Finding]:
    return Request(
        "GET",
        f"{_path(channel_id)}/activity",
        lambda data: read(Finding, data["diagnosis"]),
        params={"limit": 1},
    )


def _check_request(channel_id: str, **values: Any) -> Request[CheckReport]:
    return Request.with_body(
        "POST",
        f"{_path(channel_id)}/check",
        lambda data: read(CheckReport, data),
        given(**values),
    )


def _setup_request(channel_id: str, **values: Any) -> Request[SetupReport]:
    return Request.with_body(
        "POST",
        f"{_path(channel_id)}/setup",
        lambda data: read(SetupReport, data),
        given(**values),
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
        reply_debounce_ms: int | None = None,
        echo_pause_s: int | None = None,
        read_receipts: bool | None = None,
        messages_per_second: int | None = None,
        window_template: str | None = None,
        window_template_language: str | None = None,
        appsecret_proof: bool | None = None,
        public_base_url: str | None = None,
        subscribe: bool = False,
        check: bool = False,
    ) -> Channel:
        """Connect a number. ``verify_token`` of the result is shown this once: keep it.

        ``phone_number_id``, ``access_token``, ``app_secret`` and ``waba_id`` are Meta's. With
        ``auto_reply`` each message is answered on WhatsApp. What is not given has its default:

        - ``reply_debounce_ms``: how long a person must be silent before a burst of messages is
          answered as one, 0 to 10,000 (1200); 0 answers each message by itself.
        - ``echo_pause_s``: how long the machine is silent after a human of the business wrote from
          the phone app, 0 to 604,800 (3600).
        - ``read_receipts``: blue ticks and the typing indicator (True).
        - ``messages_per_second``: Meta's throughput of the number, 1 to 1,000 (80); 20 for a number
          that is used in the phone app too.
        - ``window_template``, ``window_template_language``: an approved template that is sent when
          a person wrote more than 24 hours ago, and its language (none, "en_US").
        - ``appsecret_proof``: prove the app secret with every call to Meta (False); the access
          token must be of the same app.

        With ``public_base_url``, where Meta reaches this API ("https://your-host"), the webhook is
        set at Meta in the same call; with ``subscribe`` the WhatsApp Business Account is subscribed
        to the app. ``setup`` of the result says how that went. With ``check`` the doctor looks at
        the new channel, and ``check`` of the result says what it found. The channel is there either
        way.
        """
        return self._send(
            _create_request(
                phone_number_id=phone_number_id,
                access_token=access_token,
                app_secret=app_secret,
                label=label,
                auto_reply=auto_reply,
                waba_id=waba_id,
                reply_debounce_ms=reply_debounce_ms,
                echo_pause_s=echo_pause_s,
                read_receipts=read_receipts,
                messages_per_second=messages_per_second,
                window_template=window_template,
                window_template_language=window_template_language,
                appsecret_proof=appsecret_proof,
                public_base_url=public_base_url,
                subscribe=subscribe or None,
                check=check or None,
            )
        )

    def list(self) -> list[Channel]:
        """All channels of this key's tenant."""
        return list(rows_of(self._send, _ALL))

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
        waba_id: str | None = None,
        rotate_verify_token: bool = False,
        reply_debounce_ms: int | None = None,
        echo_pause_s: int | None = None,
        read_receipts: bool | None = None,
        messages_per_second: int | None = None,
        window_template: str | None = None,
        window_template_language: str | None = None,
        appsecret_proof: bool | None = None,
        health: Literal["ok"] | None = None,
        state: Literal["active", "disabled"] | None = None,
        if_match: str | None = None,
    ) -> Channel:
        """Change what is given and leave the rest. Raises NotFoundError.

        With ``rotate_verify_token`` the result shows the new token, this once. The settings are
        those of ``create_whatsapp``; an empty ``window_template`` takes the template away. A new
        ``access_token`` ends the problems that the old one had; ``health="ok"`` ends every problem
        and tries again now, whatever Meta said. A channel that is "disabled" takes nothing in and
        says nothing, and keeps its credentials. Replaced secrets and verify tokens stay valid for a
        day, so that nothing on its way is refused.

        ``if_match``: the ``etag`` of the Channel that you read; ConflictError when it was changed
        since.
        """
        return self._send(
            _update_request(
                channel_id,
                label=label,
                auto_reply=auto_reply,
                access_token=access_token,
                app_secret=app_secret,
                waba_id=waba_id,
                rotate=rotate_verify_token,
                reply_debounce_ms=reply_debounce_ms,
                echo_pause_s=echo_pause_s,
                read_receipts=read_receipts,
                messages_per_second=messages_per_second,
                window_template=window_template,
                window_template_language=window_template_language,
                appsecret_proof=appsecret_proof,
                health=health,
                state=state,
                if_match=if_match,
            )
        )

    def delete(self, channel_id: str, *, if_match: str | None = None) -> None:
        """Destroy its credentials at once and forget the channel; conversations stay.

        ``if_match`` as for ``update``. Raises NotFoundError, ConflictError.
        """
        self._send(_delete_request(channel_id, if_match))

    def activity(self, channel_id: str) -> builtins.list[Activity]:
        """What happened at its webhook. Raises NotFoundError."""
        return self._send(_activity_request(channel_id))

    def audit(self, channel_id: str, limit: int = 100) -> builtins.list[Audit]:
        """Who changed what of it, newest first, never the values; ``limit`` 1 to 500.

        It outlives the channel. Raises NotFoundError.
        """
        return self._send(_audit_request(channel_id, limit))

    def check(self, channel_id: str, *, public_base_url: str | None = None) -> CheckReport:
        """Ask Meta and our own records what is wrong with it, and what to click.

        ``public_base_url`` is where Meta should reach this API; with it the webhook's address is
        compared and tried. Raises NotFoundError, RateLimitError.
        """
        return self._send(_check_request(channel_id, public_base_url=public_base_url))

    def setup(
        self, channel_id: str, *, public_base_url: str | None = None, subscribe: bool = True
    ) -> SetupReport:
        """Set the number's webhook at Meta, subscribe its account, wait for Meta's handshake.

        What did not succeed is in the report, with what to click. Raises NotFoundError,
        RateLimitError, and ValidationError for an address that Meta would not take.
        """
        return self._send(
            _setup_request(channel_id, public_base_url=public_base_url, subscribe=subscribe)
        )

    def diagnosis(self, channel_id: str) -> Finding:
        """Why no message arrives, judged by what did arrive at its webhook. Raises NotFoundError."""
        return self._send(_diagnosis_request(channel_id))


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
        reply_debounce_ms: int | None = None,
        echo_pause_s: int | None = None,
        read_receipts: bool | None = None,
        messages_per_second: int | None = None,
        window_template: str | None = None,
        window_template_language: str | None = None,
        appsecret_proof: bool | None = None,
        public_base_url: str | None = None,
        subscribe: bool = False,
        check: bool = False,
    ) -> Channel:
        """Connect a number. ``verify_token`` of the result is shown this once: keep it.

        ``phone_number_id``, ``access_token``, ``app_secret`` and ``waba_id`` are Meta's. With
        ``auto_reply`` each message is answered on WhatsApp. What is not given has its default:

        - ``reply_debounce_ms``: how long a person must be silent before a burst of messages is
          answered as one, 0 to 10,000 (1200); 0 answers each message by itself.
        - ``echo_pause_s``: how long the machine is silent after a human of the business wrote from
          the phone app, 0 to 604,800 (3600).
        - ``read_receipts``: blue ticks and the typing indicator (True).
        - ``messages_per_second``: Meta's throughput of the number, 1 to 1,000 (80); 20 for a number
          that is used in the phone app too.
        - ``window_template``, ``window_template_language``: an approved template that is sent when
          a person wrote more than 24 hours ago, and its language (none, "en_US").
        - ``appsecret_proof``: prove the app secret with every call to Meta (False); the access
          token must be of the same app.

        With ``public_base_url``, where Meta reaches this API ("https://your-host"), the webhook is
        set at Meta in the same call; with ``subscribe`` the WhatsApp Business Account is subscribed
        to the app. ``setup`` of the result says how that went. With ``check`` the doctor looks at
        the new channel, and ``check`` of the result says what it found. The channel is there either
        way.
        """
        return await self._send(
            _create_request(
                phone_number_id=phone_number_id,
                access_token=access_token,
                app_secret=app_secret,
                label=label,
                auto_reply=auto_reply,
                waba_id=waba_id,
                reply_debounce_ms=reply_debounce_ms,
                echo_pause_s=echo_pause_s,
                read_receipts=read_receipts,
                messages_per_second=messages_per_second,
                window_template=window_template,
                window_template_language=window_template_language,
                appsecret_proof=appsecret_proof,
                public_base_url=public_base_url,
                subscribe=subscribe or None,
                check=check or None,
            )
        )

    async def list(self) -> list[Channel]:
        """All channels of this key's tenant."""
        return [channel async for channel in async_rows_of(self._send, _ALL)]

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
        waba_id: str | None = None,
        rotate_verify_token: bool = False,
        reply_debounce_ms: int | None = None,
        echo_pause_s: int | None = None,
        read_receipts: bool | None = None,
        messages_per_second: int | None = None,
        window_template: str | None = None,
        window_template_language: str | None = None,
        appsecret_proof: bool | None = None,
        health: Literal["ok"] | None = None,
        state: Literal["active", "disabled"] | None = None,
        if_match: str | None = None,
    ) -> Channel:
        """Change what is given and leave the rest. Raises NotFoundError.

        With ``rotate_verify_token`` the result shows the new token, this once. The settings are
        those of ``create_whatsapp``; an empty ``window_template`` takes the template away. A new
        ``access_token`` ends the problems that the old one had; ``health="ok"`` ends every problem
        and tries again now, whatever Meta said. A channel that is "disabled" takes nothing in and
        says nothing, and keeps its credentials. Replaced secrets and verify tokens stay valid for a
        day, so that nothing on its way is refused.

        ``if_match``: the ``etag`` of the Channel that you read; ConflictError when it was changed
        since.
        """
        return await self._send(
            _update_request(
                channel_id,
                label=label,
                auto_reply=auto_reply,
                access_token=access_token,
                app_secret=app_secret,
                waba_id=waba_id,
                rotate=rotate_verify_token,
                reply_debounce_ms=reply_debounce_ms,
                echo_pause_s=echo_pause_s,
                read_receipts=read_receipts,
                messages_per_second=messages_per_second,
                window_template=window_template,
                window_template_language=window_template_language,
                appsecret_proof=appsecret_proof,
                health=health,
                state=state,
                if_match=if_match,
            )
        )

    async def delete(self, channel_id: str, *, if_match: str | None = None) -> None:
        """Destroy its credentials at once and forget the channel; conversations stay.

        ``if_match`` as for ``update``. Raises NotFoundError, ConflictError.
        """
        await self._send(_delete_request(channel_id, if_match))

    async def activity(self, channel_id: str) -> builtins.list[Activity]:
        """What happened at its webhook. Raises NotFoundError."""
        return await self._send(_activity_request(channel_id))

    async def audit(self, channel_id: str, limit: int = 100) -> builtins.list[Audit]:
        """Who changed what of it, newest first, never the values; ``limit`` 1 to 500.

        It outlives the channel. Raises NotFoundError.
        """
        return await self._send(_audit_request(channel_id, limit))

    async def check(self, channel_id: str, *, public_base_url: str | None = None) -> CheckReport:
        """Ask Meta and our own records what is wrong with it, and what to click.

        ``public_base_url`` is where Meta should reach this API; with it the webhook's address is
        compared and tried. Raises NotFoundError, RateLimitError.
        """
        return await self._send(_check_request(channel_id, public_base_url=public_base_url))

    async def setup(
        self, channel_id: str, *, public_base_url: str | None = None, subscribe: bool = True
    ) -> SetupReport:
        """Set the number's webhook at Meta, subscribe its account, wait for Meta's handshake.

        What did not succeed is in the report, with what to click. Raises NotFoundError,
        RateLimitError, and ValidationError for an address that Meta would not take.
        """
        return await self._send(
            _setup_request(channel_id, public_base_url=public_base_url, subscribe=subscribe)
        )

    async def diagnosis(self, channel_id: str) -> Finding:
        """Why no message arrives, judged by what did arrive at its webhook. Raises NotFoundError."""
        return await self._send(_diagnosis_request(channel_id))
