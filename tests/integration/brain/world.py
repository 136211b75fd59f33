"""Brain and its neighbours: a recording bus, channels-api's internal port, a phone, a clock."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal

import aiohttp
import orjson
from aiohttp import web
from pymongo.asynchronous.database import AsyncDatabase

from brain.app import build
from brain.settings import Settings
from shared.bus.memory import MemoryBus
from shared.bus.port import Bus, BusUnavailableError
from shared.bus.topology import INBOUND, INBOUND_LANES, INTERACTIONS, OUTBOUND, lane_key
from shared.clock import utc_now
from shared.contracts import (
    Envelope,
    InboundMessageReceived,
    InboundNoticeReceived,
    InteractionProcessed,
    SendReply,
)
from shared.ids import event_id, new_api_key, new_channel_id, secret_hash
from shared.runtime import Running, serving
from tests.support.eventually import eventually
from tests.support.model_double import LOOPBACK, listening

SERVICE_TOKEN = "internal-service-token-of-32-chars-or-more"
CHANNEL = new_channel_id()
TENANT = "tn_care"
PHONE = "447700900123"

Json = dict[str, Any]
Database = AsyncDatabase[Json]


@dataclass
class Published:
    """One publication, and whether its interaction could be read at that moment."""

    exchange: str
    routing_key: str
    envelope: Envelope
    readable: bool | None = None


class RecordingBus(MemoryBus):
    """A ``MemoryBus`` that keeps what was published and can lose its way to the outside."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self.published: list[Published] = []
        self.down = False

    async def publish(
        self, exchange: str, routing_key: str, envelope: Envelope, *, timeout_s: float = 5.0
    ) -> None:
        if self.down and exchange != INBOUND:
            raise BusUnavailableError("planted")
        seen = Published(exchange, routing_key, envelope)
        if envelope.type == InteractionProcessed.TYPE:
            wanted = {"_id": envelope.data["interaction_id"]}
            seen.readable = await self._database["interactions"].find_one(wanted) is not None
        await super().publish(exchange, routing_key, envelope, timeout_s=timeout_s)
        self.published.append(seen)

    def of_type(self, wire_type: str) -> list[Envelope]:
        return [item.envelope for item in self.published if item.envelope.type == wire_type]

    def on(self, exchange: str) -> list[Published]:
        return [item for item in self.published if item.exchange == exchange]

    @property
    def replies(self) -> list[Envelope]:
        return self.of_type(SendReply.TYPE)


