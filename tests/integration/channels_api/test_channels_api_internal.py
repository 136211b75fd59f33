"""The internal port: to whom it answers, with what, and what it is while the database is away."""

import hmac
from hashlib import sha256
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pymongo import AsyncMongoClient

from channels_api.app import build
from shared.bus.memory import MemoryBus
from shared.ids import secret_hash
from shared.runtime import Resources
from shared.telemetry.metrics import Metrics
from tests.integration.channels_api.world import (
    ACCESS_TOKEN,
    APP_SECRET,
    CREATE,
    TOKENS,
    World,
)
from tests.support.ports import find_free_port

TOKEN = TOKENS["brain"][0]


async def test_each_caller_is_told_only_what_it_needs(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    _, ingress = await world.ask(
        f"/internal/channels/{channel['id']}/ingress", TOKENS["ingress"][1]
    )
    _, outbound = await world.ask(f"/internal/channels/{channel['id']}/outbound")
    assert ACCESS_TOKEN not in repr(ingress)
    assert APP_SECRET not in repr(outbound)
    assert outbound["access_token"] == ACCESS_TOKEN
    _, key = await world.ask(f"/internal/keys/{secret_hash(world.key)}")
    assert key == {
        "tenant": "default",
        "label": "first key",
        "scopes": ["admin"],
        "expires_at": None,
    }
    assert ingress.keys() == {
        *("channel_id", "tenant", "phone_number_id", "waba_id", "auto_reply"),
        *("app_secrets", "verify_token_hashes", "reply_debounce_ms", "echo_pause_s"),
    }
    assert outbound.keys() == {
        *("channel_id", "tenant", "phone_number_id", "waba_id", "access_token", "app_scope"),
        *("appsecret_proof", "paused", "troubled", "read_receipts"),
        *("messages_per_second", "window_template"),
    }
    assert outbound["appsecret_proof"] is None


@pytest.mark.parametrize("number", [0, 1], ids=["old token", "new token"])
async def test_a_caller_gets_what_is_its_own_and_nothing_else(world: World, number: int) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    path, key = f"/internal/channels/{channel['id']}", f"/internal/keys/{secret_hash(world.key)}"
    told = {
        caller: [
            (await world.ask(asked, TOKENS[caller][number]))[0]
            for asked in (f"{path}/ingress", f"{path}/outbound", key)
        ]
        for caller in TOKENS
    }
    assert told == {
        "ingress": [200, 403, 403],
        "brain": [403, 403, 200],
        "outbound": [403, 200, 200],
    }


async def test_settings_reach_those_who_act_on_them(world: World) -> None:
    asked = {
        "reply_debounce_ms": 0,
        "echo_pause_s": 60,
        "read_receipts": False,
        "messages_per_second": 20,
        "window_template": "we_are_back",
        "appsecret_proof": True,
    }
    _, channel = await world.call("POST", "/api/channels", CREATE | asked)
    _, other = await world.call("POST", "/api/channels", CREATE | {"access_token": "EAAother"})
    _, ingress = await world.ask(f"/internal/channels/{channel['id']}/ingress")
    _, outbound = await world.ask(f"/internal/channels/{channel['id']}/outbound")
    _, beside = await world.ask(f"/internal/channels/{other['id']}/outbound")
    assert (ingress["reply_debounce_ms"], ingress["echo_pause_s"]) == (0, 60)
    assert (outbound["read_receipts"], outbound["messages_per_second"]) == (False, 20)
    assert outbound["window_template"] == ["we_are_back", "en_US"]
    proof = hmac.new(APP_SECRET.encode(), ACCESS_TOKEN.encode(), sha256).hexdigest()
    assert outbound["appsecret_proof"] == proof
    assert outbound["app_scope"] == beside["app_scope"] != proof


async def test_a_disabled_channel_takes_nothing(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    await world.call("PATCH", f"/api/channels/{channel['id']}", {"state": "disabled"})
    assert (await world.ask(f"/internal/channels/{channel['id']}/ingress"))[0] == 404
    await world.call("PATCH", f"/api/channels/{channel['id']}", {"state": "active"})
    assert (await world.ask(f"/internal/channels/{channel['id']}/ingress"))[0] == 200


async def test_the_internal_port_wants_a_service_token(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    path = f"/internal/channels/{channel['id']}/outbound"
    assert (await world.ask(path, "wrong"))[0] == 401
    assert (await world.call("GET", path))[0] == 404
    assert (await world.call("GET", f"/internal/keys/{secret_hash(world.key)}"))[0] == 404
    async with world.http.get(world.internal + "/api/channels") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}"],
)
async def test_only_a_whole_bearer_token_opens_it(world: World, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for path in ("/internal/channels/mc_1/ingress", "/internal/keys/00", "/nothing"):
        async with world.http.get(world.internal + path, headers=headers) as answer:
            assert answer.status == 401
            assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/internal/channels/mc_none/ingress", "/internal/keys/00", "/internal/channels"]
)
async def test_what_is_not_there_is_not_there(world: World, path: str) -> None:
    assert (await world.ask(path))[0] == 404


async def test_while_the_database_is_away_both_ports_say_try_again() -> None:
    world = World("mongodb://nobody")
    headers = {"X-API-Key": world.key, "Authorization": f"Bearer {TOKEN}"}
    nobody = f"mongodb://127.0.0.1:{find_free_port()}/x?serverSelectionTimeoutMS=50"
    async with AsyncMongoClient[Any](nobody) as client:
        resources = Resources(Metrics(), _bus=MemoryBus(), _database=client.get_default_database())
        async with build(world.settings(), resources) as service:
            for edge, path in zip(service.http, ("/api/keys", "/internal/keys/00"), strict=True):
                async with TestClient(TestServer(edge.app)) as caller:
                    answer = await caller.get(path, headers=headers)
                    assert answer.status == 503
                    assert answer.headers["Retry-After"] == "2"
