"""The edge over HTTP: what Meta sees, what is published, what happens when others are away."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from ingress.app import build
from ingress.settings import Settings
from shared.bus.memory import MemoryBus
from shared.bus.port import Bus, BusUnavailableError, Delivery, Publication
from shared.bus.topology import ACTIVITY_QUEUE, BRAIN_LANES, CONTROL, OUTBOUND_LANE_QUEUES
from shared.contracts import (
    ChannelAccountNoticeReceived,
    ChannelChanged,
    Envelope,
    InboundMessageReceived,
    InboundNoticeReceived,
)
from shared.ids import event_id, new_verify_token, secret_hash
from shared.runtime import serving
from shared.settings import load
from tests.support.eventually import eventually

CHANNEL, NUMBER, TOKEN = "mc_one", "1158201444", "service-token-of-32-characters-or-more"
SECRET, VERIFY = "the app secret", "vt_the_verify_token"


class FailingBus(MemoryBus):
    """Refuses to keep anything while ``down``, as a broker without confirms does."""

    down = False

    async def publish_all(
        self, publications: Sequence[Publication], *, timeout_s: float = 10.0
    ) -> None:
        if self.down:
            raise BusUnavailableError("no confirm")
        await super().publish_all(publications, timeout_s=timeout_s)


@dataclass
class World:
    """Ingress with a stand-in for channels-api's internal port, which is outside this unit."""

    bus: FailingBus = field(default_factory=FailingBus)
    url: str = ""
    http: aiohttp.ClientSession = field(init=False)
    published: list[Envelope] = field(default_factory=list)
    activity: list[Envelope] = field(default_factory=list)
    secrets: list[str] = field(default_factory=lambda: [SECRET])
    internal_up: bool = True
    known: bool = True
    asked: int = 0

    async def channel(self, request: web.Request) -> web.Response:
        self.asked += 1
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        if not self.internal_up:
            return web.Response(status=500)
        if not self.known or request.match_info["id"] != CHANNEL:
            return web.Response(status=404)
        return web.json_response(
            {
                "channel_id": CHANNEL,
                "tenant": "t1",
                "phone_number_id": NUMBER,
                "auto_reply": True,
                "app_secrets": [{"value": secret, "until": None} for secret in self.secrets],
                "verify_token_hashes": [{"value": secret_hash(VERIFY), "until": None}],
            }
        )

    async def post(
        self, body: bytes, *, signature: str | None = "right", channel: str = CHANNEL
    ) -> tuple[int, Any]:
        headers = {}
        if signature == "right":
            digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={digest}"
        elif signature is not None:
            headers["X-Hub-Signature-256"] = signature
        url = f"{self.url}/api/ingress/whatsapp/{channel}"
        async with self.http.post(url, data=BytesIO(body), headers=headers) as answer:
            return answer.status, await answer.json()

    async def change(self, change: str) -> None:
        payload = ChannelChanged(channel_id=CHANNEL, version=2, change=change)
        envelope = Envelope.of(payload, source="test", subject=CHANNEL, tenant="t1")
        await self.bus.publish(CONTROL, "channel.changed", envelope)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    app = web.Application()
    app.router.add_get("/internal/channels/{id}/ingress", world.channel)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = load(
        Settings,
        host="127.0.0.1",
        port=0,
        admin_host="127.0.0.1",
        admin_port=0,
        amqp_url="amqp://in-process",
        internal_api_url=f"http://127.0.0.1:{runner.addresses[0][1]}",
        internal_api_token=TOKEN,
    )

    async def open_bus() -> Bus:
        return world.bus

    def keep(into: list[Envelope]) -> Any:
        def on_delivery(delivery: Delivery) -> None:
            into.append(Envelope.decode(delivery.message.body))

        return on_delivery

    async with (
        aiohttp.ClientSession() as world.http,
        serving(settings, build, open_bus=open_bus) as running,
    ):
        world.url = f"http://127.0.0.1:{running.ports['public']}"
        for queue in (*BRAIN_LANES, *OUTBOUND_LANE_QUEUES):
            await world.bus.subscribe(queue, keep(world.published), prefetch=2000)
        await world.bus.subscribe(ACTIVITY_QUEUE, keep(world.activity), prefetch=2000)
        yield world
    await runner.cleanup()


def webhook(*messages: Any, number: str = NUMBER, **parts: Any) -> bytes:
    value = {"metadata": {"phone_number_id": number}, **parts}
    if messages:
        value["messages"] = list(messages)
    change = {"field": "messages", "value": value}
    return json.dumps({"entry": [{"changes": [change]}]}).encode()


def text(number: int, sender: str = "1555") -> dict[str, Any]:
    return {
        "id": f"wamid.{number}",
        "from": sender,
        "type": "text",
        "timestamp": "1",
        "text": {"body": f"héllo {number} 😀"},
    }


