"""Meta's two requests: the handshake and the webhook. Nothing is answered 200 before it is kept."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from time import perf_counter
from typing import Any, Literal

import structlog
from aiohttp import web
from pydantic import BaseModel, Field, RootModel
from typing_extensions import TypedDict

from ingress.adapters.activity import Activity
from ingress.domain.decode import MalformedError, decode
from ingress.domain.handshake import Outcome, hash_of_ours, judge
from ingress.domain.messages import Notice, UserMessage
from ingress.domain.signature import Refusal, refusal
from ingress.domain.split import AccountNotice, Split, split
from ingress.domain.statuses import Status
from shared.bus.port import Bus, BusError, Publication
from shared.bus.topology import (
    ACTIVITY,
    INBOUND,
    INBOUND_LANES,
    OUTBOUND,
    OUTBOUND_LANES,
    lane_key,
)
from shared.cache import SourceUnavailableError
from shared.clock import Clock
from shared.contracts import (
    ChannelAccountNoticeReceived,
    DeliveryStatusReceived,
    Envelope,
    InboundMessageReceived,
    InboundNoticeReceived,
    Payload,
)
from shared.http.internal import ChannelForIngress
from shared.http.operations import Header, Operation
from shared.http.problem import Problem, not_found, read_body
from shared.http.throttle import Throttle, too_many_failures
from shared.telemetry.metrics import Metrics
from shared.telemetry.trace import current_traceparent

log = structlog.get_logger()

BODY_LIMIT_BYTES = 3 * 1024 * 1024
"""Meta's own maximum."""
LONGEST_CHALLENGE = 256
WRONG = "tokens or signatures"
EXTRA_TIMEOUT_S_PER_MESSAGE = 0.005
"""A full batch of 1,000 gets 5 s more than a single message."""

ACCEPTED = b'{"status":"accepted"}'
IGNORED = b'{"status":"ignored"}'

FindChannel = Callable[[str], Awaitable[ChannelForIngress | None]]


SIGNATURE = Header(
    "X-Hub-Signature-256",
    "`sha256=` and the HMAC-SHA256 of the body's bytes under the app secret, in hex.",
    required=True,
)


class HandshakeQuery(BaseModel):
    """What Meta asks."""

    mode: str = Field(default="", alias="hub.mode", description="`subscribe`.")
    verify_token: str = Field(default="", alias="hub.verify_token")
    challenge: str = Field(default="", alias="hub.challenge", max_length=LONGEST_CHALLENGE)


class Notification(RootModel[dict[str, Any]]):
    """A webhook, as Meta's Cloud API documents it; at most 3 MiB."""


class Received(TypedDict):
    """`ignored`: nothing in it was a person's message."""

    status: Literal["accepted", "ignored"]


