"""channels-api over HTTP with a real database: what is shown, what is stored, who is let in."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient

from channels_api.adapters.activity_store import KEPT_PER_CHANNEL, TRIM_EVERY, ActivityStore
from channels_api.app import build
from channels_api.settings import Settings
from shared.bus.memory import MemoryBus
from shared.bus.port import Delivery
from shared.bus.topology import ACTIVITY, broadcast_queue
from shared.clock import utc_now
from shared.contracts import (
    ChannelDeliveryObserved,
    ChannelHandshakeAttempted,
    ChannelProblemDetected,
    Envelope,
    Payload,
)
from shared.crypto.sealing import SealError
from shared.ids import new_api_key, secret_hash
from shared.runtime import serving
from shared.settings import SettingsError, load
from tests.support.eventually import eventually
from tests.support.mongod import fresh_database_name

TOKENS = (
    "service-token-one-of-32-characters-or-more",
    "service-token-two-of-32-characters-or-more",
)
ACCESS_TOKEN, APP_SECRET = "EAAaccesstoken12345678", "app-secret-0123456789abcdef"
CREATE = {
    "phone_number_id": "1158201444",
    "access_token": ACCESS_TOKEN,
    "app_secret": APP_SECRET,
    "label": "Care line",
    "auto_reply": True,
}


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
            "internal_tokens": ",".join(TOKENS),
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

    async def ask(self, path: str, token: str = TOKENS[0]) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.get(self.internal + path, headers=headers) as answer:
            return answer.status, await answer.json()

    async def dump(self) -> str:
        async with AsyncMongoClient[Any](self.uri) as client:
            database = client.get_default_database()
            rows = [
                repr(row)
                for name in await database.list_collection_names()
                async for row in database[name].find({})
            ]
        return "\n".join(rows)

    async def tell(self, key: str, payload: Payload, **envelope: Any) -> Envelope:
        wrapped = Envelope.of(payload, source="test", subject="s", tenant="default", **envelope)
        await self.bus.publish(ACTIVITY, key, wrapped)
        return wrapped


@asynccontextmanager
async def started(world: World, **overrides: Any) -> AsyncIterator[World]:
    async def open_bus() -> MemoryBus:
        return world.bus

    def heard(delivery: Delivery) -> None:
        world.told.append(Envelope.decode(delivery.message.body))

    async with (
        aiohttp.ClientSession() as world.http,
        serving(world.settings(**overrides), build, open_bus=open_bus) as running,
    ):
        await world.bus.subscribe(
            broadcast_queue(f"test-{secrets.token_hex(4)}"), heard, prefetch=99
        )
        world.public = f"http://127.0.0.1:{running.ports['public']}"
        world.internal = f"http://127.0.0.1:{running.ports['internal']}"
        yield world


@pytest.fixture
async def uri(mongodb_uri: str) -> AsyncIterator[str]:
    host = mongodb_uri.split("//", 1)[1].split("/", 1)[0]
    name = fresh_database_name()
    yield f"mongodb://{host}/{name}?replicaSet=rs0"
    async with AsyncMongoClient[Any](mongodb_uri) as client:
        await client.drop_database(name)


@pytest.fixture
async def world(uri: str) -> AsyncIterator[World]:
    async with started(World(uri)) as running:
        yield running


async def test_a_created_channel_shows_its_token_once_and_stores_no_secret(world: World) -> None:
    status, channel = await world.call("POST", "/api/channels", CREATE)
    assert status == 201
    assert channel["id"].startswith("mc_")
    assert len(channel["id"]) == 25
    assert channel["webhook_url_hint"] == f"/api/ingress/whatsapp/{channel['id']}"
    assert (channel["access_token_last4"], channel["app_secret_last4"]) == ("5678", "cdef")
    token = channel["verify_token"]
    _, read = await world.call("GET", f"/api/channels/{channel['id']}")
    assert "verify_token" not in read
    assert read == {k: v for k, v in channel.items() if k != "verify_token"}
    stored = await world.dump()
    for secret in (token, ACCESS_TOKEN, APP_SECRET, world.key):
        assert secret not in stored
    assert secret_hash(token) in stored
    assert secret_hash(world.key) in stored
    assert [e.data["change"] for e in world.told] == ["created"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"phone_number_id": "+1 555 123 4567"}, "looks like a phone number"),
        ({"phone_number_id": "abc"}, "digits only"),
        ({"access_token": ""}, "access_token"),
        ({"access_token": "EAA two parts"}, "white space inside"),
        ({"app_secret": None}, "app_secret"),
        ({"colour": "blue"}, "colour"),
    ],
)
async def test_bad_input_is_told_what_to_do(
    world: World, change: dict[str, Any], said: str
) -> None:
    status, problem = await world.call("POST", "/api/channels", CREATE | change)
    assert status == 422
    assert said in problem["detail"]
    assert ACCESS_TOKEN not in repr(problem)


async def test_a_number_has_one_channel(world: World) -> None:
    _, first = await world.call("POST", "/api/channels", CREATE)
    status, problem = await world.call("POST", "/api/channels", CREATE)
    assert status == 409
    assert first["id"] in problem["detail"]
    assert (await world.call("DELETE", f"/api/channels/{first['id']}"))[0] == 204
    assert (await world.call("POST", "/api/channels", CREATE))[0] == 201


async def test_a_repeated_creation_is_the_same_channel(world: World) -> None:
    key = {"Idempotency-Key": "one"}
    _, first = await world.call("POST", "/api/channels", CREATE, **key)
    assert await world.call("POST", "/api/channels", CREATE, **key) == (201, first)
    assert first["verify_token"] not in await world.dump()
    status, _ = await world.call("POST", "/api/channels", CREATE | {"label": "Other"}, **key)
    assert status == 422


async def test_rotation_keeps_the_old_secret_for_a_while(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    changes = {"app_secret": "another-secret-0123", "rotate_verify_token": True}
    status, updated = await world.call("PATCH", f"/api/channels/{channel['id']}", changes)
    assert (status, updated["version"]) == (200, 2)
    assert updated["verify_token"] != channel["verify_token"]
    _, known = await world.ask(f"/internal/channels/{channel['id']}/ingress")
    assert known["app_secrets"] == ["another-secret-0123", APP_SECRET]
    assert known["verify_token_hashes"] == [
        secret_hash(updated["verify_token"]),
        secret_hash(channel["verify_token"]),
    ]
    assert [e.data["change"] for e in world.told] == ["created", "updated"]


async def test_without_grace_the_old_secret_is_gone(uri: str) -> None:
    async with started(World(uri), secret_grace_s=0) as world:
        _, channel = await world.call("POST", "/api/channels", CREATE)
        await world.call(
            "PATCH", f"/api/channels/{channel['id']}", {"app_secret": "new-secret-123"}
        )
        _, known = await world.ask(f"/internal/channels/{channel['id']}/ingress")
        assert known["app_secrets"] == ["new-secret-123"]


async def test_each_caller_is_told_only_what_it_needs(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    _, ingress = await world.ask(f"/internal/channels/{channel['id']}/ingress", TOKENS[1])
    _, outbound = await world.ask(f"/internal/channels/{channel['id']}/outbound")
    assert ACCESS_TOKEN not in repr(ingress)
    assert APP_SECRET not in repr(outbound)
    assert outbound["access_token"] == ACCESS_TOKEN
    _, key = await world.ask(f"/internal/keys/{secret_hash(world.key)}")
    assert key == {"tenant": "default", "label": "first key"}


async def test_a_deleted_channel_leaves_no_secret_behind(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    assert (await world.call("DELETE", f"/api/channels/{channel['id']}"))[0] == 204
    for path in ("", "/activity"):
        assert (await world.call("GET", f"/api/channels/{channel['id']}{path}"))[0] == 404
    for part in ("ingress", "outbound"):
        assert (await world.ask(f"/internal/channels/{channel['id']}/{part}"))[0] == 404
    stored = await world.dump()
    assert "v1.1." not in stored
    assert secret_hash(channel["verify_token"]) not in stored


async def test_a_disabled_channel_takes_nothing(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    await world.call("PATCH", f"/api/channels/{channel['id']}", {"state": "disabled"})
    assert (await world.ask(f"/internal/channels/{channel['id']}/ingress"))[0] == 404


async def test_the_internal_port_wants_a_service_token(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    path = f"/internal/channels/{channel['id']}/outbound"
    assert (await world.ask(path, "wrong"))[0] == 401
    assert (await world.call("GET", path))[0] == 404
    async with world.http.get(world.internal + "/api/channels") as answer:
        assert answer.status == 401


async def test_a_tenant_sees_its_own_only(uri: str) -> None:
    async with started(World(uri)) as world:
        _, channel = await world.call("POST", "/api/channels", CREATE)
        _, keys = await world.call("GET", "/api/keys")
        other = new_api_key()
    async with started(World(uri, keks=world.keks, key=other), bootstrap_tenant="other") as world:
        path = f"/api/channels/{channel['id']}"
        assert (await world.call("GET", "/api/channels"))[1]["channels"] == []
        for method, at, body in (
            ("GET", path, None),
            ("PATCH", path, {"label": "x"}),
            ("DELETE", path, None),
            ("GET", f"{path}/activity", None),
            ("DELETE", f"/api/keys/{keys['keys'][0]['id']}", None),
        ):
            assert (await world.call(method, at, body))[0] == 404, at
        assert (await world.call("POST", "/api/channels", CREATE))[0] == 201


@pytest.mark.parametrize("key", ["hx_" + "0" * 43, "nonsense", "hx_short"])
async def test_a_wrong_key_is_refused(world: World, key: str) -> None:
    assert (await world.call("GET", "/api/channels", key=key))[0] == 401


async def test_listing_goes_in_pages(world: World) -> None:
    for number in range(5):
        await world.call("POST", "/api/channels", CREATE | {"phone_number_id": str(100 + number)})
    found: list[str] = []
    cursor = ""
    while True:
        _, page = await world.call("GET", f"/api/channels?limit=2{cursor}")
        found += [c["phone_number_id"] for c in page["channels"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == ["100", "101", "102", "103", "104"]
    assert (await world.call("GET", "/api/channels?cursor=bad"))[0] == 422
    assert (await world.call("GET", "/api/channels?limit=0"))[0] == 422


async def test_activity_is_told_in_sentences_and_kept_once(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    tried = ChannelHandshakeAttempted(channel_id=channel["id"], outcome="token_has_whitespace")
    first = await world.tell("channel.handshake", tried)
    await world.bus.publish(ACTIVITY, "channel.handshake", first)
    await world.tell(
        "channel.delivery",
        ChannelDeliveryObserved(
            channel_id=channel["id"], messages=2, statuses=0, ignored=1, foreign=0
        ),
    )
    await world.tell(
        "channel.problem",
        ChannelProblemDetected(channel_id=channel["id"], problem="p", detail="Do this.", code=190),
    )

    async def kept() -> list[dict[str, Any]]:
        _, shown = await world.call("GET", f"/api/channels/{channel['id']}/activity")
        return shown["activity"] if len(shown["activity"]) == 3 else []

    shown = {item["kind"]: item["detail"] for item in await eventually(kept)}
    assert "white space" in shown["handshake"]["message"]
    assert "2 messages, 1 parts ignored" in shown["delivery"]["message"]
    assert shown["problem"]["code"] == 190


async def test_only_the_newest_activity_is_kept(database: Any) -> None:
    store = ActivityStore(database)
    began = utc_now()
    for number in range(KEPT_PER_CHANNEL + TRIM_EVERY):
        at = began + timedelta(seconds=number)
        await store.add(str(number), "mc_1", at=at, kind="delivery", detail={})
    assert await database["activity"].count_documents({}) == KEPT_PER_CHANNEL


async def test_keys_are_made_listed_and_revoked(world: World) -> None:
    status, made = await world.call("POST", "/api/keys", {"label": "crm"})
    assert status == 201
    assert (await world.call("GET", "/api/channels", key=made["key"]))[0] == 200
    _, listed = await world.call("GET", "/api/keys")
    assert [k["label"] for k in listed["keys"]] == ["first key", "crm"]
    assert made["key"] not in repr(listed) + await world.dump()
    assert (await world.call("DELETE", f"/api/keys/{made['id']}"))[0] == 204
    assert (await world.call("GET", "/api/channels", key=made["key"]))[0] == 401
    assert (await world.ask(f"/internal/keys/{secret_hash(made['key'])}"))[0] == 404
    await eventually(lambda: world.told)
    assert world.told[-1].data == {"key_hash": secret_hash(made["key"])}
    last = listed["keys"][0]["id"]
    assert (await world.call("DELETE", f"/api/keys/{last}"))[0] == 409


async def test_the_first_key_is_printed_once(uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(uri)
    async with started(world, bootstrap_api_key=None):
        printed = capsys.readouterr().err
    key = printed.split("once:")[1].strip()
    async with started(World(uri, keks=world.keks, key=key), bootstrap_api_key=None) as again:
        assert capsys.readouterr().err == ""
        assert (await again.call("GET", "/api/channels"))[0] == 200


async def test_a_missing_key_version_keeps_it_from_starting(uri: str) -> None:
    async with started(World(uri)) as world:
        await world.call("POST", "/api/channels", CREATE)
    with pytest.raises(SealError, match="need key version 1"):
        async with started(World(uri, keks={"2": new_kek()})):
            pass
    async with started(World(uri, keks=world.keks | {"2": new_kek()}, key=world.key)) as both:
        _, listed = await both.call("GET", "/api/channels")
        assert (await both.ask(f"/internal/channels/{listed['channels'][0]['id']}/ingress"))[
            0
        ] == 200


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("key_encryption_keys", "nonsense", "must be JSON"),
        ("key_encryption_keys", '{"1": "c2hvcnQ="}', "32 bytes"),
        ("internal_tokens", "short", "32 characters"),
        ("internal_tokens", ",".join(["x" * 32] * 3), "at most 2"),
    ],
)
def test_settings_that_do_not_stand(setting: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        World("mongodb://x").settings(**{setting: value})
    assert value not in str(caught.value) or value == "short"
