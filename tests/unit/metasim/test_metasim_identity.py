"""People who change their number, or hide it."""

import pytest

from tests.support.eventually import eventually
from tests.unit.metasim.harness import DIGITS, NUMBER_ID, PHONE, Sim, text_to

NEW = "15559998888"
CHANGE = f"/sim/people/{DIGITS}/number"


def to_id(user_id: str) -> dict:
    asked = text_to(recipient=user_id)
    del asked["to"]
    return asked


async def test_a_new_number_is_told_by_a_system_message(sim: Sim) -> None:
    await sim.write(name="Zoë")
    answer = await sim.act(CHANGE, new_number=f"+{NEW}")
    got = sim.receiver.received[-1]
    assert got.verified
    assert "contacts" not in got.value
    (told,) = answer["webhooks"]
    assert got.message == {
        "id": told["wamid"],
        "timestamp": str(int(sim.clock.now)),
        "from": DIGITS,
        "type": "system",
        "system": {
            "body": f"User Zoë changed from {DIGITS} to {NEW}",
            "wa_id": NEW,
            "type": "user_changed_number",
        },
    }
    assert (answer["number"], answer["user_id"], answer["former"]) == (NEW, None, [DIGITS])
    assert told["delivered"]


async def test_a_new_number_brings_a_new_user_id(sim: Sim) -> None:
    await sim.write(user_id="GB.1", name="Zoë")
    answer = await sim.act(CHANGE, new_number=NEW)
    new_id = answer["user_id"]
    assert new_id.startswith("GB.")
    assert new_id != "GB.1"
    number, ids = (item.message for item in sim.receiver.received[1:])
    assert number["system"] == {
        "body": f"User Zoë changed from {DIGITS} to {NEW}",
        "wa_id": NEW,
        "user_id": new_id,
        "previous_user_id": "GB.1",
        "type": "user_changed_number",
    }
    assert "from" not in ids
    assert ids["system"] == {
        "body": f"User Zoë changed from GB.1 to {new_id}",
        "user_id": new_id,
        "previous_user_id": "GB.1",
        "type": "user_changed_user_id",
    }


async def test_of_a_hidden_number_only_the_id_is_told(sim: Sim) -> None:
    await sim.write(user_id="GB.1", hide_phone=True)
    await sim.act("/sim/people/GB.1/number", new_number=NEW, new_user_id="GB.2")
    (first, got) = sim.receiver.received
    assert got.message["system"]["type"] == "user_changed_user_id"
    for digits in (DIGITS, NEW):
        assert digits.encode() not in first.raw + got.raw


async def test_one_of_the_two_messages_can_be_chosen(sim: Sim) -> None:
    await sim.write(user_id="GB.1")
    await sim.act(CHANGE, new_number=NEW, system=["user_changed_number"])
    assert len(sim.receiver.received) == 2
    assert sim.receiver.received[-1].message["system"]["type"] == "user_changed_number"


async def test_the_conversation_stays_one_and_goes_on_from_the_new_identity(sim: Sim) -> None:
    await sim.write("before", user_id="GB.1")
    await sim.act(CHANGE, new_number=NEW, new_user_id="GB.2")
    # However the command names them: by the old ids or the new ones.
    await sim.write("one", **{"from": PHONE})
    await sim.write("two", **{"from": NEW})
    await sim.write("three", **{"from": PHONE, "user_id": "GB.1"})
    for got in sim.receiver.received[-3:]:
        assert (got.message["from"], got.message["from_user_id"]) == (NEW, "GB.2")
        assert got.value["contacts"][0]["wa_id"] == NEW
    for who in (DIGITS, NEW, "GB.1", "GB.2"):
        texts = [item["text"] for item in (await sim.conversation(who))["messages"]]
        assert texts == ["before", "one", "two", "three"]
    (person,) = (await sim.command("GET", "/sim/people"))["people"]
    assert (person["number"], person["former"]) == (NEW, [DIGITS, "GB.1"])