async def test_a_message_is_published_before_the_200(world: World) -> None:
    contacts = [{"wa_id": "1555", "profile": {"name": "Ann"}}]
    body = webhook(text(1), contacts=contacts)
    assert await world.post(body) == (200, {"status": "accepted"})
    found = (await eventually(lambda: world.published))[0]
    received = found.payload(InboundMessageReceived)
    assert found.id == event_id(CHANNEL, "wamid.1")
    assert found.tenant == "t1"
    assert found.traceparent is not None
    assert received.message == text(1)
    assert received.contact == contacts[0]
    assert received.auto_reply is True


@pytest.mark.parametrize(
    "signature",
    [None, "", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=" + "g" * 64],
)
async def test_a_forgery_publishes_nothing(world: World, signature: str | None) -> None:
    body = webhook(text(1))
    with capture_logs() as logs:
        status, answer = await world.post(body, signature=signature)
    assert status == 401
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert digest not in repr((answer, logs))
    assert await world.post(webhook(text(2))) == (200, {"status": "accepted"})
    await eventually(lambda: world.published)
    assert [e.payload(InboundMessageReceived).provider_message_id for e in world.published] == [
        "wamid.2"
    ]


async def test_a_wrong_secret_is_told_once_a_minute(world: World) -> None:
    for _ in range(5):
        assert (await world.post(webhook(text(1)), signature="sha256=" + "0" * 64))[0] == 401
    await eventually(lambda: world.activity)
    assert [e.type for e in world.activity] == ["channel.problem.v1"]


async def test_a_channel_without_a_secret_lets_nobody_in(world: World) -> None:
    world.secrets = []
    assert (await world.post(webhook(text(1))))[0] == 401


async def test_a_batch_is_one_message_each(world: World) -> None:
    changes = [
        json.loads(webhook(*(text(block * 50 + n, f"1555{n}") for n in range(50))))["entry"][0]
        for block in range(20)
    ]
    body = json.dumps({"entry": changes}).encode()
    assert await world.post(body) == (200, {"status": "accepted"})
    await eventually(lambda: len(world.published) == 1000)
    assert len({e.id for e in world.published}) == 1000


async def test_statuses_go_to_outbound_and_are_ignored_for_the_brain(world: World) -> None:
    status = {
        "id": "wamid.ours",
        "status": "failed",
        "timestamp": "1700000000",
        "recipient_id": "1555",
        "biz_opaque_callback_data": "delivery-1",
        "errors": [{"code": 131047}],
    }
    assert await world.post(webhook(statuses=[status])) == (200, {"status": "ignored"})
    found = (await eventually(lambda: world.published))[0]
    assert found.type == "delivery.status.received.v1"
    assert found.data["delivery_id"] == "delivery-1"
    assert found.data["error_codes"] == [131047]


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b"7", b'{"entry": {}}', b"[" * 5000])
async def test_signed_nonsense_is_ignored(world: World, body: bytes) -> None:
    assert await world.post(body) == (200, {"status": "ignored"})
    assert world.published == []


async def test_another_number_is_dropped(world: World) -> None:
    assert await world.post(webhook(text(1), number="7")) == (200, {"status": "ignored"})
    assert world.published == []


async def test_metas_largest_body_is_read_and_a_larger_one_refused(world: World) -> None:
    limit = 3 * 1024 * 1024
    body = webhook(text(1), padding="")
    full = webhook(text(1), padding="x" * (limit - len(body)))
    assert len(full) == limit
    assert (await world.post(full))[0] == 200
    status, problem = await world.post(full + b" ")
    assert (status, problem["title"]) == (413, "Body too large")


async def test_an_unknown_channel_is_not_found(world: World) -> None:
    assert (await world.post(webhook(text(1)), channel="mc_other"))[0] == 404


async def test_without_a_confirm_meta_must_repeat(world: World) -> None:
    world.bus.down = True
    async with world.http.post(
        f"{world.url}/api/ingress/whatsapp/{CHANNEL}",
        data=webhook(text(1)),
        headers={
            "X-Hub-Signature-256": "sha256="
            + hmac.new(SECRET.encode(), webhook(text(1)), hashlib.sha256).hexdigest()
        },
    ) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"]
    world.bus.down = False
    assert await world.post(webhook(text(1))) == (200, {"status": "accepted"})
    await eventually(lambda: len(world.published) == 1)


async def test_secrets_that_were_never_known_are_a_503(world: World) -> None:
    world.internal_up = False
    assert (await world.post(webhook(text(1))))[0] == 503


async def test_known_secrets_outlive_channels_api(world: World) -> None:
    assert (await world.post(webhook(text(1))))[0] == 200
    world.internal_up = False
    await world.change("updated")
    assert (await world.post(webhook(text(2))))[0] == 200


async def test_a_rotated_secret_is_used_at_once(world: World) -> None:
    assert (await world.post(webhook(text(1))))[0] == 200
    world.secrets = ["a new secret"]
    await world.change("updated")

    async def refused() -> bool:
        return (await world.post(webhook(text(2))))[0] == 401

    await eventually(refused, timeout_s=2)


