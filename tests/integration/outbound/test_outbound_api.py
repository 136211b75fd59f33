"""``GET /api/deliveries``, the admin port, and the queries' indexes."""

from typing import Any

import pytest

from outbound.adapters.delivery_store import DeliveryStore
from shared.mongo.client import open_client
from tests.integration.outbound.world import TENANT, TEXT, Channel, Outbound, World, reply
from tests.support.eventually import eventually

pytestmark = pytest.mark.database


async def test_a_tenant_reads_the_deliveries_of_its_interaction(
    world: World, outbound: Outbound, channel: Channel
):
    parts = [
        reply(channel, interaction_id="int-parts", delivery_id=f"int-parts:{part}")
        for part in range(2)
    ]
    await outbound.deliver(*parts, reply(channel))
    for part in parts:
        await outbound.document(part.data["delivery_id"], state="sent")
    key = world.internal.issue(TENANT)
    status, body = await outbound.get("/api/deliveries?interaction_id=int-parts", key)
    assert status == 200
    assert [row["id"] for row in body["deliveries"]] == ["int-parts:0", "int-parts:1"]
    row = body["deliveries"][0]
    assert {name: row[name] for name in ("state", "attempts", "resent", "error", "text")} == {
        "state": "sent",
        "attempts": 1,
        "resent": False,
        "error": None,
        "text": TEXT,
    }
    assert row["channel_id"] == channel.id
    assert row["wamid"].startswith("wamid.")
    assert [step["state"] for step in row["history"]] == ["queued", "sending", "sent"]
    assert row["created_at"].endswith("Z")
    assert not {"to_phone", "to_user_id", "conversation_key", "emits"} & row.keys()


async def test_a_failed_delivery_says_why(world: World, outbound: Outbound, channel: Channel):
    await world.meta.fault({"type": "error", "code": 131026})
    command = reply(channel, interaction_id="int-failed")
    await outbound.deliver(command)
    await outbound.document(command.data["delivery_id"], state="failed")
    _, body = await outbound.get(
        "/api/deliveries?interaction_id=int-failed", world.internal.issue(TENANT)
    )
    error = body["deliveries"][0]["error"]
    assert error.pop("fbtrace_id").startswith("A")
    assert error == {"class": "permanent", "code": 131026, "detail": "undeliverable"}


async def test_another_tenant_sees_nothing_and_nobody_enters_without_a_key(
    world: World, outbound: Outbound, channel: Channel
):
    command = reply(channel, interaction_id="int-private")
    await outbound.deliver(command)
    await outbound.document(command.data["delivery_id"], state="sent")
    path = "/api/deliveries?interaction_id=int-private"
    assert await outbound.get(path, world.internal.issue("tn_other")) == (200, {"deliveries": []})
    assert (await outbound.get(path, None))[0] == 401
    assert (await outbound.get(path, "hx_" + "0" * 43))[0] == 401


async def test_without_a_filter_all_are_listed(world: World, outbound: Outbound, channel: Channel):
    commands = [reply(channel, interaction_id=f"int-{number}") for number in range(3)]
    await outbound.deliver(*commands)
    for command in commands:
        await outbound.document(command.data["delivery_id"], state="sent")
    key = world.internal.issue(TENANT)
    seen, cursor = [], ""
    while cursor is not None:
        _, page = await outbound.get(f"/api/deliveries?limit=2{cursor}", key)
        seen += [one["interaction_id"] for one in page["deliveries"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert sorted(seen) == ["int-0", "int-1", "int-2"]
    assert await outbound.get("/api/deliveries", world.internal.issue("tn_other")) == (
        200,
        {"deliveries": [], "next_cursor": None},
    )


async def test_a_revoked_key_is_refused(world: World, outbound: Outbound):
    key = world.internal.issue(TENANT)
    path = "/api/deliveries?interaction_id=none"
    assert (await outbound.get(path, key))[0] == 200
    world.internal.keys.clear()
    await outbound.revoked(key)

    async def refused() -> bool:
        return (await outbound.get(path, key))[0] == 401

    await eventually(refused)


async def test_the_api_can_be_switched_off(world: World):
    async with world.outbound(api_enabled=False) as outbound:
        assert "public" not in outbound.running.ports


async def test_every_query_has_an_index(
    world: World, outbound: Outbound, channel: Channel, mongodb_uri: str
):
    await world.meta.fault({"type": "error", "code": 190}, times=None)
    commands = [reply(channel, phone=f"4477001{n:05d}") for n in range(30)]
    await outbound.deliver(*commands)
    for command in commands:
        await outbound.document(command.data["delivery_id"], waiting="channel")

    database = world.database
    await database.command("profile", 2)
    async with open_client(mongodb_uri, app_name="store-under-test") as client:
        store = DeliveryStore(client[database.name], world.clock)
        now = world.clock()
        first = await store.get(commands[0].data["delivery_id"])
        assert first is not None
        await store.due(now, 10)
        await store.next_due_at(now)
        await store.first_open(first.conversation_key)
        await store.release_next(first.conversation_key, now)
        await store.resume_channel(channel.id, now)
        await store.resume_channel(None, now)
        await store.reported(TENANT, channel.id, delivery_id=first.id, wamid="wamid.none")
        await store.reported(TENANT, channel.id, delivery_id=None, wamid="wamid.none")
        await store.of_interactions(TENANT, [first.interaction_id])
        await store.replace(first, ())
    await database.command("profile", 0)
    profiled: list[dict[str, Any]] = [
        entry
        async for entry in database["system.profile"].find(
            {"appName": "store-under-test", "ns": f"{database.name}.deliveries"}
        )
    ]
    plans = [entry.get("planSummary", "") for entry in profiled]
    assert len(plans) >= 11
    assert all("COLLSCAN" not in plan for plan in plans), plans


async def test_metrics_count_end_states_by_code(world: World, outbound: Outbound, channel: Channel):
    await world.meta.fault({"type": "error", "code": 131026})
    dead, good = reply(channel), reply(channel)
    await outbound.deliver(dead, good)
    await outbound.document(good.data["delivery_id"], state="sent")
    await eventually(lambda: outbound.record.events("reply.sent"))
    metrics = outbound.running.metrics
    counted = metrics.deliveries.labels("failed", "131026")._value.get()
    sent = metrics.deliveries.labels("sent", "")._value.get()
    assert (counted, sent) == (1, 1)
