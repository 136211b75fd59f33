"""A running channels-api with a real database, the bus it tells on, and a caller."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pymongo import AsyncMongoClient

from channels_api.app import build
from channels_api.settings import Settings
from shared.bus.memory import MemoryBus
from shared.bus.port import Delivery
from shared.bus.topology import ACTIVITY, INTERACTIONS, Queue, Topology, broadcast_queue
from shared.contracts import ControlCaughtUp, Envelope, Payload
from shared.ids import new_api_key
from shared.runtime import serving
from shared.settings import load

TOKENS = {
    caller: tuple(f"{caller}-token-{number}-of-32-characters-or-more" for number in (1, 2))
    for caller in ("ingress", "brain", "outbound")
}
"""Two of each caller, as during a rotation."""
ACCESS_TOKEN, APP_SECRET = "EAAaccesstoken12345678", "app-secret-0123456789abcdef"
CREATE = {
    "phone_number_id": "1158201444",
    "access_token": ACCESS_TOKEN,
    "app_secret": APP_SECRET,
    "label": "Care line",
    "auto_reply": True,
}


def values(accepted: list[dict[str, Any]]) -> list[str]:
    """What ``/internal`` says is accepted, without until when."""
    return [one["value"] for one in accepted]


def new_kek() -> str:
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass
class World:
    """A running channels-api, a key of the first tenant, and what it told on ``control``."""

    uri: str
    keks: dict[str, str] = field(default_factory=lambda: {"1": new_kek()})
    key: str = field(default_factory=new_api_key)
    bus: MemoryBus = field(default_factory=MemoryBus)
    public: str = ""
    internal: str = ""
    told: list[Envelope] = field(default_factory=list)
    beats: list[Envelope] = field(default_factory=list)
    """How often it said that it has told everything."""
    watched: list[Envelope] = field(default_factory=list)
    """What a team hears that bound a queue of its own to ``interactions``."""
    http: aiohttp.ClientSession = field(init=False)

    def settings(self, **overrides: Any) -> Settings:
        values: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": 0,
            "admin_host": "127.0.0.1",
            "admin_port": 0,
            "internal_host": "127.0.0.1",
            "internal_port": 0,
            "amqp_url": "amqp://in-process",
            "mongodb_uri": self.uri,
            **{f"{caller}_tokens": ",".join(tokens) for caller, tokens in TOKENS.items()},
            "key_encryption_keys": json.dumps(self.keks),
            "bootstrap_api_key": self.key,
        }
        return load(Settings, **{**values, **overrides})

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        sent = {"X-API-Key": key or self.key, **headers}
        async with self.http.request(method, self.public + path, json=body, headers=sent) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def ask(self, path: str, token: str | None = None) -> tuple[int, Any]:
        """Of the internal port, as the service whose answer it is unless ``token`` is another."""
        caller = "brain" if "/keys/" in path else path.rsplit("/", 1)[-1]
        token = token or TOKENS.get(caller, TOKENS["brain"])[0]
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.get(self.internal + path, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def dump(self) -> str:
        async with AsyncMongoClient[Any](self.uri) as client:
            database = client.get_default_database()
            rows = [
                repr(row)
                for name in await database.list_collection_names()
                async for row in database[name].find({})
            ]
        return "\n".join(rows)

    async def tell(
        self, key: str, payload: Payload, tenant: str = "default", **envelope: Any
    ) -> Envelope:
        wrapped = Envelope.of(payload, source="test", subject="s", tenant=tenant, **envelope)
        await self.bus.publish(ACTIVITY, key, wrapped)
        return wrapped


@asynccontextmanager
async def started(world: World, **overrides: Any) -> AsyncIterator[World]:
    async def open_bus() -> MemoryBus:
        return world.bus

    def heard(delivery: Delivery) -> None:
        envelope = Envelope.decode(delivery.message.body)
        caught_up = envelope.type == ControlCaughtUp.TYPE
        (world.beats if caught_up else world.told).append(envelope)

    def watched(delivery: Delivery) -> None:
        world.watched.append(Envelope.decode(delivery.message.body))

    async with (
        aiohttp.ClientSession() as world.http,
        serving(world.settings(**overrides), build, open_bus=open_bus) as running,
    ):
        await world.bus.subscribe(
            broadcast_queue(f"test-{secrets.token_hex(4)}"), heard, prefetch=99
        )
        team = Queue("team.interactions.v1", INTERACTIONS, ("channel.*",))
        await world.bus.declare(Topology(queues=(team,)))
        await world.bus.subscribe(team, watched, prefetch=99)
        world.public = f"http://127.0.0.1:{running.ports['public']}"
        world.internal = f"http://127.0.0.1:{running.ports['internal']}"
        yield world
