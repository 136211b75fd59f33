"""Outbound and its neighbours: a recording bus, channels-api's internal port, Meta, a clock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import aiohttp
from aiohttp import web
from pymongo.asynchronous.database import AsyncDatabase

from metasim import SimConfig, build_app
from outbound.app import build
from outbound.settings import Settings
from shared.bus.memory import MemoryBus
from shared.bus.port import Bus, BusUnavailableError
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import CONTROL, OUTBOUND, OUTBOUND_LANES, lane_key
from shared.clock import utc_now
from shared.contracts import (
    ChannelChanged,
    DeliveryStatusReceived,
    Envelope,
    KeyRevoked,
    MarkMessageRead,
    Payload,
    SendReply,
)
from shared.ids import new_api_key, new_channel_id, secret_hash
from shared.runtime import Running, serving
from tests.support.eventually import eventually

LOOPBACK = "127.0.0.1"
SERVICE_TOKEN = "internal-service-token-of-32-chars-or-more"
TENANT = "tn_care"
PHONE = "447700900123"
OTHER_PHONE = "447700900456"
TEXT = "That sounds heavy; take your time."

Json = dict[str, Any]
Database = AsyncDatabase[Json]

_numbers = count(1)


@dataclass
class Channel:
    """A channel as channels-api would know it."""

    id: str = field(default_factory=new_channel_id)
    tenant: str = TENANT
    phone_number_id: str = field(default_factory=lambda: f"1055{next(_numbers):09d}")
    token: str = field(default_factory=lambda: f"EAAG-token-{next(_numbers):04d}")
    waba_id: str | None = None
    app_scope: str = ""
    appsecret_proof: str | None = None
    paused: bool = False
    troubled: bool = False
    read_receipts: bool = True
    messages_per_second: int = 80
    window_template: tuple[str, str] | None = None


class FakeClock:
    """Real time plus what a test adds."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def advance(self, **by: float) -> None:
        self.ahead += timedelta(**by)


