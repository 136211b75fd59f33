import asyncio

import pytest

from tests.support.eventually import eventually
from tests.unit.metasim.harness import DIGITS, NUMBER_ID, PHONE, TOKEN, Sim, text_to

WAIT = f"/sim/phone/{DIGITS}/wait?phone_number_id={NUMBER_ID}"


async def test_the_person_sees_the_conversation_in_order(sim: Sim) -> None:
    first = (await sim.write("hello"))["wamid"]
    _, answer = await sim.graph(text_to(body="hi", context={"message_id": first}))
    await sim.write("bye", context_message_id=answer["messages"][0]["id"])
    seen = (await sim.conversation())["messages"]
    assert [(item["direction"], item["text"]) for item in seen] == [
        ("person", "hello"),
        ("business", "hi"),
        ("person", "bye"),
    ]
    assert seen[1]["context"] == {"message_id": first}
    quoted = sim.receiver.received[-1].value["messages"][0]["context"]
    assert quoted == {"from": "15550000000", "id": answer["messages"][0]["id"]}


async def test_waiting_answers_at_once_when_the_reply_is_there(sim: Sim) -> None:
    await sim.write()
    await sim.graph(text_to(body="one"))
    await sim.graph(text_to(body="two"))
    got = await sim.command("GET", f"{WAIT}&after=1&timeout_s=10")
    assert [item["text"] for item in got["replies"]] == ["two"]
    assert (got["total"], got["timed_out"]) == (2, False)


async def test_waiting_answers_when_the_reply_comes(sim: Sim) -> None:
    await sim.write()
    waiting = asyncio.ensure_future(sim.command("GET", f"{WAIT}&after=0&timeout_s=10"))
    await sim.graph(text_to(body="one"))
    assert [item["text"] for item in (await waiting)["replies"]] == ["one"]


async def test_waiting_ends_empty_when_nothing_comes(sim: Sim) -> None:
    got = await sim.command("GET", f"{WAIT}&timeout_s=0.01")
    assert got == {"replies": [], "total": 0, "timed_out": True}


@pytest.mark.parametrize("query", ["after=x", "after=-1", "timeout_s=nan", "timeout_s=9999"])
async def test_waiting_wants_sensible_numbers(sim: Sim, query) -> None:
    await sim.command("GET", f"{WAIT}&{query}", expected=400)


async def test_conversations_of_two_numbers_stay_apart(sim: Sim) -> None:
    await sim.register(phone_number_id="2")
    await sim.write("to the first")
    await sim.write("to the second", phone_number_id="2")
    assert [item["text"] for item in (await sim.conversation())["messages"]] == ["to the first"]
    both = await sim.command("GET", f"/sim/phone/{DIGITS}/messages")
    assert len(both["messages"]) == 2


async def test_the_same_wamid_is_one_message(sim: Sim) -> None:
    await sim.write(wamid="wamid.mine")
    await sim.write(wamid="wamid.mine")
    assert len((await sim.conversation())["messages"]) == 1
    assert len(sim.receiver.received) == 2


async def test_a_person_keeps_the_conversation_when_the_phone_is_hidden_later(sim: Sim) -> None:
    await sim.write("with phone", user_id="US.1")
    await sim.write("without", user_id="US.1", hide_phone=True)
    seen = (await sim.conversation("US.1"))["messages"]
    assert [item["text"] for item in seen] == ["with phone", "without"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"from": "nobody"}, 400),
        ({"from": ""}, 400),
        ({"text": 5}, 400),
        ({"text": None}, 400),
        ({"message": {"text": {}}}, 400),
        ({"hide_phone": True}, 400),
        ({"hide_phone": "yes"}, 400),
        ({"timestamp": "soon"}, 400),
        ({"phone_number_id": "unknown"}, 404),
    ],
)
async def test_a_wrong_command_is_named(sim: Sim, change, status) -> None:
    command = {"phone_number_id": NUMBER_ID, "from": PHONE, "text": "hello", **change}
    answer = await sim.command("POST", "/sim/phone/messages", command, expected=status)
    assert answer["error"]
    assert (await sim.conversation())["messages"] == []


async def test_a_body_that_is_no_json_is_named(sim: Sim) -> None:
    async with sim.client.post("/sim/phone/messages", data=b"{") as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "the body is not JSON"


async def test_numbers_are_listed_without_secrets(sim: Sim) -> None:
    listed = await sim.command("GET", "/sim/numbers")
    (number,) = listed["numbers"]
    assert number["access_token"] == "…" + TOKEN[-4:]
    assert number["callback_url"] == sim.receiver.url
    assert TOKEN not in str(listed)
    assert "secret" not in str(listed)


async def test_reset_forgets_everything_and_stops_deliveries(start) -> None:
    sim = await start(statuses=(), webhook_retry_delays_s=(60.0,))
    sim.receiver.answers = [503]
    await sim.write()
    await sim.command("POST", "/sim/faults", {"action": {"type": "reset"}}, expected=201)
    await sim.command("POST", "/sim/reset", expected=204)
    for path, name in (
        ("/sim/numbers", "numbers"),
        ("/sim/requests", "requests"),
        ("/sim/faults", "faults"),
        ("/sim/deliveries", "deliveries"),
        (f"/sim/phone/{DIGITS}/messages", "messages"),
    ):
        assert (await sim.command("GET", path))[name] == []
    await sim.register()
    assert (await sim.write())["delivered"]


async def test_the_page_is_whole_in_itself(sim: Sim) -> None:
    async with sim.client.get("/") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        page = await answer.text()
    assert "http://" not in page
    assert "https://" not in page
    for action in ('"messages"', '"edits"', '"revokes"', '"reactions"', "sim/media/"):
        assert action in page


async def test_nothing_private_is_logged(start, caplog) -> None:
    caplog.set_level("INFO", "metasim")
    sim = await start()
    await sim.write("a private thing")
    await sim.graph(text_to(body="a private answer"))
    await sim.graph(text_to(), token="EAAG-some-wrong-token")
    await eventually(lambda: len(sim.receiver.statuses()) == 3)
    logged = [
        f"{item.getMessage()} {item.__dict__.get('fields')}"
        for item in caplog.records
        if item.name == "metasim"
    ]
    names = {line.split()[0] for line in logged}
    assert {"number_registered", "handshake_finished", "webhook_attempted"} <= names
    assert {"message_accepted", "graph_call_finished"} <= names
    for private in ("private", DIGITS, "EAAG", "secret", "verify-token"):
        assert private not in "\n".join(logged)
