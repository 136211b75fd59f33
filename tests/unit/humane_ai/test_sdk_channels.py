"""``client.channels``: the whole life of a connected number."""

from datetime import datetime
from typing import Any

import pytest

import humane_ai
from humane_ai import Channel, ChannelHealth, ConflictError
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import SETTINGS, Wire, refused

NUMBER: dict[str, Any] = {
    "phone_number_id": "1158201444",
    "access_token": "EAA-token-abcd",
    "app_secret": "app-secret-wxyz",
}


async def created(call: Caller, **more: Any) -> Channel:
    channel: Channel = await call(lambda c: c.channels.create_whatsapp(**NUMBER, **more))
    return channel


async def test_creation_sends_the_wire_and_shows_the_token(call: Caller, wire: Wire) -> None:
    channel = await created(call, label="Care line", auto_reply=True, waba_id="99")
    (seen,) = wire.seen
    assert (seen.method, seen.path) == ("POST", "/api/channels")
    assert seen.body == {
        "type": "whatsapp",
        **NUMBER,
        "label": "Care line",
        "auto_reply": True,
        "waba_id": "99",
    }
    assert (channel.id, channel.label, channel.state) == ("mc_1", "Care line", "active")
    assert channel.webhook_url_hint == "/api/ingress/whatsapp/mc_1"
    assert channel.verify_token == "vt-first-mc_1"
    assert (channel.access_token_last4, channel.app_secret_last4) == ("abcd", "wxyz")
    assert (channel.phone_number_id, channel.waba_id) == ("1158201444", "99")
    assert (channel.auto_reply, channel.version) == (True, 1)
    assert channel.created_at == datetime.fromisoformat("2026-03-01T10:00:00+00:00")
    assert channel.updated_at == channel.created_at


async def test_what_is_printed_of_a_channel_holds_no_token(call: Caller) -> None:
    channel = await created(call)
    assert "vt-first" not in f"{channel!r} {channel} {channel.raw}"


async def test_what_is_not_given_is_not_sent(call: Caller, wire: Wire) -> None:
    await created(call)
    assert wire.seen[0].body == {"type": "whatsapp", **NUMBER, "auto_reply": False}


async def test_no_later_read_has_a_token(call: Caller) -> None:
    channel = await created(call)
    assert (await call(lambda c: c.channels.get(channel.id))).verify_token is None
    assert [one.verify_token for one in await call(lambda c: c.channels.list())] == [None]


async def test_the_list_has_every_page(call: Caller, wire: Wire) -> None:
    assert await call(lambda c: c.channels.list()) == []
    ids = [(await created(call)).id for _ in range(5)]
    wire.seen.clear()
    assert [channel.id for channel in await call(lambda c: c.channels.list())] == ids
    assert [seen.path for seen in wire.seen] == [
        "/api/channels",
        "/api/channels?cursor=2",
        "/api/channels?cursor=4",
    ]


async def test_update_sends_what_is_given(call: Caller, wire: Wire) -> None:
    channel = await created(call, auto_reply=True)
    changed = await call(
        lambda c: c.channels.update(channel.id, auto_reply=False, label="Night", waba_id="99")
    )
    assert (wire.seen[1].method, wire.seen[1].path) == ("PATCH", "/api/channels/mc_1")
    assert wire.seen[1].body == {"auto_reply": False, "label": "Night", "waba_id": "99"}
    assert (changed.auto_reply, changed.label, changed.version) == (False, "Night", 2)
    assert changed.verify_token is None


