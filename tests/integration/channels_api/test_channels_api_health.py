"""A channel's health: from events and by its operator, shown, stored and told."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient

from channels_api.adapters.channel_store import ChannelStore
from channels_api.adapters.collections import CHANNELS
from channels_api.domain.audit import entry
from channels_api.domain.health import problem_detected
from channels_api.handlers.health import WatchHealth
from shared.bus.memory import MemoryBus
from shared.bus.outbox import Outbox
from shared.bus.topology import ACTIVITY, TOPOLOGY
from shared.clock import utc_now
from shared.contracts import (
    ChannelAccountNoticeReceived,
    ChannelNeedsAttention,
    ChannelProblemDetected,
    ChannelProblemEnded,
    ChannelRecovered,
    Envelope,
    Payload,
)
from shared.telemetry.metrics import Metrics
from tests.integration.channels_api.world import CREATE, World, started
from tests.support.eventually import eventually
from tests.unit.channels_api.test_channels_api_domain import CHANNEL

OK = {
    **dict.fromkeys(("problem", "detail", "code", "since")),
    "state": "ok",
    "paused": False,
}
AGO = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
"""With microseconds, which the database does not keep."""
MINUTE = timedelta(minutes=1)
KEYS = {
    ChannelProblemDetected: "channel.problem",
    ChannelProblemEnded: "channel.problem_ended",
    ChannelAccountNoticeReceived: "channel.account_notice",
}


class Connected:
    """A connected channel, and what is heard of it."""

    def __init__(self, world: World, channel: dict[str, Any]) -> None:
        self.world = world
        self.id: str = channel["id"]
        self.path = f"/api/channels/{self.id}"
        self.lines = 0

    async def hears(self, payload: Payload, at: datetime = AGO) -> Envelope:
        """Publish and wait until it was handled: its line is the last thing that is written."""
        told = await self.world.tell(KEYS[type(payload)], payload, time=at)
        self.lines += 1
        await self.has_lines(self.lines)
        return told

    async def problem(self, slug: str, at: datetime = AGO, code: int | None = None) -> Envelope:
        detected = ChannelProblemDetected(
            channel_id=self.id, problem=slug, detail=f"Mend {slug}.", code=code
        )
        return await self.hears(detected, at)

    async def ended(self, at: datetime) -> Envelope:
        return await self.hears(ChannelProblemEnded(channel_id=self.id), at)

    async def notice(
        self, topic: str, at: datetime = AGO, account_id: str = "", **value: Any
    ) -> Envelope:
        received = ChannelAccountNoticeReceived(
            channel_id=self.id,
            account_id=account_id or None,
            topic=topic,
            notice=value,
            received_at=at,
        )
        return await self.hears(received, at)

    async def has_lines(self, count: int) -> list[dict[str, Any]]:
        async def kept() -> list[dict[str, Any]]:
            _, shown = await self.world.call("GET", f"{self.path}/activity")
            return shown["activity"] if len(shown["activity"]) >= count else []

        return await eventually(kept)

    async def shown(self) -> dict[str, Any]:
        return (await self.world.call("GET", self.path))[1]

    async def health(self) -> dict[str, Any]:
        return (await self.shown())["health"]

    async def paused(self) -> bool:
        _, outbound = await self.world.ask(f"/internal/channels/{self.id}/outbound")
        return outbound["paused"]

    def changes(self) -> list[str]:
        return [e.data["change"] for e in self.world.told if e.data["channel_id"] == self.id]

    def watched(self) -> list[tuple[str, str | None]]:
        return [(e.type, e.data.get("problem")) for e in self.world.watched]


async def connected(world: World, **more: Any) -> Connected:
    return Connected(world, (await world.call("POST", "/api/channels", CREATE | more))[1])


NEEDS, RECOVERED = ChannelNeedsAttention.TYPE, ChannelRecovered.TYPE


async def test_a_problem_is_shown_and_told_until_a_reply_goes_out(world: World) -> None:
    channel = await connected(world)
    assert await channel.health() == OK
    cause = await channel.problem("token_rejected", code=190)
    shown = await channel.shown()
    assert shown["health"] == {
        "state": "needs_attention",
        "problem": "token_rejected",
        "detail": "Mend token_rejected.",
        "code": 190,
        "since": "2026-01-01T12:00:00.123000Z",
        "paused": False,
    }
    assert (shown["state"], shown["version"]) == ("active", 2)
    _, listed = await world.call("GET", "/api/channels")
    assert listed["channels"] == [shown]
    assert channel.changes() == ["created", "health"]
    (told,) = world.watched
    assert told.data == {
        "channel_id": channel.id,
        "problem": "token_rejected",
        "detail": "Mend token_rejected.",
        "code": 190,
    }
    assert (told.subject, told.causation, told.source) == (channel.id, cause.id, "channels-api")
    await channel.ended(AGO + MINUTE)
    assert await channel.health() == OK
    assert channel.changes() == ["created", "health", "updated"]
    assert channel.watched() == [(NEEDS, "token_rejected"), (RECOVERED, None)]


async def test_the_activity_tells_it_in_sentences(world: World) -> None:
    channel = await connected(world)
    await channel.problem("payment_missing", AGO, 131042)
    await channel.ended(AGO + MINUTE)
    await channel.notice("account_review_update", AGO + 2 * MINUTE, decision="APPROVED")
    lines = [(line["kind"], line["detail"]) for line in await channel.has_lines(3)]
    sentence = "Meta's review approved the WhatsApp account."
    assert lines == [
        (
            "account_notice",
            {"topic": "account_review_update", "problem": None, "message": sentence},
        ),
        ("problem_ended", {"message": "A reply went out: sending works."}),
        (
            "problem",
            {"problem": "payment_missing", "message": "Mend payment_missing.", "code": 131042},
        ),
    ]


async def test_a_redelivery_changes_nothing_and_tells_nothing(world: World) -> None:
    channel = await connected(world)
    detected = await channel.problem("spam_limit")
    before = await channel.shown()
    await world.bus.publish(ACTIVITY, "channel.problem", detected)
    ended = await channel.ended(AGO + MINUTE)
    after = await channel.shown()
    assert (before["version"], after["version"]) == (2, 3)
    for again, key in ((ended, "channel.problem_ended"), (detected, "channel.problem")):
        await world.bus.publish(ACTIVITY, key, again)
    # Another line of the same channel comes after them in order.
    await channel.problem("bad_signature", AGO + 2 * MINUTE)
    assert await channel.shown() == after
    assert channel.changes() == ["created", "health", "updated"]
    assert len(world.watched) == 2


async def test_an_old_problem_does_not_undo_a_newer_recovery(world: World) -> None:
    channel = await connected(world)
    await channel.ended(AGO + MINUTE)
    await channel.problem("token_rejected", AGO)
    assert await channel.health() == OK
    assert channel.changes() == ["created"]
    assert world.watched == []
    await channel.problem("token_rejected", AGO + 2 * MINUTE)
    assert (await channel.health())["state"] == "needs_attention"


async def test_a_problem_that_stays_is_told_once(world: World) -> None:
    channel = await connected(world)
    for minutes in (0, 10, 20):
        await channel.problem("token_rejected", AGO + minutes * MINUTE)
    assert (await channel.health())["since"] == "2026-01-01T12:00:00.123000Z"
    assert channel.watched() == [(NEEDS, "token_rejected")]


async def test_what_anybody_can_cause_is_a_line_only(world: World) -> None:
    channel = await connected(world)
    await channel.problem("bad_signature")
    assert (await channel.shown())["version"] == 1


async def test_meta_stops_an_account_and_lets_it_go(world: World) -> None:
    channel = await connected(world, waba_id="102290129340398")
    ours: dict[str, Any] = {"account_id": "102290129340398", "event": "DISABLED_UPDATE"}
    await channel.notice("account_update", **ours, ban_info={"waba_ban_state": "DISABLE"})
    health = await channel.health()
    assert (health["problem"], health["paused"]) == ("account_disabled", True)
    assert await channel.paused()
    await channel.notice(
        "account_update", AGO + MINUTE, **ours, ban_info={"waba_ban_state": "REINSTATE"}
    )
    assert await channel.health() == OK
    assert not await channel.paused()
    assert channel.changes() == ["created", "health", "updated"]
    assert channel.watched() == [(NEEDS, "account_disabled"), (RECOVERED, None)]


async def test_a_warning_pauses_nothing(world: World) -> None:
    channel = await connected(world)
    await channel.notice("phone_number_quality_update", event="FLAGGED")
    assert (await channel.health())["problem"] == "quality_flagged"
    assert not await channel.paused()


async def test_the_template_of_the_channel_is_its_own(world: World) -> None:
    channel = await connected(world, window_template="we_are_back")
    rejected: dict[str, Any] = {"event": "REJECTED", "message_template_language": "en_US"}
    topic = "message_template_status_update"
    await channel.notice(topic, **rejected, message_template_name="another")
    assert await channel.health() == OK
    await channel.notice(topic, **rejected, message_template_name="we_are_back")
    assert (await channel.health())["problem"] == "window_template"
    _, updated = await world.call("PATCH", channel.path, {"window_template": "another"})
    assert updated["health"] == OK


async def test_a_notice_about_another_account_changes_nothing(world: World) -> None:
    channel = await connected(world, waba_id="102290129340398")
    await channel.notice("account_update", account_id="7", event="ACCOUNT_DELETED")
    (line,) = await channel.has_lines(1)
    assert line["detail"]["message"].startswith("About another WhatsApp account")
    assert await channel.health() == OK


async def test_another_tenants_word_changes_nothing(world: World) -> None:
    channel = await connected(world)
    detected = ChannelProblemDetected(channel_id=channel.id, problem="token_rejected", detail="x")
    await world.tell("channel.problem", detected, tenant="other")
    await channel.problem("bad_signature")
    assert await channel.health() == OK
    assert len(await channel.has_lines(1)) == 1


async def test_a_new_token_mends_what_the_old_one_broke(world: World) -> None:
    channel = await connected(world)
    await channel.problem("token_rejected")
    await channel.problem("payment_missing")
    _, updated = await world.call("PATCH", channel.path, {"access_token": "EAAanother0987654321"})
    assert updated["health"]["problem"] == "payment_missing"
    line = (await channel.has_lines(3))[0]
    assert (line["kind"], line["detail"]) == (
        "mended",
        {
            "problem": "token_rejected",
            "message": "Taken as mended, because the channel has a new access token: token "
            "rejected.",
        },
    )
    assert channel.watched() == [(NEEDS, "token_rejected"), (NEEDS, "payment_missing")]
    # Reported with the old token, heard after the new one.
    channel.lines += 1
    await channel.problem("token_rejected", AGO + MINUTE)
    assert (await channel.health())["problem"] == "payment_missing"


async def test_activating_it_again_mends_all_but_what_meta_stopped(world: World) -> None:
    channel = await connected(world)
    await channel.problem("payment_missing")
    await channel.notice("account_update", event="ACCOUNT_RESTRICTION")
    await world.call("PATCH", channel.path, {"state": "disabled"})
    _, updated = await world.call("PATCH", channel.path, {"state": "active"})
    health = updated["health"]
    assert (health["problem"], health["paused"]) == ("messaging_restricted", True)
    assert channel.changes()[-2:] == ["updated", "updated"]


async def test_the_operator_may_try_again_whatever_meta_said(world: World) -> None:
    channel = await connected(world)
    await channel.notice("account_update", event="ACCOUNT_RESTRICTION")
    _, updated = await world.call("PATCH", channel.path, {"health": "ok"})
    assert updated["health"] == OK
    assert not await channel.paused()
    assert channel.changes()[-1] == "updated"
    await eventually(lambda: channel.watched()[-1] == (RECOVERED, None))
    status, _ = await world.call("PATCH", channel.path, {"health": "needs_attention"})
    assert status == 422


async def test_a_deleted_channel_hears_nothing_more(world: World) -> None:
    channel = await connected(world)
    other = await connected(world)
    await world.call("DELETE", channel.path)
    detected = ChannelProblemDetected(channel_id=channel.id, problem="token_rejected", detail="x")
    await world.tell("channel.problem", detected)
    await other.problem("bad_signature")
    assert channel.changes() == ["created", "deleted"]
    assert world.watched == []


async def test_a_channel_from_before_there_was_health_is_well(world: World) -> None:
    channel = await connected(world)
    async with AsyncMongoClient[Any](world.uri) as client:
        channels = client.get_default_database()[CHANNELS]
        await channels.update_one({"_id": channel.id}, {"$unset": {"health": ""}})
    assert await channel.health() == OK
    await channel.problem("token_rejected")
    assert (await channel.health())["problem"] == "token_rejected"


async def test_what_a_dead_broker_kept_is_told_later(uri: str) -> None:
    async with started(World(uri)) as world:
        channel = await connected(world)
        await channel.problem("token_rejected")
        await world.bus.close()
        status, _ = await world.call("PATCH", channel.path, {"health": "ok"})
        assert status == 200
    async with started(World(uri, keks=world.keks, key=world.key)) as again:
        await eventually(lambda: again.told)
        await eventually(lambda: [e.type for e in again.watched] == [RECOVERED])


async def test_health_that_changes_meanwhile_refuses_no_operator(world: World) -> None:
    channel = await connected(world)
    for number in range(10):
        payload: Payload = ChannelProblemEnded(channel_id=channel.id)
        if number % 2 == 0:
            payload = ChannelProblemDetected(
                channel_id=channel.id, problem="spam_limit", detail="Wait."
            )
        told = world.tell(KEYS[type(payload)], payload, time=AGO + number * MINUTE)
        patched = world.call("PATCH", channel.path, {"label": f"label {number}"})
        _, (status, _) = await asyncio.gather(told, patched)
        assert status == 200
    await channel.has_lines(10)
    shown = await channel.shown()
    assert (shown["label"], shown["version"], shown["health"]) == ("label 9", 21, OK)


async def test_at_once_from_many_sides_every_word_counts_once(database: Any) -> None:
    store = ChannelStore(database, utc_now)
    bus, metrics = MemoryBus(), Metrics()
    await bus.declare(TOPOLOGY)
    watch = WatchHealth(store, Outbox(database[CHANNELS], bus, utc_now, metrics))
    made = entry(
        "created", (), key_label="test", key_hash="0" * 64, version=1, at=CHANNEL.created_at
    )
    await store.insert(CHANNEL, [], made)
    slugs = ["token_rejected", "payment_missing", "spam_limit", "number_not_ready"]

    async def hear(slug: str) -> None:
        detected = ChannelProblemDetected(channel_id=CHANNEL.id, problem=slug, detail="Mend it.")
        envelope = Envelope.of(detected, source="x", subject=CHANNEL.id, tenant=CHANNEL.tenant)
        verdict = problem_detected(slug, "Mend it.", None)
        await watch.judge(envelope, CHANNEL.id, AGO, lambda _: verdict)

    await asyncio.gather(*(hear(slug) for slug in slugs * 3))
    after = await store.get(CHANNEL.tenant, CHANNEL.id)
    assert sorted(problem.slug for problem in after.health.problems) == sorted(slugs)
    assert after.version == CHANNEL.version + len(slugs)
    # Nobody changed it.
    kept = await store.audit(CHANNEL.tenant, CHANNEL.id, 10)
    assert [item["action"] for item in kept] == ["created"]