class Webhook:
    """Handlers of ``/api/ingress/whatsapp/{integration_id}``."""

    def __init__(
        self,
        find_channel: FindChannel,
        bus: Bus,
        activity: Activity,
        metrics: Metrics,
        clock: Clock,
        publish_timeout_s: float,
        throttle: Throttle,
    ) -> None:
        self._throttle = throttle
        self._find_channel = find_channel
        self._bus = bus
        self._activity = activity
        self._metrics = metrics
        self._clock = clock
        self._publish_timeout_s = publish_timeout_s

    def operations(self) -> list[Operation]:
        """Both routes."""
        path = "/api/ingress/whatsapp/{integration_id}"
        return [
            Operation(
                *("GET", path, self.handshake, None),
                answer=str,
                media_type="text/plain",
                query=HandshakeQuery,
                keyless=True,
                problems=(
                    (403, "handshake-refused"),
                    (429, "too-many-failures"),
                    (503, "not-kept"),
                ),
            ),
            Operation(
                *("POST", path, self.webhook, None),
                answer=Received,
                body=Notification,
                body_unread=True,
                headers=(SIGNATURE,),
                keyless=True,
                problems=(
                    (401, "bad-signature"),
                    (429, "too-many-failures"),
                    (503, "not-kept"),
                ),
            ),
        ]

    async def handshake(self, request: web.Request) -> web.Response:
        """Meta's question whether the address is ours: the challenge, verbatim.

        A 403 is the same whatever was wrong.
        """
        integration_id = request.match_info["integration_id"]
        wait_s = self._throttle.wait_s(request)
        if wait_s:
            self._metrics.handshakes.labels("throttled").inc()
            raise too_many_failures(WRONG, wait_s)
        channel = await self._channel(integration_id)
        if channel is None:
            self._throttle.failed(request)
            self._tell_astray(request)
            self._refused_handshake("unknown_integration", integration_id)
            raise _forbidden()
        outcome = judge(
            request.query.get("hub.mode", ""),
            request.query.get("hub.verify_token", ""),
            channel.verify_token_hashes(self._clock()),
        )
        self._activity.handshake(channel, outcome)
        challenge = request.query.get("hub.challenge", "")
        if outcome is not Outcome.VERIFIED or len(challenge) > LONGEST_CHALLENGE:
            self._throttle.failed(request)
            if outcome is Outcome.TOKEN_MISMATCH:
                self._tell_astray(request)
            self._refused_handshake(outcome.value, channel.channel_id)
            raise _forbidden()
        self._metrics.handshakes.labels(outcome.value).inc()
        log.info("handshake", outcome=outcome.value, channel_id=channel.channel_id)
        return web.Response(
            text=challenge,
            content_type="text/plain",
            headers={"X-Content-Type-Options": "nosniff"},
        )

    def _tell_astray(self, request: web.Request) -> None:
        """It may be another channel's token: that one's operator typed a wrong address."""
        token_hash = hash_of_ours(request.query.get("hub.verify_token", ""))
        if token_hash is not None and request.query.get("hub.mode") == "subscribe":
            self._activity.astray(token_hash)

    def _refused_handshake(self, outcome: str, integration_id: str) -> None:
        self._metrics.handshakes.labels(outcome).inc()
        log.warning("handshake", outcome=outcome, channel_id=integration_id[:64])

    async def webhook(self, request: web.Request) -> web.Response:
        """What Meta tells: messages, reactions, deliveries and the like.

        200 once all of it is kept; a 503 has Meta repeat it, for seven days.
        """
        began = perf_counter()
        try:
            outcome, answer = await self._receive(request)
        except web.HTTPRequestEntityTooLarge:
            self._metrics.webhooks.labels("too_large").inc()
            raise
        self._metrics.webhooks.labels(outcome).inc()
        self._metrics.webhook_seconds.observe(perf_counter() - began)
        return answer

    async def _receive(self, request: web.Request) -> tuple[str, web.Response]:
        body = await read_body(request)
        channel = await self._channel(request.match_info["integration_id"])
        if channel is None:
            self._metrics.webhooks.labels("unknown_channel").inc()
            raise not_found("integration")
        secrets = channel.app_secrets(self._clock())
        refused = refusal(body, request.headers.get(SIGNATURE.name), secrets)
        if refused is not None:
            raise self._refused(request, channel, refused)
        try:
            content = decode(body)
        except MalformedError:
            log.warning("webhook_malformed", channel_id=channel.channel_id, bytes=len(body))
            return "malformed", _ok(IGNORED)
        found = split(
            content,
            channel_id=channel.channel_id,
            phone_number_id=channel.phone_number_id,
            waba_id=channel.waba_id,
        )
        await self._publish(channel, found)
        self._count(channel, found)
        if found.messages:
            return "accepted", _ok(ACCEPTED)
        return "ignored", _ok(IGNORED)

    def _refused(
        self, request: web.Request, channel: ChannelForIngress, refused: Refusal
    ) -> Problem:
        """401, and 429 without a word in log or activity once an address has been wrong too often.

        The signature is checked all the same: a right one is taken from any address.
        """
        wait_s = self._throttle.wait_s(request)
        if wait_s:
            self._metrics.webhooks.labels("throttled").inc()
            return too_many_failures(WRONG, wait_s)
        self._throttle.failed(request)
        log.warning("webhook_refused", reason=refused.value, channel_id=channel.channel_id)
        self._activity.bad_signature(channel, refused)
        self._metrics.webhooks.labels(f"unauthorized_{refused.value}").inc()
        return Problem(401, "bad-signature", "The signature is missing or wrong.")

    async def _channel(self, integration_id: str) -> ChannelForIngress | None:
        try:
            return await self._find_channel(integration_id)
        except SourceUnavailableError:
            self._metrics.webhooks.labels("unavailable").inc()
            log.warning("secrets_unavailable", channel_id=integration_id[:64])
            raise _unavailable() from None

    async def _publish(self, channel: ChannelForIngress, found: Split) -> None:
        now = self._clock()
        parts: list[UserMessage | Notice] = [*found.messages, *found.notices]
        publications = [_inbound(channel, part, now) for part in parts]
        publications += [_status_received(channel, s, now) for s in found.statuses]
        publications += [_account_noticed(channel, a, now) for a in found.account]
        timeout_s = self._publish_timeout_s + EXTRA_TIMEOUT_S_PER_MESSAGE * len(publications)
        try:
            await self._bus.publish_all(publications, timeout_s=timeout_s)
        except BusError as error:
            self._metrics.webhooks.labels("unavailable").inc()
            log.error(
                "webhook_not_kept",
                error=type(error).__name__,
                channel_id=channel.channel_id,
                messages=len(publications),
            )
            raise _unavailable() from None

    def _count(self, channel: ChannelForIngress, found: Split) -> None:
        items = self._metrics.webhook_items
        items.labels("message").inc(len(found.messages))
        items.labels("notice").inc(len(found.notices) + len(found.account))
        items.labels("status").inc(len(found.statuses))
        items.labels("ignored").inc(found.ignored)
        items.labels("foreign").inc(found.foreign)
        if found.foreign:
            log.warning(
                "foreign_number_dropped", channel_id=channel.channel_id, parts=found.foreign
            )
        self._activity.delivery(channel, found)


