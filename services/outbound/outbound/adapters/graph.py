"""The Graph API's messages endpoint. Never logs or raises a text, a phone number or a token."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import quote

import aiohttp

from outbound.domain.decide import Accepted, Answer, Fault, Refused, Unanswered, Unreachable
from outbound.domain.deliveries import Delivery
from shared.http.internal import ChannelForOutbound
from shared.telemetry.metrics import Metrics

CONNECT_TIMEOUT_S = 5.0
READ_MARK_TIMEOUT_S = 5.0
ANSWER_CAP_BYTES = 64 * 1024
TRACE_ID_CAP = 64

_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
"""Raised before a connection stood, so surely before a request left."""


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """Where the API is and how long to wait for it."""

    base_url: str
    version: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP answer, unread."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str | None = None
    usage: str | None = None
    """``X-Business-Use-Case-Usage``: JSON by account, with the minutes until access is back."""


def open_session(connections: int) -> aiohttp.ClientSession:
    """A session for the Graph API: no cookies shared between channels, no proxy by accident."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "platform-outbound"},
    )


class GraphClient:
    """Calls in the name of a channel. Failures are answers, not exceptions."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: GraphSettings, metrics: Metrics
    ) -> None:
        self._session = session
        self._root = f"{settings.base_url.rstrip('/')}/{settings.version}"
        self._timeout_s = settings.timeout_s
        self._metrics = metrics

    async def send(self, channel: ChannelForOutbound, delivery: Delivery) -> Answer:
        """Send the delivery's text or template, once."""
        with self._timing("template" if delivery.template else "text") as timing:
            raw = await self._post(channel, message_body(delivery), self._timeout_s)
            answer = acceptance(raw) if isinstance(raw, RawAnswer) else raw
            timing.outcome = _slug(answer)
        return answer

    async def mark_read(
        self, channel: ChannelForOutbound, message_id: str, *, typing: bool
    ) -> Fault | None:
        """Blue ticks and, with ``typing``, the indicator: up to 25 s, gone with the reply."""
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message_id,
        }
        if typing:
            body["typing_indicator"] = {"type": "text"}
        with self._timing("read") as timing:
            raw = await self._post(channel, body, min(READ_MARK_TIMEOUT_S, self._timeout_s))
            fault = refusal(raw) if isinstance(raw, RawAnswer) else raw
            timing.outcome = _slug(fault or Accepted(""))
        return fault

    @contextmanager
    def _timing(self, kind: str) -> Iterator["_Timing"]:
        timing, began = _Timing(), perf_counter()
        try:
            yield timing
        finally:
            self._metrics.graph_seconds.labels(kind, timing.outcome).observe(perf_counter() - began)

    async def _post(
        self, channel: ChannelForOutbound, body: dict[str, Any], timeout_s: float
    ) -> RawAnswer | Unreachable | Unanswered:
        proof = channel.appsecret_proof
        try:
            async with self._session.post(
                f"{self._root}/{quote(channel.phone_number_id, safe='')}/messages",
                params={} if proof is None else {"appsecret_proof": proof},
                json=body,
                headers={"Authorization": f"Bearer {channel.access_token}"},
                timeout=aiohttp.ClientTimeout(
                    total=timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s / 2)
                ),
                allow_redirects=False,
            ) as response:
                return RawAnswer(
                    response.status,
                    await _capped(response),
                    response.headers.get("Retry-After"),
                    response.headers.get("X-Business-Use-Case-Usage"),
                )
        except _NOT_SENT as error:
            return Unreachable(_slug(error))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unanswered(_slug(error))


@dataclass(slots=True)
class _Timing:
    outcome: str = "cancelled"


def _slug(value: object) -> str:
    """A class's name as ``snake_case``; never a message, which may quote a value."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(value).__name__).lower()


def message_body(delivery: Delivery) -> dict[str, Any]:
    """The documented body of a message. ``to`` wins over ``recipient``, so only one is set."""
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_content(delivery),
        "biz_opaque_callback_data": delivery.id,
    }
    if delivery.to_phone:
        # Without the plus, Meta puts the business's own country code before the digits.
        body["to"] = "+" + delivery.to_phone.lstrip("+")
    else:
        body["recipient"] = delivery.to_user_id
    if delivery.context_message_id and not delivery.template:
        body["context"] = {"message_id": delivery.context_message_id}
    return body


def _content(delivery: Delivery) -> dict[str, Any]:
    if not delivery.template:
        return {"type": "text", "text": {"body": delivery.text}}
    template = delivery.template
    content = {"name": template["name"], "language": {"code": template["language"]}}
    if template.get("components"):
        content["components"] = template["components"]
    return {"type": "template", "template": content}


async def _capped(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(8192):
        body += chunk
        if len(body) > ANSWER_CAP_BYTES:
            break
    return bytes(body)


def acceptance(raw: RawAnswer) -> Answer:
    """What an answer to a send says. A 2xx that does not name our message leaves us in doubt."""
    refused = refusal(raw)
    if refused is not None:
        return refused
    data = json_object(raw.body)
    messages = data.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    wamid = first.get("id") if isinstance(first, dict) else None
    if isinstance(wamid, str) and wamid:
        return Accepted(wamid)
    return Unanswered("unreadable_acceptance")


def refusal(raw: RawAnswer) -> Refused | None:
    """What an answer other than 2xx says; None for a 2xx."""
    if 200 <= raw.status < 300:
        return None
    error = json_object(raw.body).get("error")
    if not isinstance(error, dict):
        return Refused(raw.status, retry_after_s=_wait(raw))
    trace_id = error.get("fbtrace_id")
    return Refused(
        raw.status,
        code=_whole(error.get("code")),
        subcode=_whole(error.get("error_subcode")),
        fbtrace_id=trace_id[:TRACE_ID_CAP] if isinstance(trace_id, str) else None,
        retry_after_s=_wait(raw),
        about_proof="appsecret_proof" in str(error.get("message")),
    )


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``; an empty one for anything else, such as a proxy's HTML."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _seconds(header: str | None) -> float | None:
    text = (header or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


def _wait(raw: RawAnswer) -> float | None:
    """How long the provider asks us to wait, by whichever header says more."""
    waits = [_seconds(raw.retry_after), _regained_in_s(raw.usage)]
    return max((wait for wait in waits if wait is not None), default=None)


def _regained_in_s(usage: str | None) -> float | None:
    """Seconds until access is back, the longest of any use case; None when nothing is lost."""
    accounts = json_object((usage or "").encode())
    minutes = [
        case.get("estimated_time_to_regain_access")
        for cases in accounts.values()
        if isinstance(cases, list)
        for case in cases
        if isinstance(case, dict)
    ]
    known = [m for m in minutes if isinstance(m, int) and not isinstance(m, bool) and m > 0]
    return 60.0 * max(known) if known else None
