"""``client.keys``: a key is shown once, and then never again."""

from dataclasses import replace
from datetime import datetime, timezone

import pytest

import humane_ai
from humane_ai import ApiKey
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import Wire, refused
from tests.unit.humane_ai.wire_records import KEY

AT = datetime(2026, 3, 1, 10, 0, 0, 250000, tzinfo=timezone.utc)
NIGHT = ApiKey(
    "k-1",
    "Night shift",
    "wxyz",
    AT,
    scopes=("process", "read"),
    state="active",
    last_used_at=AT,
)


async def test_a_new_key_is_shown_this_once(call: Caller, wire: Wire) -> None:
    key: ApiKey = await call(lambda c: c.keys.create("Night shift"))
    (seen,) = wire.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/api/keys", {"label": "Night shift"})
    assert key == replace(NIGHT, key="hx_new")
    assert "hx_new" not in f"{key!r} {key} {key.raw}"


async def test_a_key_is_made_for_less_and_for_a_time(call: Caller, wire: Wire) -> None:
    await call(lambda c: c.keys.create("fair", scopes=["read", "channels"], expires_in_days=2))
    await call(lambda c: c.keys.create("fair", expires_at=AT))
    assert [seen.body for seen in wire.seen] == [
        {"label": "fair", "scopes": ["channels", "read"], "expires_in_days": 2},
        {"label": "fair", "expires_at": "2026-03-01T10:00:00.250000+00:00"},
    ]


async def test_revoked_keys_are_listed_when_asked_for(call: Caller, wire: Wire) -> None:
    await call(lambda c: c.keys.list(revoked=True))
    assert wire.seen[0].path == "/api/keys?revoked=true"


async def test_keys_are_listed_without_themselves(call: Caller, wire: Wire) -> None:
    assert await call(lambda c: c.keys.list()) == [NIGHT]
    assert (wire.seen[0].method, wire.seen[0].path) == ("GET", "/api/keys")


async def test_a_key_is_revoked(call: Caller, wire: Wire) -> None:
    wire.records.keys = [KEY, {**KEY, "id": "k-2"}]
    assert await call(lambda c: c.keys.revoke("k-2")) is None
    assert (wire.seen[0].method, wire.seen[0].path) == ("DELETE", "/api/keys/k-2")
    assert [key.id for key in await call(lambda c: c.keys.list())] == ["k-1"]


async def test_the_last_key_stays(call: Caller, wire: Wire) -> None:
    wire.faults.append(refused(409, "last-key", "Create another one before revoking it."))
    with pytest.raises(humane_ai.ConflictError, match="Create another one") as caught:
        await call(lambda c: c.keys.revoke("k-1"))
    assert caught.value.slug == "last-key"


async def test_a_revocation_whose_answer_was_lost_is_done(call: Caller, wire: Wire) -> None:
    wire.faults.extend([wire.lost(), refused(404, "not-found")])
    assert await call(lambda c: c.keys.revoke("k-1")) is None
    assert wire.records.keys == []
