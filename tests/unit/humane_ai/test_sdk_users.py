"""``client.users``: people, pauses, and what a human writes."""

from dataclasses import FrozenInstanceError, asdict
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

import humane_ai
from humane_ai import DeliverySummary, ProfileFact, User, UserChannel
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import Wire, refused
from tests.unit.humane_ai.wire_records import MEMORY, USER

AT = datetime(2026, 3, 1, 10, 0, 0, 250000, tzinfo=timezone.utc)


async def test_a_person_is_read_field_by_field(call: Caller, wire: Wire) -> None:
    user: User = await call(lambda c: c.users.get("sarah"))
    (seen,) = wire.seen
    assert (seen.method, seen.path, seen.body) == ("GET", "/api/users/sarah", None)
    shown = asdict(user)
    plain = {
        name: value
        for name, value in USER.items()
        if name not in ("known_since", "last_seen", "channels", "profile")
    }
    assert {name: shown[name] for name in plain} == plain
    assert user.known_since == datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert user.last_seen == AT
    assert user.channels == (UserChannel("mc_1", AT),)
    assert user.profile == (
        ProfileFact(
            kind="event",
            key="event:exam",
            value="exam",
            said="My exam is on Friday.",
            interaction_id="i-1",
            stated_at=AT,
            on=date(2026, 3, 6),
        ),
    )
    assert (user.is_frustrated, user.is_tired, user.is_trusted) == (True, True, True)
    assert user.raw == USER


async def test_a_person_cannot_be_changed_here(call: Caller) -> None:
    user = await call(lambda c: c.users.get("sarah"))
    with pytest.raises(FrozenInstanceError):
        user.mood = 1.0


async def test_what_is_missing_or_new_is_borne(call: Caller, wire: Wire) -> None:
    wire.records.users = [
        {"id": "u-1", "mood": "high", "last_seen": "then", "channels": [7], "tomorrows": 1}
    ]
    assert await call(lambda c: c.users.get("u-1")) == User(id="u-1")


async def test_a_time_without_a_zone_is_utc(call: Caller, wire: Wire) -> None:
    wire.records.users = [{"id": "u-1", "last_seen": "2026-03-01T10:00:00.25"}]
    assert (await call(lambda c: c.users.get("u-1"))).last_seen == AT


async def test_an_id_is_one_piece_of_the_path(call: Caller, wire: Wire) -> None:
    with pytest.raises(humane_ai.NotFoundError, match="None such"):
        await call(lambda c: c.users.get("+43 1/2?x"))
    assert wire.seen[0].path == "/api/users/%2B43%201%2F2%3Fx"


@pytest.mark.parametrize(
    "act",
    [
        lambda c: c.users.get(""),
        lambda c: c.users.messages(".."),
        lambda c: c.users.interactions("."),
        lambda c: c.users.memories(""),
        lambda c: c.users.send("", text="hi"),
        lambda c: c.users.pause(""),
    ],
)
async def test_an_id_that_is_none_is_refused_at_the_call(
    call: Caller, wire: Wire, act: Any
) -> None:
    with pytest.raises(humane_ai.InvalidArgumentError, match="user_id"):
        await call(act)
    assert wire.seen == []


async def test_a_pause_lasts_until_it_is_ended(call: Caller, wire: Wire) -> None:
    paused = await call(lambda c: c.users.pause("u-1"))
    assert paused.held_until == datetime(9999, 1, 1, tzinfo=timezone.utc)
    assert (await call(lambda c: c.users.resume("u-1"))).held_until is None
    assert [(seen.method, seen.path, seen.body) for seen in wire.seen] == [
        ("PATCH", "/api/users/u-1", {"auto_reply": "paused"}),
        ("PATCH", "/api/users/u-1", {"auto_reply": "on"}),
    ]


async def test_a_pause_with_an_end(call: Caller, wire: Wire) -> None:
    until = datetime(2026, 3, 1, 18, 30, tzinfo=timezone(timedelta(hours=2)))
    paused = await call(lambda c: c.users.pause("u-1", until=until))
    assert wire.seen[0].body == {"auto_reply": {"paused_until": "2026-03-01T18:30:00+02:00"}}
    assert paused.held_until == until


async def test_a_pause_until_a_time_without_a_zone_is_refused_here(
    call: Caller, wire: Wire
) -> None:
    until = datetime(2026, 3, 1, 18, 30)  # noqa: DTZ001 - what is refused
    with pytest.raises(humane_ai.InvalidArgumentError, match="time zone"):
        await call(lambda c: c.users.pause("u-1", until=until))
    assert wire.seen == []


