"""Idempotency-Key on creation: a retry is the first call again, whatever happened in between."""

import asyncio
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from shared.ids import secret_hash
from tests.integration.channels_api.world import CREATE, World, values

KEY = {"Idempotency-Key": "one"}


async def test_a_repeated_creation_is_the_same_channel(world: World) -> None:
    _, first = await world.call("POST", "/api/channels", CREATE, **KEY)
    assert await world.call("POST", "/api/channels", CREATE, **KEY) == (201, first)
    assert first["verify_token"] not in await world.dump()
    status, _ = await world.call("POST", "/api/channels", CREATE | {"label": "Other"}, **KEY)
    assert status == 422
    assert [e.data["change"] for e in world.told] == ["created"]


async def test_calls_at_once_make_one_channel(world: World) -> None:
    answers = await asyncio.gather(
        *(world.call("POST", "/api/channels", CREATE, **KEY) for _ in range(6))
    )
    assert {status for status, _ in answers} == {201}
    assert len({(channel["id"], channel["verify_token"]) for _, channel in answers}) == 1
    _, listed = await world.call("GET", "/api/channels")
    assert len(listed["channels"]) == 1


async def test_a_call_that_got_no_further_than_its_key_can_be_repeated(world: World) -> None:
    """A crash between the two writes leaves the key alone."""
    _, first = await world.call("POST", "/api/channels", CREATE, **KEY)
    async with AsyncMongoClient[Any](world.uri) as client:
        await client.get_default_database()["channels"].delete_one({"_id": first["id"]})
    status, channel = await world.call("POST", "/api/channels", CREATE, **KEY)
    assert status == 201
    assert (channel["id"], channel["verify_token"]) == (first["id"], first["verify_token"])
    _, known = await world.ask(f"/internal/channels/{channel['id']}/ingress")
    assert values(known["verify_token_hashes"]) == [secret_hash(channel["verify_token"])]


@pytest.mark.parametrize("change", ["rotated", "deleted"])
async def test_a_token_that_is_no_longer_valid_is_not_shown_again(
    world: World, change: str
) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE, **KEY)
    path = f"/api/channels/{channel['id']}"
    if change == "rotated":
        await world.call("PATCH", path, {"rotate_verify_token": True})
    else:
        await world.call("DELETE", path)
        assert "v1.1." not in await world.dump()
    status, problem = await world.call("POST", "/api/channels", CREATE, **KEY)
    assert (status, problem["type"].rpartition(":")[2]) == (409, "not-repeatable")


async def test_an_edited_channel_is_repeated_as_it_is_now(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE, **KEY)
    await world.call("PATCH", f"/api/channels/{channel['id']}", {"label": "Night line"})
    _, again = await world.call("POST", "/api/channels", CREATE, **KEY)
    assert (again["id"], again["label"]) == (channel["id"], "Night line")
    assert again["verify_token"] == channel["verify_token"]


@pytest.mark.parametrize("key", ["", "two words", "k" * 256, "clé"])
async def test_a_key_that_cannot_be_one_is_refused(world: World, key: str) -> None:
    status, problem = await world.call("POST", "/api/channels", CREATE, **{"Idempotency-Key": key})
    assert status == 422
    assert "Idempotency-Key" in problem["detail"]
