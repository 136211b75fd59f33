"""API keys over HTTP, the first of them, and what keeps the service from starting."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from datetime import datetime, timedelta

import pytest

from shared.ids import secret_hash
from shared.settings import SettingsError
from tests.integration.channels_api.world import CREATE, TOKENS, World, new_kek, started
from tests.support.eventually import eventually


@pytest.mark.parametrize("key", ["hx_" + "0" * 43, "nonsense", "hx_short"])
async def test_a_wrong_key_is_refused(world: World, key: str) -> None:
    assert (await world.call("GET", "/api/channels", key=key))[0] == 401


async def test_no_key_is_refused_with_what_to_do(world: World) -> None:
    async with world.http.get(f"{world.public}/api/channels") as answer:
        problem = await answer.json(content_type=None)
        assert answer.status == 401
        assert "X-API-Key" in problem["detail"]


async def test_keys_are_made_listed_and_revoked(world: World) -> None:
    asked = {"label": "crm", "scopes": ["channels"]}
    status, made = await world.call("POST", "/api/keys", asked)
    assert status == 201
    assert (await world.call("GET", "/api/channels", key=made["key"]))[0] == 200
    assert re.fullmatch(r"key_[0-9A-Za-z]{22}", made["id"])
    assert re.fullmatch(r"hx_[0-9A-Za-z]{43}", made["key"])
    assert (made["label"], made["last4"]) == ("crm", made["key"][-4:])
    status, caller = await world.call("GET", "/api/caller", key=made["key"])
    assert (status, caller["label"], caller["scopes"]) == (200, "crm", ["channels"])
    assert caller["tenant"]
    _, listed = await world.call("GET", "/api/keys")
    assert [k["label"] for k in listed["keys"]] == ["first key", "crm"]
    assert made["key"] not in repr(listed) + await world.dump()
    assert (await world.call("DELETE", f"/api/keys/{made['id']}"))[0] == 204
    assert (await world.call("GET", "/api/channels", key=made["key"]))[0] == 401
    assert (await world.ask(f"/internal/keys/{secret_hash(made['key'])}"))[0] == 404
    await eventually(lambda: world.told)
    assert world.told[-1].data == {"key_hash": secret_hash(made["key"])}
    last = listed["keys"][0]["id"]
    assert (await world.call("DELETE", f"/api/keys/{last}"))[0] == 409


async def test_a_key_may_revoke_itself_while_another_works(world: World) -> None:
    _, made = await world.call("POST", "/api/keys", {"label": "crm"})
    path = f"/api/keys/{made['id']}"
    assert (await world.call("DELETE", path, key=made["key"]))[0] == 204
    assert (await world.call("DELETE", path, key=made["key"]))[0] == 401
    assert (await world.call("DELETE", path))[0] == 404


async def test_a_key_goes_as_far_as_its_scopes_and_lasts_until_its_end(world: World) -> None:
    _, made = await world.call("POST", "/api/keys", {"label": "crm"})
    assert (made["scopes"], made["expires_at"], made["state"]) == (
        ["process", "read"],
        None,
        "active",
    )
    for method, path in (("POST", "/api/keys"), ("GET", "/api/keys"), ("DELETE", "/api/keys/x")):
        status, problem = await world.call(method, path, {"label": "more"}, key=made["key"])
        assert (status, problem["type"]) == (403, "urn:platform:problem:scope-missing")
    asked = {"label": "fair", "scopes": ["channels"], "expires_in_days": 2}
    _, brief = await world.call("POST", "/api/keys", asked)
    _, known = await world.ask(f"/internal/keys/{secret_hash(brief['key'])}")
    assert (known["scopes"], known["expires_at"]) == (["channels"], brief["expires_at"])
    ends, made_at = (datetime.fromisoformat(brief[name]) for name in ("expires_at", "created_at"))
    assert abs(ends - made_at - timedelta(days=2)) < timedelta(seconds=1)


async def test_the_operator_makes_another_tenants_first_key(world: World) -> None:
    asked = {"label": "theirs", "scopes": ["admin"], "tenant": "clinic"}
    status, theirs = await world.call("POST", "/api/keys", asked)
    assert status == 201
    _, own = await world.call("GET", "/api/keys")
    assert [key["label"] for key in own["keys"]] == ["first key"]
    _, listed = await world.call("GET", "/api/keys", key=theirs["key"])
    assert [key["label"] for key in listed["keys"]] == ["theirs"]
    _, seen = await world.call("GET", "/api/keys?tenant=clinic")
    assert seen["keys"][0]["id"] == theirs["id"]
    for method, path, body in (
        ("POST", "/api/keys", {"label": "x", "tenant": "default"}),
        ("GET", "/api/keys?tenant=default", None),
        ("DELETE", f"/api/keys/{own['keys'][0]['id']}?tenant=default", None),
    ):
        status, problem = await world.call(method, path, body, key=theirs["key"])
        assert (status, problem["type"]) == (403, "urn:platform:problem:operator-only")
    asked = {"label": "second", "scopes": ["admin"], "tenant": "clinic"}
    await world.call("POST", "/api/keys", asked)
    assert (await world.call("DELETE", f"/api/keys/{theirs['id']}?tenant=clinic"))[0] == 204
    assert (await world.call("GET", "/api/keys", key=theirs["key"]))[0] == 401
    assert (await world.call("POST", "/api/keys", {"label": "x", "tenant": "No!"}))[0] == 422


async def test_a_key_shows_when_it_was_used_last(world: World) -> None:
    _, made = await world.call("POST", "/api/keys", {"label": "crm", "scopes": ["channels"]})
    assert made["last_used_at"] is None
    await world.call("GET", "/api/channels", key=made["key"])
    _, listed = await world.call("GET", "/api/keys")
    used = datetime.fromisoformat(listed["keys"][1]["last_used_at"])
    assert used >= datetime.fromisoformat(made["created_at"])
    await world.call("GET", "/api/channels", key=made["key"])
    _, again = await world.call("GET", "/api/keys")
    assert again["keys"][1]["last_used_at"] == listed["keys"][1]["last_used_at"]


async def test_revoked_keys_are_listed_when_asked_for(world: World) -> None:
    _, made = await world.call("POST", "/api/keys", {"label": "crm"})
    await world.call("DELETE", f"/api/keys/{made['id']}")
    _, listed = await world.call("GET", "/api/keys")
    assert [key["state"] for key in listed["keys"]] == ["active"]
    _, every = await world.call("GET", "/api/keys?revoked=true")
    assert [key["state"] for key in every["keys"]] == ["active", "revoked"]


async def test_the_last_admin_key_that_lasts_stays(world: World) -> None:
    ends = {"scopes": ["admin"], "expires_in_days": 1}
    await world.call("POST", "/api/keys", {"label": "reader"})
    await world.call("POST", "/api/keys", {"label": "for a day", **ends})
    _, listed = await world.call("GET", "/api/keys")
    path = f"/api/keys/{listed['keys'][0]['id']}"
    assert (await world.call("DELETE", path))[0] == 409
    await world.call("POST", "/api/keys", {"label": "second", "scopes": ["admin"]})
    assert (await world.call("DELETE", path))[0] == 204


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": ""},
        {"label": "x" * 121},
        {"label": "x", "key": "y"},
        {"label": "x", "scopes": []},
        {"label": "x", "scopes": ["everything"]},
        {"label": "x", "expires_in_days": 0},
        {"label": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"label": "x", "expires_at": "2099-01-01T00:00:00Z", "expires_in_days": 1},
    ],
)
async def test_a_key_wants_a_label_scopes_and_one_end_to_come(
    world: World, body: dict[str, object]
) -> None:
    assert (await world.call("POST", "/api/keys", body))[0] == 422


async def test_the_first_key_is_printed_once(uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with started(World(uri), bootstrap_api_key=None) as world:
        printed = capsys.readouterr()
    (key,) = re.findall(r"hx_[0-9A-Za-z]{43}", printed.err)
    assert key not in printed.out + await world.dump()
    async with started(World(uri, keks=world.keks, key=key), bootstrap_api_key=None) as again:
        assert capsys.readouterr().err == ""
        assert (await again.call("GET", "/api/channels"))[0] == 200


async def test_a_revoked_first_key_stays_revoked(uri: str) -> None:
    async with started(World(uri)) as world:
        _, made = await world.call("POST", "/api/keys", {"label": "crm", "scopes": ["admin"]})
        _, listed = await world.call("GET", "/api/keys")
        assert (await world.call("DELETE", f"/api/keys/{listed['keys'][0]['id']}"))[0] == 204
    async with started(World(uri, keks=world.keks, key=world.key)) as again:
        assert (await again.call("GET", "/api/channels"))[0] == 401
        assert (await again.call("GET", "/api/channels", key=made["key"]))[0] == 200


async def test_a_missing_key_version_keeps_it_from_starting(uri: str) -> None:
    async with started(World(uri)) as world:
        await world.call("POST", "/api/channels", CREATE)
    with pytest.raises(SettingsError, match="need key version 1"):
        async with started(World(uri, keks={"2": new_kek()})):
            pass
    async with started(World(uri, keks=world.keks | {"2": new_kek()}, key=world.key)) as both:
        _, listed = await both.call("GET", "/api/channels")
        assert (await both.ask(f"/internal/channels/{listed['channels'][0]['id']}/ingress"))[
            0
        ] == 200


async def test_the_reason_is_the_last_word_of_a_process_that_does_not_start(
    uri: str, amqp_uri: str
) -> None:
    async with started(World(uri)) as world:
        await world.call("POST", "/api/channels", CREATE)
    environment = {
        **os.environ,
        "AMQP_URL": amqp_uri,
        "MONGODB_URI": uri,
        "CHANNELS_API_ADMIN_HOST": "127.0.0.1",
        "CHANNELS_API_ADMIN_PORT": "0",
        **{f"CHANNELS_API_{who.upper()}_TOKENS": ",".join(two) for who, two in TOKENS.items()},
        "CHANNELS_API_KEY_ENCRYPTION_KEYS": json.dumps({"2": new_kek()}),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "channels_api", env=environment, stdout=PIPE, stderr=PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode().splitlines() == [
        "channels_api cannot start, its settings do not stand:",
        "  - CHANNELS_API_KEY_ENCRYPTION_KEYS: stored secrets need key version 1; add it back",
    ]
