"""Templates of a number's account, and the shape of template messages."""

from typing import Any

import pytest

from tests.unit.metasim.harness import PHONE, Sim

TEMPLATES = [
    {"name": "hello", "language": "en", "parameters": 1},
    {"name": "paused", "language": "en", "status": "PAUSED"},
    {"name": "disabled", "language": "en", "status": "DISABLED"},
    {"name": "pending", "language": "en", "status": "PENDING"},
]

BODY = {"type": "body", "parameters": [{"type": "text", "text": "Zoë"}]}


def template(name: str = "hello", language: str = "en", **more) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "to": PHONE,
        "type": "template",
        "template": {"name": name, "language": {"code": language}, **more},
    }


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (template(components=[BODY]), None),
        (template(language="de", components=[BODY]), 132001),
        (template("unknown"), 132001),
        (template("pending"), 132001),
        (template("paused"), 132015),
        (template("disabled"), 132016),
        (template(), 132000),
        (template(components=[BODY, BODY]), 132000),
    ],
)
async def test_only_what_the_account_has_can_be_sent(sim: Sim, asked, code) -> None:
    await sim.register(templates=TEMPLATES)
    _, body = await sim.graph(asked)
    assert body.get("error", {}).get("code") == code


async def test_registering_again_keeps_them_unless_it_names_them(sim: Sim) -> None:
    answer = await sim.register(templates=TEMPLATES)
    assert answer["number"]["templates"][1]["status"] == "PAUSED"
    await sim.register()
    assert (await sim.graph(template("unknown")))[1]["error"]["code"] == 132001
    await sim.register(templates=[])
    assert (await sim.graph(template(components=[BODY])))[1]["error"]["code"] == 132001
    await sim.register(templates=None)
    assert (await sim.graph(template("unknown")))[0] == 200


async def test_templates_need_no_window_however_the_person_is_named(sim: Sim) -> None:
    assert (await sim.graph(template()))[0] == 200, "a stranger"
    await sim.write(user_id="US.1", hide_phone=True)
    sim.clock.advance(48 * 3600)
    asked = template()
    del asked["to"]
    assert (await sim.graph({**asked, "recipient": "US.1"}))[0] == 200
    free = {"messaging_product": "whatsapp", "recipient": "US.1", "text": {"body": "x"}}
    assert (await sim.graph(free))[1]["error"]["code"] == 131047
    assert (await sim.conversation("US.1"))["messages"][-1]["text"] == "[template hello]"


@pytest.mark.parametrize(
    ("components", "code"),
    [
        ([], None),
        ([BODY], None),
        ([{"type": "BODY"}], None),
        ([{"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": []}], None),
        ([{"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]}], None),
        ({"type": "body"}, 131009),
        (["body"], 131009),
        ([{"type": "tail"}], 131009),
        ([{"type": "body", "parameters": {}}], 131009),
        ([{"type": "body", "parameters": ["Zoë"]}], 131008),
        ([{"type": "body", "parameters": [{"text": "Zoë"}]}], 131008),
        ([{"type": "body", "parameters": [{"type": "text"}]}], 131008),
        ([{"type": "button", "index": 0}], 131008),
        ([{"type": "button", "sub_type": "url"}], 131008),
    ],
)
async def test_components_are_checked_for_their_shape(sim: Sim, components, code) -> None:
    _, body = await sim.graph(template("anything", components=components))
    assert body.get("error", {}).get("code") == code


@pytest.mark.parametrize(
    "templates",
    ["hello", [{"name": "x"}], [{"name": "x", "language": "en", "status": "GOOD"}], ["x"]],
)
async def test_wrong_templates_register_nothing(start, templates) -> None:
    sim = await start(registered=False)
    number = {
        "phone_number_id": "1",
        "access_token": "t",
        "app_secret": "s",
        "templates": templates,
    }
    assert (await sim.command("POST", "/sim/numbers", number, expected=400))["error"]
    assert (await sim.command("GET", "/sim/numbers"))["numbers"] == []