async def test_credentials_and_token_are_replaced(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    changed = await call(
        lambda c: c.channels.update(
            channel.id, access_token="EAA-1234", app_secret="new-5678", rotate_verify_token=True
        )
    )
    assert wire.seen[1].body == {
        "access_token": "EAA-1234",
        "app_secret": "new-5678",
        "rotate_verify_token": True,
    }
    assert (changed.access_token_last4, changed.app_secret_last4) == ("1234", "5678")
    assert changed.verify_token == "vt-next-mc_1"


async def test_a_rotation_that_is_retried_keeps_its_key(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    wire.faults.append(refused(503))
    await call(lambda c: c.channels.update(channel.id, rotate_verify_token=True))
    first, second = wire.seen[1:]
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


async def test_an_update_of_nothing_is_refused_here(call: Caller, wire: Wire) -> None:
    with pytest.raises(humane_ai.InvalidArgumentError, match="nothing to change"):
        await call(lambda c: c.channels.update("mc_1"))
    assert wire.seen == []


async def test_delete(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    assert await call(lambda c: c.channels.delete(channel.id)) is None
    assert wire.seen[1].method == "DELETE"
    with pytest.raises(humane_ai.NotFoundError, match="no such channel"):
        await call(lambda c: c.channels.get(channel.id))


async def test_activity(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    (shown,) = await call(lambda c: c.channels.activity(channel.id))
    assert (shown.kind, shown.detail) == ("handshake", {"ok": False})
    assert shown.at == datetime.fromisoformat("2026-03-01T10:00:00+00:00")
    assert wire.seen[1].path == "/api/channels/mc_1/activity"


CHOSEN: dict[str, Any] = {
    "reply_debounce_ms": 0,
    "echo_pause_s": 60,
    "read_receipts": False,
    "messages_per_second": 20,
    "window_template": "we_are_back",
    "window_template_language": "pt_BR",
    "appsecret_proof": True,
}


def settings_of(channel: Channel) -> dict[str, Any]:
    return {name: getattr(channel, name) for name in CHOSEN}


async def test_settings_are_sent_and_shown(call: Caller, wire: Wire) -> None:
    channel = await created(call, **CHOSEN)
    assert wire.seen[0].body == {"type": "whatsapp", **NUMBER, "auto_reply": False, **CHOSEN}
    assert settings_of(channel) == CHOSEN
    assert settings_of(await created(call)) == settings_of(Channel()) == SETTINGS


async def test_settings_are_changed_one_by_one(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    for name, value in CHOSEN.items():
        changed = await call(lambda c, n=name, v=value: c.channels.update(channel.id, **{n: v}))
        assert wire.seen[-1].body == {name: value}
    assert settings_of(changed) == CHOSEN


async def test_an_empty_template_is_taken_away(call: Caller, wire: Wire) -> None:
    channel = await created(call, window_template="we_are_back")
    changed = await call(lambda c: c.channels.update(channel.id, window_template=""))
    assert wire.seen[-1].body == {"window_template": None}
    assert changed.window_template is None


async def test_health_is_shown_and_set_to_ok(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    assert (channel.health.state, channel.health.needs_attention) == ("ok", False)
    wire.channels[channel.id]["health"] = {
        "state": "needs_attention",
        "problem": "account_disabled",
        "detail": "Ask for a review.",
        "code": 131031,
        "since": "2026-03-01T10:00:00.250000Z",
        "paused": True,
        "unheard_of": 1,
    }
    health = (await call(lambda c: c.channels.get(channel.id))).health
    assert health == ChannelHealth(
        state="needs_attention",
        problem="account_disabled",
        detail="Ask for a review.",
        code=131031,
        since=datetime.fromisoformat("2026-03-01T10:00:00.250000+00:00"),
        paused=True,
    )
    assert health.needs_attention
    changed = await call(lambda c: c.channels.update(channel.id, health="ok"))
    assert wire.seen[-1].body == {"health": "ok"}
    assert changed.health == channel.health


@pytest.mark.parametrize("health", [None, "fine", {"state": 7, "since": "yesterday"}])
async def test_a_server_without_health_is_not_called_well(
    call: Caller, wire: Wire, health: Any
) -> None:
    channel = await created(call)
    wire.channels[channel.id].update(health=health, a_setting_of_tomorrow=True)
    read = await call(lambda c: c.channels.get(channel.id))
    assert read.health == ChannelHealth()
    assert (read.health.state, read.health.needs_attention) == ("", False)


async def test_who_read_an_older_channel_changes_nothing(call: Caller, wire: Wire) -> None:
    made = await created(call)
    read = await call(lambda c: c.channels.get(made.id))
    after = await call(lambda c: c.channels.update(made.id, label="New", if_match=read.etag))
    assert (read.etag, after.etag) == ('"1"', '"2"')
    assert "etag" not in after.raw
    for act in (
        lambda c: c.channels.update(made.id, label="Old", if_match=read.etag),
        lambda c: c.channels.delete(made.id, if_match=read.etag),
    ):
        with pytest.raises(ConflictError) as caught:
            await call(act)
        assert caught.value.slug == "changed-meanwhile"
    assert wire.channels[made.id]["label"] == "New"
    await call(lambda c: c.channels.delete(made.id, if_match=after.etag))


async def test_a_channel_is_switched_off(call: Caller, wire: Wire) -> None:
    made = await created(call)
    channel = await call(lambda c: c.channels.update(made.id, state="disabled", waba_id="7"))
    assert wire.seen[-1].body == {"state": "disabled", "waba_id": "7"}
    assert channel.state == "disabled"


async def test_who_changed_what(call: Caller, wire: Wire) -> None:
    made = await created(call)
    (entry,) = await call(lambda c: c.channels.audit(made.id, limit=5))
    assert wire.seen[-1].path == f"/api/channels/{made.id}/audit?limit=5"
    assert (entry.action, entry.fields) == ("updated", ("access_token", "label"))
    assert (entry.key_label, entry.key, entry.version) == ("Night shift", "0123456789ab", 2)
