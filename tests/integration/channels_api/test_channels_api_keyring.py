"""A new key-encryption key: everything is wrapped anew while all goes on, and the old key may go."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from channels_api.adapters.keyring_store import BATCH, KeyringStore
from shared.clock import utc_now
from shared.crypto.sealing import KeyEncryption, Keyring, Place, version_of
from shared.ids import new_api_key
from tests.integration.channels_api.world import (
    ACCESS_TOKEN,
    APP_SECRET,
    CREATE,
    World,
    new_kek,
    started,
    values,
)
from tests.support.eventually import eventually


async def rotated(world: World) -> dict[str, Any]:
    """Begin, and wait for the end."""
    status, begun = await world.call("POST", "/api/keyring/rotation")
    assert (status, begun["state"]) == (202, "running")

    async def ended() -> dict[str, Any] | None:
        _, ring = await world.call("GET", "/api/keyring")
        shown: dict[str, Any] = ring
        return None if shown["rotation"]["state"] == "running" else shown

    found = await eventually(ended, timeout_s=30)
    assert found is not None
    return found


async def test_after_a_rotation_the_old_key_may_go(uri: str) -> None:
    async with started(World(uri)) as world:
        headers = {"Idempotency-Key": "once"}
        _, channel = await world.call("POST", "/api/channels", CREATE, **headers)
        path = f"/api/channels/{channel['id']}"
        await world.call("PATCH", path, {"app_secret": "another-secret-0123"})
        _, before = await world.call("GET", path)
    both = world.keks | {"2": new_kek()}
    async with started(World(uri, keks=both, key=world.key)) as world:
        _, ring = await world.call("GET", "/api/keyring")
        assert ring["current"] == "2"
        assert ring["versions"] == [{"version": "1", "secrets": 4}, {"version": "2", "secrets": 0}]
        assert ring["rotation"] is None
        ring = await rotated(world)
        assert ring["versions"] == [{"version": "1", "secrets": 0}, {"version": "2", "secrets": 4}]
        assert (ring["rotation"]["state"], ring["rotation"]["unreadable"]) == ("done", 0)
        assert ring["rotation"]["done"] == ring["rotation"]["total"] == 2
        assert ring["rotation"]["started_by"] == "first key"
        assert (await world.call("GET", path))[1] == before, "nobody's change"
    async with started(World(uri, keks={"2": both["2"]}, key=world.key)) as world:
        _, known = await world.ask(f"/internal/channels/{channel['id']}/ingress")
        assert values(known["app_secrets"]) == ["another-secret-0123", APP_SECRET]
        _, known = await world.ask(f"/internal/channels/{channel['id']}/outbound")
        assert known["access_token"] == ACCESS_TOKEN
        _, again = await world.call("POST", "/api/channels", CREATE, **headers)
        assert again["verify_token"] == channel["verify_token"]


async def test_more_than_a_batch_and_a_second_rotation(uri: str) -> None:
    async with started(World(uri)) as world:
        _, channel = await world.call("POST", "/api/channels", CREATE)
    async with AsyncMongoClient[Any](uri) as client:
        channels = client.get_default_database()["channels"]
        seen = await channels.find_one({"_id": channel["id"]})
        assert seen is not None
        copies = [{**seen, "_id": f"mc_copy{number:04d}"} for number in range(2 * BATCH)]
        await channels.insert_many(copies)
        both = world.keks | {"2": new_kek()}
        async with started(World(uri, keks=both, key=world.key)) as world:
            # A sealed value that was copied to another record opens nowhere: the copies stay.
            ring = await rotated(world)
            assert ring["rotation"]["state"] == "incomplete"
            assert ring["rotation"]["unreadable"] == 2 * BATCH
            assert ring["versions"][1] == {"version": "2", "secrets": 2}
            await channels.delete_many({"_id": {"$regex": "^mc_copy"}})
            ring = await rotated(world)
            assert (ring["rotation"]["state"], ring["rotation"]["total"]) == ("done", 1)


class Slow:
    """Keys that let somebody else write between the reading and the writing of a batch."""

    def __init__(self, inner: KeyEncryption, meanwhile: Callable[[], None]) -> None:
        self.inner, self.meanwhile = inner, meanwhile
        self.current, self.versions = inner.current, inner.versions

    def wrap(self, data_key: bytes, associated_data: bytes) -> bytes:
        self.meanwhile()
        return self.inner.wrap(data_key, associated_data)

    def unwrap(self, version: str, wrapped: bytes, associated_data: bytes) -> bytes:
        return self.inner.unwrap(version, wrapped, associated_data)


async def test_what_changes_meanwhile_is_not_overwritten(uri: str) -> None:
    async with started(World(uri)) as world:
        _, channel = await world.call("POST", "/api/channels", CREATE)
    both = World(uri, keks=world.keks | {"2": new_kek()}, key=world.key).settings().keyring()
    place = Place("channels", channel["id"], "access_token")
    replaced = both.seal("EAAreplaced", place)
    with MongoClient[Any](uri) as other:
        channels = other.get_default_database()["channels"]

        def replace_token() -> None:
            channels.update_one({"_id": channel["id"]}, {"$set": {"access_token": replaced}})

        slow = Keyring(Slow(both.keys, replace_token))
        async with AsyncMongoClient[Any](uri, tz_aware=True) as client:
            store = KeyringStore(client.get_default_database())
            await store.begin("2", "test", utc_now())
            claim = await store.claim("one", "2", utc_now())
            assert claim is not None
            assert await store.claim("other", "2", utc_now()) is None, "one works at a time"
            assert await store.claim("other", "1", utc_now()) is None, "it has another key"
            await store.rewrap(claim, slow)
            kept = channels.find_one({"_id": channel["id"]})
            assert kept is not None
            assert both.open(kept["access_token"], place) == "EAAreplaced"
            assert version_of(kept["app_secret"]) == "1", "left to the next round"
            await store.rewrap(claim, both)
            assert await store.versions() == {"2": 2}


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/rotation")])
async def test_only_the_operator_sees_to_the_key_ring(world: World, method: str, path: str) -> None:
    _, made = await world.call("POST", "/api/keys", {"label": "crm"})
    status, problem = await world.call(method, f"/api/keyring{path}", key=made["key"])
    assert (status, problem["type"]) == (403, "urn:platform:problem:scope-missing")
    stranger = new_api_key()
    async with started(World(world.uri, keks=world.keks, key=stranger), bootstrap_tenant="other"):
        pass
    status, problem = await world.call(method, f"/api/keyring{path}", key=stranger)
    assert (status, problem["type"]) == (403, "urn:platform:problem:operator-only")
