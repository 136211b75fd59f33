"""The states that a channel's doctor must tell apart."""

from typing import Any

import pytest

from tests.unit.metasim.harness import APP_ID, NUMBER_ID, SECRET, TOKEN, WABA_ID, Sim, text_to

STANDING = f"/sim/numbers/{NUMBER_ID}/standing"
NODE = f"/v25.0/{NUMBER_ID}?fields=status,health_status"
APPS = f"/v25.0/{WABA_ID}/subscribed_apps"
DEBUG = f"/v25.0/debug_token?input_token={TOKEN}"


async def standing(sim: Sim, **values: Any) -> None:
    await sim.command("PUT", STANDING, values, expected=204)


async def read(sim: Sim, path: str, token: str = TOKEN) -> tuple[int, dict[str, Any]]:
    return await sim.graph(None, path=path, method="GET", token=token)


async def test_a_token_tells_about_itself(sim: Sim) -> None:
    status, answer = await read(sim, DEBUG)
    assert (status, answer["data"]["app_id"], answer["data"]["type"]) == (
        200,
        APP_ID,
        "SYSTEM_USER",
    )
    assert answer["data"]["granular_scopes"][0]["target_ids"] == [WABA_ID]


async def test_a_token_that_ran_out_is_refused_everywhere_and_the_app_sees_why(sim: Sim) -> None:
    await standing(sim, token={"type": "USER", "expires_at": int(sim.clock.now) - 1})
    for path in (DEBUG, NODE, APPS):
        status, answer = await read(sim, path)
        assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (
            401,
            190,
            463,
        )
    _, answer = await read(sim, DEBUG, f"{APP_ID}|{SECRET}")
    assert answer["data"]["is_valid"] is False
    assert answer["data"]["error"]["subcode"] == 463


async def test_a_missing_scope_is_refused_where_it_is_needed(sim: Sim) -> None:
    await standing(sim, token={"scopes": ["whatsapp_business_messaging"]})
    assert (await read(sim, NODE))[1]["error"]["code"] == 200
    assert (await sim.write())["delivered"]
    assert (await sim.graph(text_to()))[0] == 200
    await standing(sim, token={"scopes": ["whatsapp_business_management"]})
    assert (await sim.graph(text_to()))[1]["error"]["code"] == 200
    assert (await read(sim, NODE))[0] == 200


async def test_the_node_says_what_was_set_until_it_is_set_again(sim: Sim) -> None:
    entities = [{"entity_type": "WABA", "id": WABA_ID, "can_send_message": "BLOCKED"}]
    await standing(
        sim,
        number={"status": "FLAGGED"},
        health={"can_send_message": "BLOCKED", "entities": entities},
    )
    _, answer = await read(sim, NODE)
    assert answer["status"] == "FLAGGED"
    assert answer["health_status"] == {"can_send_message": "BLOCKED", "entities": entities}
    await standing(sim)
    assert (await read(sim, NODE))[1]["status"] == "CONNECTED"


async def test_another_app_may_be_subscribed_instead(sim: Sim) -> None:
    await standing(sim, subscribed_app_id="77")
    _, answer = await read(sim, APPS)
    assert answer["data"][0]["whatsapp_business_api_data"]["id"] == "77"
    assert (await sim.write())["error"] == "no callback URL"
    assert (await sim.graph(None, path=APPS))[0] == 200
    assert (await sim.write())["delivered"]


async def test_an_account_that_was_not_granted_is_not_seen(sim: Sim) -> None:
    await standing(sim, token={"target_ids": ["1"]})
    assert (await read(sim, APPS))[1]["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    "wrong", [{"token": {"type": "GUEST"}}, {"health": {"can_send_message": "maybe"}}]
)
async def test_what_meta_does_not_say_cannot_be_set(sim: Sim, wrong: Any) -> None:
    assert "must be one of" in (await sim.command("PUT", STANDING, wrong, expected=400))["error"]
