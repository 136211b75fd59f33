"""How a channel's credentials change, and which stay valid for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels_api.domain.channels import (
    MOST_RETIRED,
    Accepted,
    Changes,
    Channel,
    Creation,
    Retired,
    changed,
    last4,
)
from channels_api.domain.keys import ApiKey, may_revoke
from shared.principal import Scope

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GRACE = timedelta(hours=24)
MOMENT = timedelta(milliseconds=1)
CHANNEL = Channel(
    id="mc_1",
    tenant="t",
    label="Care line",
    phone_number_id="1",
    waba_id="2",
    auto_reply=True,
    state="active",
    access_token="sealed token",
    access_token_last4="oken",
    app_secret="sealed secret",
    app_secret_last4="cret",
    verify_token_hash="hash",
    version=1,
    created_at=NOW - GRACE,
    updated_at=NOW - GRACE,
)


def values(accepted: tuple[Accepted, ...]) -> tuple[str, ...]:
    return tuple(one.value for one in accepted)


def test_nothing_asked_changes_version_and_time_alone() -> None:
    after = changed(CHANNEL, Changes(), NOW, GRACE)
    assert after == replace(CHANNEL, version=2, updated_at=NOW)


def test_what_is_given_is_changed() -> None:
    after = changed(
        CHANNEL,
        Changes(label="Night", auto_reply=False, state="disabled", waba_id="3"),
        NOW,
        GRACE,
    )
    assert (after.label, after.auto_reply, after.state, after.waba_id) == (
        *("Night", False, "disabled"),
        "3",
    )
    assert values(after.app_secrets(NOW)) == ("sealed secret",)


def test_a_replaced_secret_and_token_are_valid_to_the_end_of_the_grace() -> None:
    after = changed(
        CHANNEL,
        Changes(app_secret="new secret", app_secret_last4="new4", verify_token_hash="new hash"),
        NOW,
        GRACE,
    )
    assert after.app_secret_last4 == "new4"
    for at in (NOW, NOW + GRACE - MOMENT):
        assert values(after.app_secrets(at)) == ("new secret", "sealed secret")
        assert values(after.verify_token_hashes(at)) == ("new hash", "hash")
    assert values(after.app_secrets(NOW + GRACE)) == ("new secret",)
    assert values(after.verify_token_hashes(NOW + GRACE)) == ("new hash",)


def test_a_replaced_access_token_has_no_grace() -> None:
    after = changed(CHANNEL, Changes(access_token="new", access_token_last4="new4"), NOW, GRACE)
    assert (after.access_token, after.access_token_last4) == ("new", "new4")
    assert "sealed token" not in repr(after.retired_app_secrets)


def test_without_grace_nothing_is_retired() -> None:
    after = changed(CHANNEL, Changes(app_secret="new"), NOW, timedelta(0))
    assert after.retired_app_secrets == ()


def test_each_of_two_rotations_keeps_its_own_end() -> None:
    once = changed(CHANNEL, Changes(app_secret="second"), NOW, GRACE)
    twice = changed(once, Changes(app_secret="third"), NOW + GRACE / 2, GRACE)
    assert values(twice.app_secrets(NOW + GRACE / 2)) == ("third", "second", "sealed secret")
    assert values(twice.app_secrets(NOW + GRACE)) == ("third", "second")


def test_any_change_drops_what_is_no_longer_valid() -> None:
    old = Retired("old", NOW)
    before = replace(CHANNEL, retired_app_secrets=(old,), retired_verify_token_hashes=(old,))
    after = changed(before, Changes(label="x"), NOW, GRACE)
    assert (after.retired_app_secrets, after.retired_verify_token_hashes) == ((), ())


def test_rotating_in_a_loop_keeps_the_newest_few() -> None:
    channel = CHANNEL
    for number in range(3 * MOST_RETIRED):
        channel = changed(channel, Changes(app_secret=str(number)), NOW, GRACE)
    last = 3 * MOST_RETIRED - 1
    assert values(channel.app_secrets(NOW)) == tuple(
        str(last - back) for back in range(MOST_RETIRED + 1)
    )


def test_no_repr_shows_a_secret() -> None:
    changes = Changes(access_token="sealed a", app_secret="sealed b", verify_token_hash="hash c")
    rotated = changed(CHANNEL, changes, NOW, GRACE)
    creation = Creation("id", "t", "mc_1", fingerprint="print", verify_token="sealed d")
    shown = repr((changes, rotated, creation))
    for value in ("sealed", "hash c", "'hash'", "print'"):
        assert value not in shown


@pytest.mark.parametrize(
    ("secret", "shown"), [("0123456789ab", "89ab"), ("0123456789a", "…"), ("", "…")]
)
def test_little_is_shown_of_a_secret_and_nothing_of_a_short_one(secret: str, shown: str) -> None:
    assert last4(secret) == shown


def key(name: str, *scopes: Scope, days: float | None = None, revoked: bool = False) -> ApiKey:
    ends = None if days is None else NOW + timedelta(days=days)
    return ApiKey(
        name, name, "t", "l", "last", frozenset(scopes), NOW, ends, None, NOW if revoked else None
    )


def test_the_last_lasting_admin_key_may_not_be_revoked() -> None:
    door = key("one", "admin")
    assert may_revoke(door, [door, key("two", "admin")], NOW)
    for other in (
        key("one", "admin"),
        key("two", "process", "read", "channels"),
        key("two", "admin", days=1),
        key("two", "admin", revoked=True),
    ):
        assert not may_revoke(door, [door, other], NOW)
        assert may_revoke(other, [door, other], NOW) is (other.id != "one")


@pytest.mark.parametrize(
    ("made", "state"),
    [
        (key("k", "read"), "active"),
        (key("k", "read", days=1e-6), "active"),
        (key("k", "read", days=0), "expired"),
        (key("k", "read", days=0, revoked=True), "revoked"),
    ],
)
def test_a_key_tells_whether_it_works(made: ApiKey, state: str) -> None:
    assert made.state(NOW) == state
