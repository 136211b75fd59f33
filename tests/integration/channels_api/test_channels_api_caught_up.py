"""Replicas are told that they have heard of every change, and only while that is true."""

from typing import Any

from pymongo import AsyncMongoClient

from shared.contracts import ControlCaughtUp
from tests.integration.channels_api.world import CREATE, World
from tests.support.eventually import eventually


async def test_it_is_told_again_and_again(world: World) -> None:
    await eventually(lambda: len(world.beats) >= 3)
    times = [beat.payload(ControlCaughtUp).as_of for beat in world.beats]
    assert times == sorted(times)


async def test_it_is_not_told_while_a_change_waits(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    async with AsyncMongoClient[Any](world.uri) as client:
        channels = client.get_default_database()["channels"]
        # As a crash leaves it: old enough for the sweeper, but no message that could leave.
        stuck = {"emits_pending": True, "emits": [{"id": "x", "body": b"{"}]}
        await channels.update_one({"_id": channel["id"]}, {"$set": stuck})
        written = await channels.find_one({"_id": channel["id"]}, {"updated_at": 1})
        assert written is not None
        await eventually(lambda: world.beats)
        since = len(world.beats)
        # Whoever is asked meanwhile answers; beats are on their way for one round at most.
        for _ in range(3):
            await world.call("GET", "/api/channels")
        await channels.update_one({"_id": channel["id"]}, {"$set": {"emits_pending": False}})
    await eventually(lambda: len(world.beats) > since + 1)
