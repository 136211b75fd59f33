"""Channels over HTTP: what is shown, what is stored, what is told, who sees it."""

import asyncio
from typing import Any

import pytest

from shared.ids import new_api_key, secret_hash
from tests.integration.channels_api.world import (
    ACCESS_TOKEN,
    APP_SECRET,
    CREATE,
    World,
    started,
    values,
)
from tests.support.eventually import eventually


async def test_a_created_channel_shows_its_token_once_and_stores_no_secret(world: World) -> None:
    status, channel = await world.call("POST", "/api/channels", CREATE)
    assert status == 201
    assert channel["id"].startswith("mc_")
    assert len(channel["id"]) == 25
    assert channel["webhook_url_hint"] == f"/api/ingress/whatsapp/{channel['id']}"
    assert (channel["access_token_last4"], channel["app_secret_last4"]) == ("5678", "cdef")
    token = channel["verify_token"]
    _, read = await world.call("GET", f"/api/channels/{channel['id']}")
    assert "verify_token" not in read
    assert read == {k: v for k, v in channel.items() if k not in {"verify_token", "warnings"}}
    stored = await world.dump()
    for secret in (token, ACCESS_TOKEN, APP_SECRET, world.key):
        assert secret not in stored
    assert secret_hash(token) in stored
    assert secret_hash(world.key) in stored
    assert [e.data["change"] for e in world.told] == ["created"]


async def test_what_was_pasted_with_blanks_around_it_is_taken(world: World) -> None:
    pasted = {
        name: f" {CREATE[name]}\n" for name in ("phone_number_id", "access_token", "app_secret")
    }
    status, channel = await world.call("POST", "/api/channels", CREATE | pasted)
    assert (status, channel["phone_number_id"]) == (201, CREATE["phone_number_id"])
    _, known = await world.ask(f"/internal/channels/{channel['id']}/ingress")
    assert values(known["app_secrets"]) == [APP_SECRET]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"phone_number_id": "+1 555 123 4567"}, "looks like a phone number"),
        ({"phone_number_id": "abc"}, "digits only"),
        ({"access_token": ""}, "access_token"),
        ({"access_token": "EAA two parts"}, "white space inside"),
        ({"app_secret": None}, "app_secret"),
        ({"app_secret": " "}, "at most 128 characters"),
        ({"waba_id": "my business"}, "WhatsApp Business Account id"),
        ({"type": "telegram"}, "whatsapp"),
        ({"colour": "blue"}, "colour"),
    ],
)
async def test_bad_input_is_told_what_to_do(
    world: World, change: dict[str, Any], said: str
) -> None:
    status, problem = await world.call("POST", "/api/channels", CREATE | change)
    assert status == 422
    assert said in problem["detail"]
    assert ACCESS_TOKEN not in repr(problem)
    assert problem["errors"][0]["field"] in change


async def test_errors_have_one_shape(world: World) -> None:
    async with world.http.post(
        f"{world.public}/api/channels", data=b"{", headers={"X-API-Key": world.key}
    ) as answer:
        assert answer.content_type == "application/problem+json"
        problem = await answer.json(content_type=None)
        assert problem.keys() == {"type", "title", "status", "detail", "request_id"}
        assert (answer.status, problem["status"]) == (400, 400)
        assert problem["type"].endswith(":malformed-json")
        assert problem["request_id"] == answer.headers["X-Request-Id"]


async def test_a_number_that_is_connected_twice_is_warned_of(world: World) -> None:
    _, first = await world.call("POST", "/api/channels", CREATE)
    assert first["warnings"] == []
    status, second = await world.call("POST", "/api/channels", CREATE)
    assert status == 201
    assert first["id"] in second["warnings"][0]
    for channel in (first, second):
        assert (await world.call("DELETE", f"/api/channels/{channel['id']}"))[0] == 204
    assert (await world.call("POST", "/api/channels", CREATE))[1]["warnings"] == []