class RecordingBus(MemoryBus):
    """A ``MemoryBus`` that keeps what was published and can lose its way to the outside."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[tuple[str, Envelope]] = []
        self.down = False

    async def publish(
        self, exchange: str, routing_key: str, envelope: Envelope, *, timeout_s: float = 5.0
    ) -> None:
        if self.down:
            raise BusUnavailableError("planted")
        await super().publish(exchange, routing_key, envelope, timeout_s=timeout_s)
        self.published.append((routing_key, envelope))

    def events(self, routing_key: str) -> list[Envelope]:
        return [envelope for key, envelope in self.published if key == routing_key]


class Internal:
    """channels-api's internal port, as far as outbound knows it."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.keys: dict[str, str] = {}
        self.down = False
        self.url = ""

    def issue(self, tenant: str) -> str:
        key = new_api_key()
        self.keys[secret_hash(key)] = tenant
        return key

    async def _outbound(self, request: web.Request) -> web.Response:
        channel = self.channels.get(request.match_info["id"])
        if self.down or request.headers.get("Authorization") != f"Bearer {SERVICE_TOKEN}":
            return web.json_response({}, status=503 if self.down else 401)
        if channel is None:
            return web.json_response({}, status=404)
        return web.json_response(
            {
                "channel_id": channel.id,
                "tenant": channel.tenant,
                "phone_number_id": channel.phone_number_id,
                "access_token": channel.token,
                "waba_id": channel.waba_id,
                "app_scope": channel.app_scope,
                "appsecret_proof": channel.appsecret_proof,
                "paused": channel.paused,
                "troubled": channel.troubled,
                "read_receipts": channel.read_receipts,
                "messages_per_second": channel.messages_per_second,
                "window_template": channel.window_template,
            }
        )

    async def _key(self, request: web.Request) -> web.Response:
        tenant = self.keys.get(request.match_info["hash"])
        if tenant is None:
            return web.json_response({}, status=404)
        return web.json_response(
            {"tenant": tenant, "label": "test", "scopes": ["admin"], "expires_at": None}
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Internal"]:
        app = web.Application()
        app.router.add_get("/internal/channels/{id}/outbound", self._outbound)
        app.router.add_get("/internal/keys/{hash}", self._key)
        async with listening(app) as self.url:
            yield self


@asynccontextmanager
async def listening(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """``app`` on a loopback port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Meta:
    """The simulator, with a webhook that plays ingress: its callbacks go to ``on_status``."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.url = ""
        self.hook_url = ""
        self.on_status: Callable[[Channel, Json], Awaitable[None]] | None = None
        self._channels: dict[str, Channel] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Meta"]:
        hook = web.Application()
        hook.router.add_post("/hook", self._hear)
        config = SimConfig(window_enforced=False, statuses=())
        async with listening(hook) as hook_url, listening(build_app(config)) as self.url:
            self.hook_url = hook_url + "/hook"
            yield self

    async def _hear(self, request: web.Request) -> web.Response:
        body = await request.json()
        for entry in body["entry"]:
            for change in entry["changes"]:
                value = change["value"]
                channel = self._channels[value["metadata"]["phone_number_id"]]
                for status in value.get("statuses", ()):
                    if self.on_status is None:
                        return web.Response(status=503)
                    await self.on_status(channel, status)
        return web.Response()

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        async with self.http.request(method, self.url + path, json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json() if answer.status != 204 else None

    async def register(self, channel: Channel, *, token: str | None = None) -> None:
        self._channels[channel.phone_number_id] = channel
        number = {
            "phone_number_id": channel.phone_number_id,
            "access_token": token or channel.token,
            "app_secret": "the-app-secret",
            "callback_url": self.hook_url,
        }
        await self.call("POST", "/sim/numbers", number)

    async def statuses(self, *steps: Json) -> None:
        await self.call("PUT", "/sim/statuses", {"steps": list(steps)})

    async def require_proof(self, channel: Channel) -> str:
        """From now on the number wants ``appsecret_proof``; the app secret that makes it."""
        secret = f"{channel.phone_number_id:0>32}"
        number = {
            "phone_number_id": channel.phone_number_id,
            "access_token": channel.token,
            "app_secret": secret,
            "require_appsecret_proof": True,
        }
        await self.call("POST", "/sim/numbers", number)
        return secret

    async def fault(self, action: Json, *, times: int | None = 1, **match: str) -> None:
        match.setdefault("kind", "text")
        await self.call("POST", "/sim/faults", {"match": match, "times": times, "action": action})

    async def clear_faults(self) -> None:
        await self.call("DELETE", "/sim/faults")

    async def requests(self, kind: str = "text") -> list[Json]:
        """Graph calls of one kind, oldest first."""
        found = (await self.call("GET", "/sim/requests"))["requests"]
        wanted = [call for call in found if call["path"].endswith("/messages")]
        return [
            call for call in wanted if call["body"].get("type", call["body"].get("status")) == kind
        ]

    async def received(self, phone: str = PHONE) -> list[str]:
        """The texts that a person got."""
        found = await self.call("GET", f"/sim/phone/{phone}/messages")
        return [m["text"] for m in found["messages"] if m["direction"] == "business"]


def enveloped(payload: Payload, tenant: str = TENANT) -> Envelope:
    return Envelope.of(payload, source="test", subject="test", tenant=tenant)


_interactions = count(1)


def reply(channel: Channel, *, phone: str | None = PHONE, **fields: Any) -> Envelope:
    """A command as brain publishes it."""
    interaction_id = fields.pop("interaction_id", f"int-{next(_interactions)}")
    values: Json = {
        "interaction_id": interaction_id,
        "delivery_id": f"{interaction_id}:0",
        "channel_id": channel.id,
        "conversation_key": f"{channel.id}:{fields.get('to_user_id') or phone}",
        "to_phone": phone,
        "text": TEXT,
        "user_wrote_at": datetime.now(UTC),
    }
    return enveloped(SendReply(**(values | fields)), channel.tenant)


def status_event(
    channel: Channel,
    status: str,
    *,
    delivery_id: str | None,
    wamid: str = "wamid.unseen",
    codes: tuple[int, ...] = (),
) -> Envelope:
    """A callback as ingress publishes it."""
    return enveloped(
        DeliveryStatusReceived(
            channel_id=channel.id,
            conversation_key=f"{channel.id}:{PHONE}",
            provider_message_id=wamid,
            status=status,
            provider_timestamp=datetime.now(UTC),
            delivery_id=delivery_id,
            error_codes=codes,
        ),
        channel.tenant,
    )


def mark(channel: Channel, message_id: str, *, typing: bool = True) -> Envelope:
    return enveloped(
        MarkMessageRead(
            interaction_id="int-mark",
            channel_id=channel.id,
            conversation_key=f"{channel.id}:{PHONE}",
            provider_message_id=message_id,
            typing=typing,
        ),
        channel.tenant,
    )


@dataclass
class Outbound:
    """A running outbound. Without ``record``, its bus is a real broker's."""

    running: Running
    bus: Bus
    database: Database
    world: "World"

    @property
    def record(self) -> RecordingBus:
        assert isinstance(self.bus, RecordingBus)
        return self.bus

    async def deliver(self, *envelopes: Envelope) -> None:
        for envelope in envelopes:
            lane = lane_key(envelope.data["conversation_key"], OUTBOUND_LANES)
            await self.bus.publish(OUTBOUND, lane, envelope)

    async def changed(self, channel: Channel, change: str = "updated") -> None:
        event = ChannelChanged(channel_id=channel.id, version=2, change=change)
        await self.bus.publish(CONTROL, "channel.changed", enveloped(event, channel.tenant))

    async def revoked(self, key: str) -> None:
        event = KeyRevoked(key_hash=secret_hash(key))
        await self.bus.publish(CONTROL, "key.revoked", enveloped(event))

    async def document(self, delivery_id: str, **wanted: Any) -> Json:
        """The delivery's document once it looks as ``wanted``."""
        query = {"_id": delivery_id, **wanted}
        try:
            return await eventually(lambda: self.database["deliveries"].find_one(query))
        except AssertionError:
            now = await self.database["deliveries"].find_one({"_id": delivery_id}, {"emits": 0})
            raise AssertionError(f"wanted {wanted}, is {now}") from None

    async def get(self, path: str, key: str | None) -> tuple[int, Json]:
        url = f"http://{LOOPBACK}:{self.running.ports['public']}{path}"
        headers = {} if key is None else {"X-API-Key": key}
        async with self.world.meta.http.get(url, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)


@dataclass
class World:
    """What an outbound is started from; stopped ones leave it as it is."""

    database: Database
    mongodb_uri: str
    internal: Internal
    meta: Meta
    clock: FakeClock = field(default_factory=FakeClock)
    instances: Any = field(default_factory=lambda: count(1))

    async def channel(self, **fields: Any) -> Channel:
        """A new channel, known to channels-api and to Meta."""
        channel = Channel(**fields)
        self.internal.channels[channel.id] = channel
        await self.meta.register(channel)
        return channel

    def settings(self, **overrides: Any) -> Settings:
        values: Json = {
            "amqp_url": "amqp://in-process",
            "mongodb_uri": self.mongodb_uri,
            "mongodb_database": self.database.name,
            "internal_api_url": self.internal.url,
            "internal_api_token": SERVICE_TOKEN,
            "internal_host": LOOPBACK,
            "internal_port": 0,
            "internal_tokens": SERVICE_TOKEN,
            "host": LOOPBACK,
            "port": 0,
            "admin_host": LOOPBACK,
            "admin_port": 0,
            "instance": f"outbound-{next(self.instances)}",
            "shutdown_s": 5.0,
            "graph_base_url": self.meta.url,
            "media_hosts": (self.meta.url,),
            "graph_timeout_s": 5.0,
            "settle_timeout_s": 0.6,
        }
        return Settings(**(values | overrides))

    @asynccontextmanager
    async def outbound(
        self, *, amqp_url: str | None = None, **overrides: Any
    ) -> AsyncIterator[Outbound]:
        """An outbound; with ``amqp_url`` on a real broker, else on a recording bus."""
        buses: list[Bus] = []

        async def open_bus() -> Bus:
            bus: Bus = await RabbitBus.open(amqp_url, name="test") if amqp_url else RecordingBus()
            buses.append(bus)
            return bus

        async with AsyncExitStack() as stack:
            running = await stack.enter_async_context(
                serving(
                    self.settings(**overrides),
                    lambda settings, resources: build(
                        settings, replace(resources, clock=self.clock)
                    ),
                    open_bus=open_bus,
                )
            )
            outbound = Outbound(running, buses[0], self.database, self)

            async def on_status(channel: Channel, status: Json) -> None:
                codes = tuple(error["code"] for error in status.get("errors", ()))
                await outbound.deliver(
                    status_event(
                        channel,
                        status["status"],
                        delivery_id=status.get("biz_opaque_callback_data"),
                        wamid=status["id"],
                        codes=codes,
                    )
                )

            self.meta.on_status = on_status
            yield outbound