async def test_a_deleted_channel_is_forgotten_even_while_channels_api_is_down(
    world: World,
) -> None:
    assert (await world.post(webhook(text(1))))[0] == 200
    world.internal_up = False
    await world.change("deleted")

    async def gone() -> bool:
        return (await world.post(webhook(text(2))))[0] == 503

    await eventually(gone, timeout_s=2)


async def test_secrets_are_asked_for_once(world: World) -> None:
    for number in range(5):
        await world.post(webhook(text(number)))
    assert world.asked == 1


@pytest.mark.parametrize(
    ("query", "status", "outcome"),
    [
        ("hub.mode=subscribe&hub.verify_token=" + VERIFY, 200, "verified"),
        ("hub.mode=subscribe&hub.verify_token=x", 403, "token_mismatch"),
        (f"hub.mode=subscribe&hub.verify_token={VERIFY}%0A", 403, "token_has_whitespace"),
        ("hub.mode=other&hub.verify_token=" + VERIFY, 403, "wrong_mode"),
        ("", 403, "wrong_mode"),
    ],
)
async def test_the_handshake(world: World, query: str, status: int, outcome: str) -> None:
    url = f"{world.url}/api/ingress/whatsapp/{CHANNEL}?hub.challenge=<b>1%262</b>&{query}"
    async with world.http.get(url) as answer:
        assert answer.status == status
        if status == 200:
            assert (answer.content_type, await answer.text()) == ("text/plain", "<b>1&2</b>")
        else:
            # The same, whatever was wrong.
            refusal = await answer.json(content_type="application/problem+json")
            assert refusal["type"] == "urn:platform:problem:handshake-refused"
            assert refusal["detail"] == "Verification failed."
    await eventually(lambda: world.activity)
    assert world.activity[0].data["outcome"] == outcome


async def test_the_feed_gets_sums_not_single_webhooks(world: World) -> None:
    for number in range(10):
        await world.post(webhook(text(number)))

    def counted() -> bool:
        return sum(e.data.get("messages", 0) for e in world.activity) == 10

    await eventually(counted)
    assert len(world.activity) <= 3


async def test_an_address_that_is_wrong_too_often_waits_and_a_right_signature_never_does(
    world: World,
) -> None:
    body = webhook(text(1))
    wrong = "sha256=" + "0" * 64
    for _ in range(60):
        assert (await world.post(body, signature=wrong))[0] == 401
    status, problem = await world.post(body, signature=wrong)
    assert status == 429
    assert problem["type"].endswith("too-many-failures")
    assert await world.post(body) == (200, {"status": "accepted"})
    asked = "hub.mode=subscribe&hub.challenge=1&hub.verify_token="
    url = f"{world.url}/api/ingress/whatsapp/{CHANNEL}?{asked}"
    async with world.http.get(url + "guess") as answer:
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    problems = [e for e in world.activity if e.type == "channel.problem.v1"]
    assert len(problems) <= 1


async def test_ingress_passes_on_settings_of_the_channel_and_notices(world: World) -> None:
    echo = {"id": "wamid.e", "from": "1000", "to": "1555", "type": "text", "text": {"body": "hi"}}
    value = {"metadata": {"phone_number_id": NUMBER}, "message_echoes": [echo]}
    change = {"field": "smb_message_echoes", "value": value}
    account = {"field": "account_update", "value": {"event": "ACCOUNT_RESTRICTION"}}
    body = json.dumps({"entry": [{"id": "waba", "changes": [change, account]}]}).encode()
    assert await world.post(body) == (200, {"status": "ignored"})
    (heard,) = await eventually(lambda: world.published)
    event = heard.payload(InboundNoticeReceived)
    assert (event.notice, event.conversation_key) == ("echo", f"{CHANNEL}:1555")
    assert event.message == echo

    def told() -> list[Envelope]:
        return [e for e in world.activity if e.type == ChannelAccountNoticeReceived.TYPE]

    (notice,) = await eventually(told)
    assert notice.data["notice"] == {"event": "ACCOUNT_RESTRICTION"}
    assert notice.data["account_id"] == "waba"


async def test_a_token_of_ours_at_a_wrong_address_is_told_by_its_hash(world: World) -> None:
    token = new_verify_token()

    async def tried(channel: str, verify_token: str, mode: str = "subscribe") -> None:
        query = {"hub.mode": mode, "hub.verify_token": verify_token, "hub.challenge": "1"}
        url = f"{world.url}/api/ingress/whatsapp/{channel}"
        async with world.http.get(url, params=query) as answer:
            assert (answer.status, (await answer.json())["detail"]) == (403, "Verification failed.")

    await tried("mc_unknown", "their own word")
    await tried("mc_unknown", token, "unsubscribe")
    await tried("mc_unknown", token)
    # Right behind it, so within the pause: nobody floods the feed.
    await tried(CHANNEL, token)
    (told,) = await eventually(lambda: [e for e in world.activity if "astray" in e.type])
    assert told.data == {"token_hash": secret_hash(token)}
    assert (told.tenant, told.subject) == ("nobody", "nobody")
    assert token not in repr(world.activity)