async def test_replies_reach_the_new_identity_and_fail_at_the_old(start) -> None:
    sim = await start()
    await sim.write(user_id="GB.1")
    await sim.act(CHANGE, new_number=NEW, new_user_id="GB.2")
    assert (await sim.graph(text_to(NEW)))[0] == 200
    await eventually(lambda: len(sim.receiver.statuses()) == 3)
    assert {item["recipient_id"] for item in sim.receiver.statuses()} == {NEW}
    assert {item["recipient_user_id"] for item in sim.receiver.statuses()} == {"GB.2"}
    assert (await sim.graph(to_id("GB.2")))[0] == 200
    assert (await sim.graph(to_id("GB.1")))[1]["error"]["code"] == 131026
    await eventually(lambda: len(sim.receiver.statuses()) == 6)
    assert (await sim.graph(text_to(PHONE)))[0] == 200, "accepted first, as Meta does"
    failed = await eventually(lambda: sim.receiver.statuses()[6:])
    assert (failed[0]["status"], failed[0]["errors"][0]["code"]) == ("failed", 131026)
    assert failed[0]["recipient_id"] == DIGITS


async def test_all_businesses_that_know_the_person_are_told(sim: Sim) -> None:
    await sim.register(phone_number_id="2")
    await sim.register(phone_number_id="3")
    await sim.write("a")
    await sim.write("b", phone_number_id="2")
    answer = await sim.command("POST", CHANGE, {"new_number": NEW})
    assert [item["phone_number_id"] for item in answer["webhooks"]] == [NUMBER_ID, "2"]


async def test_moving_back_is_a_change_like_any_other(sim: Sim) -> None:
    await sim.write()
    await sim.act(CHANGE, new_number=NEW)
    answer = await sim.act(CHANGE, new_number=PHONE)
    assert (answer["number"], answer["former"]) == (DIGITS, [NEW])
    await sim.write("back")
    assert sim.receiver.received[-1].message["from"] == DIGITS


async def test_a_hidden_phone_is_nowhere_on_the_wire(start) -> None:
    sim = await start()
    wamid = (await sim.write(user_id="US.1", username="zoe", hide_phone=True))["wamid"]
    await sim.write("still hidden", context_message_id=wamid)
    await sim.graph(to_id("US.1"))
    await eventually(lambda: len(sim.receiver.statuses()) == 3)
    assert {item["recipient_user_id"] for item in sim.receiver.statuses()} == {"US.1"}
    for got in sim.receiver.received:
        assert DIGITS.encode() not in got.raw
        for name in (b'"from":', b'"wa_id"', b'"recipient_id"'):
            assert name not in got.raw
    await sim.write("shown again", hide_phone=False)
    assert sim.receiver.received[-1].message["from"] == DIGITS


async def test_the_user_id_can_be_left_out_as_in_older_webhooks(sim: Sim) -> None:
    await sim.write(user_id="US.1")
    await sim.write("known")
    await sim.write("older", user_id=None)
    _, known, older = (item.message for item in sim.receiver.received)
    assert known["from_user_id"] == "US.1"
    assert "from_user_id" not in older


@pytest.mark.parametrize(
    ("who", "fields", "status"),
    [
        ("15550000001", {"new_number": NEW}, 404),
        (DIGITS, {}, 400),
        (DIGITS, {"new_number": "x"}, 400),
        (DIGITS, {"new_number": "+15557654321"}, 400),
        (DIGITS, {"new_number": NEW, "new_user_id": "US.2"}, 400),
        (DIGITS, {"new_number": NEW, "system": ["user_changed_user_id"]}, 400),
        (DIGITS, {"new_number": NEW, "system": "all"}, 400),
        (DIGITS, {"new_number": NEW, "phone_number_id": "9"}, 404),
    ],
)
async def test_a_wrong_command_changes_nothing(sim: Sim, who, fields, status) -> None:
    await sim.write()
    await sim.write(**{"from": "+15557654321"})
    answer = await sim.command("POST", f"/sim/people/{who}/number", fields, expected=status)
    assert answer["error"]
    assert len(sim.receiver.received) == 2
    people = (await sim.command("GET", "/sim/people"))["people"]
    assert [item["number"] for item in people] == [DIGITS, "15557654321"]