async def test_an_update_changes_what_is_given_and_nothing_else(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    path = f"/api/channels/{channel['id']}"
    changes = {"label": "Night line", "auto_reply": False, "access_token": "EAAanother0987654321"}
    status, updated = await world.call("PATCH", path, changes)
    assert status == 200
    shown = {"label": "Night line", "auto_reply": False, "access_token_last4": "4321", "version": 2}
    same = channel.keys() - shown.keys() - {"verify_token", "warnings", "updated_at"}
    assert {name: updated[name] for name in shown} == shown
    assert {name: updated[name] for name in same} == {name: channel[name] for name in same}
    assert (await world.call("GET", path))[1] == updated
    _, outbound = await world.ask(f"/internal/channels/{channel['id']}/outbound")
    assert outbound["access_token"] == "EAAanother0987654321"
    status, problem = await world.call("PATCH", path, {"verify_token": "mine"})
    assert (status, problem["errors"][0]["field"]) == (422, "verify_token")


async def test_rotation_keeps_the_old_secret_for_a_while(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    changes = {"app_secret": "another-secret-0123", "rotate_verify_token": True}
    status, updated = await world.call("PATCH", f"/api/channels/{channel['id']}", changes)
    assert (status, updated["version"]) == (200, 2)
    assert updated["verify_token"] != channel["verify_token"]
    _, known = await world.ask(f"/internal/channels/{channel['id']}/ingress")
    assert values(known["app_secrets"]) == ["another-secret-0123", APP_SECRET]
    assert values(known["verify_token_hashes"]) == [
        secret_hash(updated["verify_token"]),
        secret_hash(channel["verify_token"]),
    ]
    assert [e.data["change"] for e in world.told] == ["created", "updated"]


async def test_without_grace_the_old_secret_is_gone(uri: str) -> None:
    async with started(World(uri), secret_grace_s=0) as world:
        _, channel = await world.call("POST", "/api/channels", CREATE)
        await world.call(
            "PATCH", f"/api/channels/{channel['id']}", {"app_secret": "new-secret-0123456"}
        )
        _, known = await world.ask(f"/internal/channels/{channel['id']}/ingress")
        assert values(known["app_secrets"]) == ["new-secret-0123456"]


async def test_after_the_grace_the_old_secret_is_gone(uri: str) -> None:
    async with started(World(uri), secret_grace_s=1) as world:
        _, channel = await world.call("POST", "/api/channels", CREATE)
        changes = {"app_secret": "new-secret-0123456", "rotate_verify_token": True}
        _, updated = await world.call("PATCH", f"/api/channels/{channel['id']}", changes)

        async def only_the_new() -> bool:
            _, known = await world.ask(f"/internal/channels/{channel['id']}/ingress")
            return values(known["app_secrets"]) == ["new-secret-0123456"] and values(
                known["verify_token_hashes"]
            ) == [secret_hash(updated["verify_token"])]

        await eventually(only_the_new)


async def test_a_deleted_channel_leaves_no_secret_behind(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    assert (await world.call("DELETE", f"/api/channels/{channel['id']}"))[0] == 204
    for path in ("", "/activity"):
        assert (await world.call("GET", f"/api/channels/{channel['id']}{path}"))[0] == 404
    for part in ("ingress", "outbound"):
        assert (await world.ask(f"/internal/channels/{channel['id']}/{part}"))[0] == 404
    stored = await world.dump()
    assert "v1.1." not in stored
    assert secret_hash(channel["verify_token"]) not in stored
    for last4 in (channel["access_token_last4"], channel["app_secret_last4"]):
        assert repr(last4) not in stored
    assert [(e.data["change"], e.data["version"]) for e in world.told] == [
        ("created", 1),
        ("deleted", 2),
    ]
    assert (await world.call("DELETE", f"/api/channels/{channel['id']}"))[0] == 404


async def test_changes_at_once_are_all_kept_or_refused(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    path = f"/api/channels/{channel['id']}"
    answers = await asyncio.gather(
        *(world.call("PATCH", path, {"label": f"label {number}"}) for number in range(8))
    )
    kept = [answer for status, answer in answers if status == 200]
    refused = [answer for status, answer in answers if status == 409]
    assert len(kept) + len(refused) == 8
    assert sorted(answer["version"] for answer in kept) == list(range(2, 2 + len(kept)))
    assert (await world.call("GET", path))[1]["version"] == 1 + len(kept)


async def test_a_change_made_while_the_broker_was_away_is_told_later(uri: str) -> None:
    async with started(World(uri)) as world:
        await world.bus.close()
        status, channel = await world.call("POST", "/api/channels", CREATE)
        assert (status, world.told) == (201, [])
    async with started(World(uri, keks=world.keks, key=world.key)) as again:
        told = await eventually(lambda: again.told)
        assert told[0].data == {"channel_id": channel["id"], "version": 1, "change": "created"}


async def test_a_tenant_sees_its_own_only(uri: str) -> None:
    async with started(World(uri)) as world:
        _, channel = await world.call("POST", "/api/channels", CREATE)
        _, keys = await world.call("GET", "/api/keys")
        other = new_api_key()
    async with started(World(uri, keks=world.keks, key=other), bootstrap_tenant="other") as world:
        path = f"/api/channels/{channel['id']}"
        assert (await world.call("GET", "/api/channels"))[1]["channels"] == []
        for method, at, body in (
            ("GET", path, None),
            ("PATCH", path, {"label": "x"}),
            ("DELETE", path, None),
            ("GET", f"{path}/activity", None),
            ("DELETE", f"/api/keys/{keys['keys'][0]['id']}", None),
        ):
            assert (await world.call(method, at, body))[0] == 404, at
        assert (await world.call("POST", "/api/channels", CREATE))[0] == 201


async def test_listing_goes_in_pages(world: World) -> None:
    for number in range(5):
        await world.call("POST", "/api/channels", CREATE | {"phone_number_id": str(100 + number)})
    found: list[str] = []
    cursor = ""
    while True:
        _, page = await world.call("GET", f"/api/channels?limit=2{cursor}")
        found += [c["phone_number_id"] for c in page["channels"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == ["100", "101", "102", "103", "104"]
    assert (await world.call("GET", "/api/channels?cursor=bad"))[0] == 422
    assert (await world.call("GET", "/api/channels?limit=0"))[0] == 422
