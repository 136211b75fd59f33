"""The read API: pages, filters, names of a person, other tenants, memories; and its indexes."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from brain.adapters.traffic import INDEX, buckets
from tests.integration.brain.world import PHONE, TENANT, Brain, World, whatsapp

SHOWN = {
    *("id", "user_id", "external_id", "channel", "channel_id", "provider_message_id", "at"),
    *("sent_at", "message", "mood", "energy", "user", "timing", "safety", "context", "analysis"),
    *("proactive", "memory", "policy", "experiments", "reply"),
}


async def pages(brain: Brain, path: str, part: str, limit: int = 2) -> list[list[dict]]:
    found, cursor = [], None
    mark = "&" if "?" in path else "?"
    while True:
        page = await brain.get(
            f"{path}{mark}limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        )
        assert set(page) == {part, "next_cursor"}
        found.append(page[part])
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_interactions_come_newest_first_page_by_page(brain: Brain):
    said = [f"message {n}" for n in range(5)]
    for text in said:
        await brain.processed(text)
    found = await pages(brain, "/api/users/u1/interactions", "interactions")
    assert [len(page) for page in found] == [2, 2, 1]
    rows = [row for page in found for row in page]
    assert [row["message"]["text"] for row in rows] == said[::-1]
    assert set(rows[0]) == SHOWN
    one = await brain.get(f"/api/interactions/{rows[0]['id']}")
    assert one == rows[0]
    assert rows == [
        row for p in await pages(brain, "/api/interactions", "interactions") for row in p
    ]


async def test_a_page_boundary_at_one_moment_loses_nothing(brain: Brain):
    await asyncio.gather(*(brain.processed(f"m {n}", user_id=f"p{n}") for n in range(7)))
    moment = (await brain.database["interactions"].find_one({}))["at"]
    await brain.database["interactions"].update_many({}, {"$set": {"at": moment}})
    await brain.database["end_users"].update_many({}, {"$set": {"last_seen": moment}})
    for path, part in (("/api/interactions", "interactions"), ("/api/users", "users")):
        ids = [row["id"] for page in await pages(brain, path, part) for row in page]
        assert len(ids) == len(set(ids)) == 7


async def test_filters(brain: Brain):
    await brain.processed("I feel great")
    await brain.processed("I want to kill myself")
    await brain.processed("hello there", user_id="u2", channel="web")
    message = whatsapp("hello there")
    await brain.deliver(message)
    await brain.interaction(message)

    async def count(path: str, part: str) -> int:
        return len((await brain.get(path))[part])

    assert await count("/api/interactions", "interactions") == 4
    assert await count("/api/interactions?channel=web", "interactions") == 1
    assert await count("/api/interactions?action=BLOCK", "interactions") == 1
    assert await count("/api/interactions?action=BLOCK&channel=web", "interactions") == 0
    samples = [s for metric in brain.running.metrics.interactions.collect() for s in metric.samples]
    assert {s.labels["channel"] for s in samples} == {"api", "whatsapp"}
    assert await count("/api/users", "users") == 3
    assert await count("/api/users?channel=whatsapp", "users") == 1
    channel_id = (await brain.get("/api/interactions"))["interactions"][0]["channel_id"]
    assert await count(f"/api/interactions?channel_id={channel_id}", "interactions") == 1
    assert await count("/api/users?action=BLOCK", "users") == 1
    assert await count("/api/users?action=PROCEED", "users") == 2
    moods = [await count(f"/api/users?mood={name}", "users") for name in ("low", "even", "good")]
    assert sum(moods) == 3
    for q, people in (("u", 2), ("U2", 1), ("%2B4477", 1), (PHONE, 1), ("7700", 0), ("", 3)):
        assert await count(f"/api/users?q={q}", "users") == people, q
    assert await count("/api/users?seen_since=2999-01-01T00:00:00Z", "users") == 0
    assert await count("/api/users?q=.*", "users") == 0
    for bad in (
        "?action=NOPE",
        "?limit=0",
        "?limit=201",
        "?limit=x",
        "?cursor=%21",
        "?cursor=YQ==",
    ):
        answer = await brain.call("GET", f"/api/interactions{bad}")
        assert (answer.status, answer.problem) == (422, "invalid-request"), bad


async def test_a_person_is_found_by_every_name(brain: Brain):
    message = whatsapp("hello there", user_id="GB.123")
    await brain.deliver(message)
    row = await brain.interaction(message)
    shown = await brain.get(f"/api/users/{row['user_id']}")
    assert (shown["id"], shown["external_id"], shown["name"]) == (row["user_id"], PHONE, "Sarah")
    assert 0 <= shown["mood"] <= 1
    for name in (PHONE, f"+{PHONE}", f"%2B{PHONE}", "GB.123"):
        assert (await brain.get(f"/api/users/{name}"))["id"] == row["user_id"]
    own = await brain.processed("hello there", user_id="crm-7")
    assert own["user"]["id"] == "crm-7"
    assert (await brain.get("/api/users/crm-7"))["id"] != row["user_id"]
    # The tenant's own id wins over a phone number that reads the same.
    await brain.processed("hello there", user_id=PHONE)
    assert (await brain.get(f"/api/users/{PHONE}"))["channel"] == "api"
    missing = await brain.call("GET", "/api/users/nobody")
    assert (missing.status, missing.problem) == (404, "not-found")


async def test_another_tenant_sees_nothing(brain: Brain, world: World):
    mine = await brain.processed("a private matter")
    user = await brain.get("/api/users/u1")
    other = world.keys.issue("tn_other")
    for path in ("/api/users", "/api/interactions"):
        page = await brain.get(path, key=other)
        assert next(iter(page.values())) == []
    for path in (
        "/api/users/u1",
        f"/api/users/{user['id']}",
        f"/api/users/{user['id']}/interactions",
        f"/api/users/{user['id']}/memories",
        f"/api/interactions/{mine['interaction_id']}",
    ):
        assert (await brain.call("GET", path, key=other)).status == 404, path
    assert await brain.get("/api/sdk/history/u1", key=other) == []
    assert (await brain.call("DELETE", "/api/sdk/history/u1", key=other)).status == 204
    assert len(await brain.get("/api/sdk/history/u1")) == 2
    brain.key = other
    assert (await brain.processed("hello"))["user"]["interaction_count"] == 1


async def test_memories_with_and_without_a_question(brain: Brain):
    for text in ("I work at TechCorp", "my dog is called Rex", "I like green apples"):
        await brain.processed(text)
    newest = await brain.get("/api/users/u1/memories?limit=2")
    assert [m["text"] for m in newest["memories"]] == [
        "I like green apples",
        "my dog is called Rex",
    ]
    assert newest["total_stored"] == 3
    asked = await brain.get("/api/users/u1/memories?q=what+is+my+dog+called")
    assert [m["text"] for m in asked["memories"]] == ["my dog is called Rex"]
    assert set(asked["memories"][0]) == {"id", "text", "similarity", "timestamp"}


async def test_a_database_that_refuses_is_503_and_nothing_is_lost(brain: Brain):
    refuse: dict[str, Any] = {"_id": {"$exists": False}}
    await brain.database.command("collMod", "interactions", validator=refuse)
    refused = await brain.process("I feel great", idempotency_key="k-9")
    assert (refused.status, refused.problem) == (503, "unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    await brain.database.command("collMod", "interactions", validator={})
    again = await brain.process("I feel great", idempotency_key="k-9")
    assert (again.status, again.json["user"]["interaction_count"]) == (200, 1)


async def test_every_query_uses_an_index(world: World):
    async with world.brain() as brain:
        # Enough of others that a plan without the right index would be seen to read them.
        await asyncio.gather(*(brain.processed("hello", user_id=f"p{n}") for n in range(40)))
        await world.database.command("profile", 2)
        for n in range(6):
            await brain.processed(f"I like fruit number {n}", idempotency_key=f"k{n}")
        messages = [whatsapp("by phone"), whatsapp("by id", phone=None, user_id="GB.1")]
        messages += [whatsapp("by both", user_id="GB.1"), whatsapp("by nobody", phone=None)]
        await brain.deliver(*messages)
        await brain.interaction(messages[2])
        user = await brain.get("/api/users/u1")
        for path in (
            "/api/users?channel=api",
            "/api/users?q=u1&mood=low&action=PROCEED&seen_since=2020-01-01T00:00:00Z",
            "/api/users?mood=good",
            "/api/users?action=BLOCK",
            "/api/users?q=gb",
            "/api/alerts",
            "/api/alerts?state=all",
            "/api/overview",
            "/api/overview?hours=720",
            "/api/interactions?channel_id=mc_1",
            "/api/interactions?action=BLOCK",
            f"/api/users/{user['id']}/memories?q=fruit",
            "/api/users/u1/interactions?action=PROCEED&channel=api",
            "/api/interactions?channel=api",
            "/api/sdk/history/u1",
        ):
            await brain.get(path)
        await pages(brain, "/api/interactions", "interactions", limit=15)
        await pages(brain, "/api/users", "users", limit=15)
        await brain.call("DELETE", "/api/sdk/history/u1")
        await brain.get("/api/sdk/history/u1")
        await brain.idle()
    async with world.brain(memory_cap=2) as brain:
        await brain.processed("one more fruit")
    await world.database.command("profile", 0)
    profile = world.database["system.profile"]
    ours = {"ns": {"$not": {"$regex": "system"}}, "planSummary": {"$exists": True}}
    plans = await profile.find(ours).to_list()
    seen = {(plan["ns"].split(".", 1)[1], plan["op"], plan["planSummary"]) for plan in plans}
    assert {"end_users", "interactions", "memories", "unprocessed"} <= {name for name, *_ in seen}
    assert len(seen) > 10
    assert not [plan for plan in seen if "COLLSCAN" in plan[2]], seen
    for plan in plans:
        # Whoever is found by the beginning of a word comes in the order of words.
        searched = "'search'" in str(plan["command"])
        assert searched or not plan.get("hasSortStage"), plan["command"]
        # Reads little more than it returns: the index bounds are right, not only its name.
        assert plan.get("docsExamined", 0) <= plan.get("nreturned", 0) + 15, plan["command"]
    tenants = await world.database["end_users"].distinct("tenant")
    assert tenants == [TENANT]


async def test_the_overview_counts_without_reading_a_single_interaction(brain: Brain):
    empty = await brain.get("/api/overview")
    assert (empty["received"], empty["people"], empty["latency_ms"]) == (0, 0, None)
    assert len(empty["buckets"]) == 24
    for number in range(3):
        await brain.processed(f"hello {number}")
    await brain.processed("I want to kill myself", user_id="u2")
    found = await brain.get("/api/overview?hours=2")
    assert len(found["buckets"]) == 24
    assert (found["received"], found["people"], found["open_alerts"]) == (4, 2, 1)
    assert sum(bucket["blocked"] for bucket in found["buckets"]) == 1
    assert found["answered"] >= 1
    assert 0 <= found["latency_ms"]["median"] <= found["latency_ms"]["p95"]
    pipeline = buckets(TENANT, datetime.now(UTC) - timedelta(hours=2), timedelta(hours=1))
    told = await brain.database.command(
        "explain",
        {"aggregate": "interactions", "pipeline": pipeline, "cursor": {}, "hint": INDEX},
        verbosity="executionStats",
    )
    assert examined(told) == {0}
    for bad in ("0", "745", "x"):
        assert (await brain.call("GET", f"/api/overview?hours={bad}")).status == 422


def examined(told: Any) -> set[int]:
    """Every count of documents that were fetched."""
    if isinstance(told, dict):
        own = {told["totalDocsExamined"]} if "totalDocsExamined" in told else set()
        return own.union(*(examined(value) for value in told.values()))
    if isinstance(told, list):
        return set().union(*(examined(value) for value in told))
    return set()