def _inbound(channel: ChannelForIngress, part: UserMessage | Notice, now: datetime) -> Publication:
    common: dict[str, Any] = {
        "channel_id": channel.channel_id,
        "provider_message_id": part.provider_message_id,
        "conversation_key": part.conversation_key,
        "phone_number_id": channel.phone_number_id,
        "received_at": now,
        "auto_reply": channel.auto_reply,
        "message": part.message,
        "contact": part.contact,
    }
    payload: Payload
    if isinstance(part, UserMessage):
        payload = InboundMessageReceived(**common, reply_debounce_ms=channel.reply_debounce_ms)
    else:
        payload = InboundNoticeReceived(
            **common, notice=part.kind, echo_pause_s=channel.echo_pause_s
        )
    lane = lane_key(part.conversation_key, INBOUND_LANES)
    return Publication(INBOUND, lane, _enveloped(channel, payload, part.event_id, now))


def _account_noticed(
    channel: ChannelForIngress, notice: AccountNotice, now: datetime
) -> Publication:
    received = ChannelAccountNoticeReceived(
        channel_id=channel.channel_id,
        account_id=notice.account_id,
        topic=notice.topic,
        notice=notice.notice,
        received_at=now,
    )
    envelope = _enveloped(channel, received, notice.event_id, now)
    return Publication(ACTIVITY, "channel.account_notice", envelope)


def _status_received(channel: ChannelForIngress, status: Status, now: datetime) -> Publication:
    received = DeliveryStatusReceived(
        channel_id=channel.channel_id,
        conversation_key=status.conversation_key,
        provider_message_id=status.provider_message_id,
        status=status.status,
        provider_timestamp=status.at,
        recipient=status.recipient,
        delivery_id=status.delivery_id,
        error_codes=status.error_codes,
    )
    lane = lane_key(status.conversation_key, OUTBOUND_LANES)
    return Publication(OUTBOUND, lane, _enveloped(channel, received, status.event_id, now))


def _enveloped(
    channel: ChannelForIngress, payload: Payload, event_id: str, now: datetime
) -> Envelope:
    return Envelope.of(
        payload,
        id=event_id,
        source="ingress",
        subject=channel.channel_id,
        tenant=channel.tenant,
        time=now,
        traceparent=current_traceparent(),
    )


def _ok(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _forbidden() -> Problem:
    return Problem(403, "handshake-refused", "Verification failed.")


def _unavailable() -> Problem:
    return Problem(
        503,
        "not-kept",
        "The message could not be kept right now. Send it again.",
        headers={"Retry-After": "5"},
    )