@dataclass
class FakeClock:
    """Real time plus what a test adds."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


class Keys:
    """channels-api's internal port, as far as brain knows it."""

    def __init__(self) -> None:
        self._tenants: dict[str, str] = {}
        self.url = ""

    def issue(self, tenant: str) -> str:
        key = new_api_key()
        self._tenants[secret_hash(key)] = tenant
        return key

    async def _principal(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {SERVICE_TOKEN}":
            return web.json_response({}, status=401)
        tenant = self._tenants.get(request.match_info["hash"])
        if tenant is None:
            return web.json_response({}, status=404)
        return web.json_response(
            {"tenant": tenant, "label": "test", "scopes": ["admin"], "expires_at": None}
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Keys"]:
        app = web.Application()
        app.router.add_get("/internal/keys/{hash}", self._principal)
        async with listening(app) as self.url:
            yield self


@dataclass
class Answer:
    """An HTTP answer, read whole."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def problem(self) -> str:
        assert self.headers["Content-Type"].startswith("application/problem+json"), self.body
        return str(self.json["type"]).removeprefix("urn:platform:problem:")


@dataclass
class Brain:
    """A running brain."""

    running: Running
    bus: RecordingBus
    database: Database
    http: aiohttp.ClientSession
    key: str

    async def call(
        self, method: str, path: str, *, json: Any = None, key: str | None = None, **headers: str
    ) -> Answer:
        url = f"http://{LOOPBACK}:{self.running.ports['public']}{path}"
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        names["X-API-Key"] = self.key if key is None else key
        async with self.http.request(method, url, json=json, headers=names) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, *, key: str | None = None) -> Any:
        answer = await self.call("GET", path, key=key)
        assert answer.status == 200, answer.body
        return answer.json

    async def process(
        self, message: str, *, user_id: str = "u1", idempotency_key: str | None = None, **body: Any
    ) -> Answer:
        headers = {"Idempotency_Key": idempotency_key} if idempotency_key else {}
        payload = {"user_id": user_id, "message": message, **body}
        return await self.call("POST", "/api/sdk/process", json=payload, **headers)

    async def processed(self, message: str, **body: Any) -> Json:
        answer = await self.process(message, **body)
        assert answer.status == 200, answer.body
        found: Json = answer.json
        return found

    async def deliver(self, *messages: Envelope) -> None:
        for message in messages:
            lane = lane_key(message.data["conversation_key"], INBOUND_LANES)
            await self.bus.publish(INBOUND, lane, message)

    async def interaction(self, message: Envelope) -> Json:
        """The interaction of ``message`` once its reply is settled."""
        return await settled(self.database, message.id)

    async def idle(self) -> None:
        """Everything delivered was settled."""

        def nothing_left() -> bool:
            stores = self.bus._stores.values()
            lanes = [store for store in stores if store.spec.exchange == INBOUND]
            return all(
                not store.messages and not any(c.unsettled for c in store.consumers)
                for store in lanes
            )

        await eventually(nothing_left, message="inbound lanes are empty")


async def settled(database: Database, interaction_id: str) -> Json:
    wanted = {"_id": interaction_id, "reply.status": {"$ne": "pending"}, "emits_pending": False}
    return await eventually(
        lambda: database["interactions"].find_one(wanted), message="a settled interaction"
    )


@dataclass
class World:
    """What a brain is started from; stopped brains leave it as it is."""

    database: Database
    mongodb_uri: str
    keys: Keys
    clock: FakeClock = field(default_factory=FakeClock)
    instances: Any = field(default_factory=lambda: count(1))

    def settings(self, **overrides: Any) -> Settings:
        values: Json = {
            "amqp_url": "amqp://in-process",
            "mongodb_uri": self.mongodb_uri,
            "mongodb_database": self.database.name,
            "internal_api_url": self.keys.url,
            "internal_api_token": SERVICE_TOKEN,
            "host": LOOPBACK,
            "port": 0,
            "admin_host": LOOPBACK,
            "admin_port": 0,
            "instance": f"brain-{next(self.instances)}",
            "shutdown_s": 5.0,
            "llm_base_url": None,
            "llm_api_key": None,
            "llm_model": None,
            "offline_replies": True,
            "reply_delay_cap_ms": 0,
            "process_rate_per_minute": 10_000,
        }
        return Settings(**(values | overrides))

    @asynccontextmanager
    async def brain(self, **overrides: Any) -> AsyncIterator[Brain]:
        bus = RecordingBus(self.database)

        async def open_bus() -> Bus:
            return bus

        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            running = await stack.enter_async_context(
                serving(
                    self.settings(**overrides),
                    lambda settings, resources: build(
                        settings, replace(resources, clock=self.clock)
                    ),
                    open_bus=open_bus,
                )
            )
            yield Brain(running, bus, self.database, http, self.keys.issue(TENANT))


_wamids = count(1)


def whatsapp(
    text: str | None = None,
    *,
    phone: str | None = PHONE,
    user_id: str | None = None,
    name: str = "Sarah",
    auto_reply: bool = True,
    wamid: str | None = None,
    channel_id: str = CHANNEL,
    tenant: str = TENANT,
    received_at: datetime | None = None,
    debounce_ms: int = 0,
    **message: Any,
) -> Envelope:
    """A WhatsApp message as ingress publishes it; ``text`` None leaves the body to ``message``."""
    wamid = wamid or f"wamid.test{next(_wamids)}"
    received_at = received_at or datetime.now(UTC)
    body: Json = {"id": wamid, "timestamp": str(int(received_at.timestamp())), "type": "text"}
    if text is not None:
        body["text"] = {"body": text}
    if phone is not None:
        body["from"] = phone
    if user_id is not None:
        body["from_user_id"] = user_id
    conversation_key = f"{channel_id}:{user_id or phone or 'nobody'}"
    return Envelope.of(
        InboundMessageReceived(
            channel_id=channel_id,
            provider_message_id=wamid,
            conversation_key=conversation_key,
            phone_number_id="1234567890",
            received_at=received_at,
            auto_reply=auto_reply,
            reply_debounce_ms=debounce_ms,
            message=body | message,
            contact={"profile": {"name": name}, "wa_id": phone, "user_id": user_id},
        ),
        id=event_id(channel_id, wamid),
        source="ingress",
        subject=conversation_key,
        tenant=tenant,
    )


def notice(
    kind: Literal["reaction", "edit", "revoke", "system", "echo"],
    body: Json,
    *,
    phone: str | None = PHONE,
    user_id: str | None = None,
    auto_reply: bool = True,
    wamid: str | None = None,
    channel_id: str = CHANNEL,
    echo_pause_s: int = 3600,
    **message: Any,
) -> Envelope:
    """Something that starts no turn, as ingress publishes it."""
    wamid = wamid or f"wamid.notice{next(_wamids)}"
    now = datetime.now(UTC)
    said: Json = {"id": wamid, "timestamp": str(int(now.timestamp())), "type": kind}
    if kind == "echo":
        said |= body
    else:
        said[kind] = body
    if phone is not None:
        said["to" if kind == "echo" else "from"] = phone
    if user_id is not None:
        said["to_user_id" if kind == "echo" else "from_user_id"] = user_id
    key = f"{channel_id}:{user_id or phone}"
    return Envelope.of(
        InboundNoticeReceived(
            channel_id=channel_id,
            provider_message_id=wamid,
            conversation_key=key,
            phone_number_id="1234567890",
            received_at=now,
            notice=kind,
            auto_reply=auto_reply,
            echo_pause_s=echo_pause_s,
            message=said | message,
        ),
        id=event_id(channel_id, wamid),
        source="ingress",
        subject=key,
        tenant=TENANT,
    )


def on_streams(brain: Brain) -> bytes:
    """Every byte that subscribers of ``interactions`` could have seen."""
    seen = brain.bus.on(INTERACTIONS)
    return b"\n".join(item.routing_key.encode() + item.envelope.encode() for item in seen)


def commands(brain: Brain) -> list[str]:
    return [item.envelope.type for item in brain.bus.on(OUTBOUND)]
