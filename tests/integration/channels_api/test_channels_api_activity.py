"""What happened at a channel's webhook, for its operator."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from channels_api.adapters.activity_store import (
    KEPT_PER_CHANNEL,
    TRIM_EVERY,
    ActivityStore,
    Item,
)
from channels_api.handlers.activity import HANDSHAKE_MESSAGES
from shared.bus.topology import ACTIVITY
from shared.clock import utc_now
from shared.contracts import (
    ChannelDeliveryObserved,
    ChannelHandshakeAttempted,
    ChannelProblemDetected,
)
from tests.integration.channels_api.world import CREATE, World
from tests.support.eventually import eventually

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def item(at: datetime, tenant: str = "t", channel_id: str = "mc_1") -> Item:
    return Item(tenant, channel_id, at, "delivery", {})


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
    assert "2 messages, 1 part ignored" in shown["delivery"]["message"]
    assert shown["problem"]["code"] == 190


async def test_it_is_shown_newest_first_with_the_time_it_happened(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    path = f"/api/channels/{channel['id']}/activity"
    tried = ChannelHandshakeAttempted(channel_id=channel["id"], outcome="wrong_mode")
    for minutes in (1, 3, 2):
        await world.tell("channel.handshake", tried, time=BEGAN + timedelta(minutes=minutes))

    async def kept() -> list[dict[str, Any]]:
        _, shown = await world.call("GET", path)
        return shown["activity"] if len(shown["activity"]) == 3 else []

    times = [shown["at"] for shown in await eventually(kept)]
    assert times == [f"2026-01-01T00:0{minutes}:00Z" for minutes in (3, 2, 1)]
    _, two = await world.call("GET", f"{path}?limit=2")
    assert [shown["at"] for shown in two["activity"]] == times[:2]
    assert (await world.call("GET", f"{path}?limit=501"))[0] == 422


def test_every_outcome_of_a_handshake_has_its_sentence() -> None:
    outcomes = get_args(ChannelHandshakeAttempted.model_fields["outcome"].annotation)
    assert HANDSHAKE_MESSAGES.keys() == set(outcomes)


async def test_another_tenants_word_about_a_channel_is_not_shown(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    tried = ChannelHandshakeAttempted(channel_id=channel["id"], outcome="verified")
    await world.tell("channel.handshake", tried, tenant="other")
    await world.tell("channel.handshake", tried)

    async def kept() -> list[dict[str, Any]]:
        _, shown = await world.call("GET", f"/api/channels/{channel['id']}/activity")
        return shown["activity"]

    assert len(await eventually(kept)) == 1


@pytest.mark.parametrize("step_s", [1, 0])
async def test_only_the_newest_activity_is_kept(database: Any, step_s: int) -> None:
    store = ActivityStore(database)
    for number in range(KEPT_PER_CHANNEL + TRIM_EVERY + 1):
        await store.add(f"{number:04d}", item(BEGAN + timedelta(seconds=number * step_s)))
    await store.add("other", item(BEGAN, channel_id="mc_2"))
    kept = await database["activity"].distinct("_id", {"channel_id": "mc_1"})
    assert kept == [
        f"{number:04d}" for number in range(TRIM_EVERY + 1, KEPT_PER_CHANNEL + TRIM_EVERY + 1)
    ]
    assert await database["activity"].count_documents({"channel_id": "mc_2"}) == 1


async def test_what_an_earlier_process_left_is_trimmed_too(database: Any) -> None:
    left = [
        {"_id": str(number), **asdict(item(BEGAN + timedelta(seconds=number)))}
        for number in range(KEPT_PER_CHANNEL + 30)
    ]
    await database["activity"].insert_many(left)
    await ActivityStore(database).add("newest", item(utc_now()))
    assert await database["activity"].count_documents({}) == KEPT_PER_CHANNEL