async def test_a_text_is_sent(call: Caller, wire: Wire) -> None:
    message = await call(
        lambda c: c.users.send("u-1", text="Ann here.", channel_id="mc_1", pause_s=0)
    )
    (seen,) = wire.seen
    assert (seen.method, seen.path) == ("POST", "/api/users/u-1/messages")
    assert seen.body == {"text": "Ann here.", "channel_id": "mc_1", "pause_s": 0}
    assert (message.id, message.user_id, message.text) == ("m-1", "u-1", "Ann here.")
    assert (message.channel_id, message.author, message.template) == ("mc_1", "operator", None)
    assert (message.at, message.reaction.emoji) == (AT, "\U0001f44d")
    assert message.deliveries == (DeliverySummary("d-1", "read", AT),)


@pytest.mark.parametrize(
    ("template", "sent"),
    [
        ("we_are_back", {"name": "we_are_back"}),
        (
            {"name": "hi", "language": "pt_BR", "components": [{"type": "body"}]},
            {"name": "hi", "language": "pt_BR", "components": [{"type": "body"}]},
        ),
    ],
)
async def test_a_template_is_sent(call: Caller, wire: Wire, template: Any, sent: Any) -> None:
    await call(lambda c: c.users.send("u-1", template=template))
    assert wire.seen[0].body == {"template": sent}


@pytest.mark.parametrize("what", [{}, {"text": "hi", "template": "hi"}])
async def test_text_or_template_one_of_them(call: Caller, wire: Wire, what: Any) -> None:
    with pytest.raises(humane_ai.InvalidArgumentError, match="text or template"):
        await call(lambda c: c.users.send("u-1", **what))
    assert wire.seen == []


async def test_a_message_with_a_key_of_the_callers_own(call: Caller, wire: Wire) -> None:
    first, second = [
        await call(lambda c: c.users.send("u-1", text="hi", idempotency_key="ticket-7"))
        for _ in range(2)
    ]
    assert {seen.headers["idempotency-key"] for seen in wire.seen} == {"ticket-7"}
    assert (first, wire.acted) == (second, 1)


async def test_a_closed_window_is_told(call: Caller, wire: Wire) -> None:
    wire.faults.append(refused(409, "window-closed", "Send a template."))
    with pytest.raises(humane_ai.ConflictError, match="Send a template") as caught:
        await call(lambda c: c.users.send("u-1", text="hi"))
    assert (caught.value.status, caught.value.slug) == (409, "window-closed")
    assert len(wire.seen) == 1


@pytest.mark.parametrize(
    ("status", "slug", "kind"),
    [
        (404, "not-found", humane_ai.NotFoundError),
        (409, "no-conversation", humane_ai.ConflictError),
        (422, "idempotency-key-reused", humane_ai.ValidationError),
    ],
)
async def test_a_refusal_has_its_error(
    call: Caller, wire: Wire, status: int, slug: str, kind: type[humane_ai.APIError]
) -> None:
    wire.faults.append(refused(status, slug))
    with pytest.raises(kind) as caught:
        await call(lambda c: c.users.send("u-1", text="hi"))
    assert caught.value.slug == slug
    assert call.waits == []


async def test_too_many_calls_wait_as_told_and_then_say_so(call: Caller, wire: Wire) -> None:
    wire.faults.extend([refused(429, retry_after="7")] * 3)
    with pytest.raises(humane_ai.RateLimitError) as caught:
        await call(lambda c: c.users.send("u-1", text="hi"))
    assert (caught.value.retry_after_s, call.waits) == (7.0, [7.0, 7.0])
    assert len({seen.headers["idempotency-key"] for seen in wire.seen}) == 1


async def test_memories_are_searched(call: Caller, wire: Wire) -> None:
    found = await call(lambda c: c.users.memories("u-1", query="her name?", limit=3))
    assert wire.seen[0].path == "/api/users/u-1/memories?q=her+name%3F&limit=3"
    (memory,) = found
    assert (memory.id, memory.text, memory.timestamp) == ("mem-1", "My name is Sarah.", AT)
    assert (memory.similarity, found.total_stored, len(found)) == (0.83, 12, 1)


async def test_the_newest_memories(call: Caller, wire: Wire) -> None:
    wire.records.memories = [MEMORY]
    (memory,) = await call(lambda c: c.users.memories("u-1"))
    assert wire.seen[0].path == "/api/users/u-1/memories?limit=20"
    assert memory.similarity is None


def test_a_slug_of_no_problem_is_empty() -> None:
    assert humane_ai.APIError(418).slug == ""
