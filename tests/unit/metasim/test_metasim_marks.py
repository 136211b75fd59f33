"""What people do to a message that is there: edit, delete, react."""

import pytest

from tests.unit.metasim.harness import DIGITS, Sim, text_to


async def reply(sim: Sim, **to) -> str:
    status, answer = await sim.graph(text_to(**to))
    assert status == 200
    return answer["messages"][0]["id"]


async def test_an_edit_has_its_own_id_and_names_the_original(sim: Sim) -> None:
    first = (await sim.write("helo", name="Zoë"))["wamid"]
    sim.clock.advance(60)
    done = await sim.act("/sim/phone/edits", wamid=first, text="hello")
    got = sim.receiver.received[-1]
    assert got.verified
    assert got.value["contacts"] == [{"profile": {"name": "Zoë"}, "wa_id": DIGITS}]
    assert got.message == {
        "id": done["wamid"],
        "timestamp": str(int(sim.clock.now)),
        "from": DIGITS,
        "type": "edit",
        "edit": {
            "original_message_id": first,
            "message": {"type": "text", "text": {"body": "hello"}},
        },
    }
    assert done["delivered"]
    assert done["wamid"] != first
    (bubble,) = (await sim.conversation())["messages"]
    assert (bubble["text"], bubble["edited"], bubble["wamid"]) == ("hello", True, first)


async def test_an_edited_caption_keeps_the_file_and_the_quote(sim: Sim) -> None:
    quoted = (await sim.write())["wamid"]
    image = {"kind": "image", "caption": "Lok", "context_message_id": quoted}
    first = await sim.act("/sim/phone/messages", **image)
    before = sim.receiver.received[-1].message["image"]
    await sim.act("/sim/phone/edits", wamid=first["wamid"], caption="Look")
    new = sim.receiver.received[-1].message["edit"]["message"]
    assert new == {
        "type": "image",
        "image": before | {"caption": "Look"},
        "context": {"id": quoted},
    }
    assert (await sim.bubble(first["wamid"]))["text"] == "[image] Look"


async def test_a_deleted_message_leaves_an_empty_bubble(sim: Sim) -> None:
    first = (await sim.write("oops"))["wamid"]
    await sim.act("/sim/phone/edits", wamid=first, text="oops!")
    await sim.act("/sim/phone/reactions", wamid=first, emoji="👍")
    done = await sim.act("/sim/phone/revokes", wamid=first)
    message = sim.receiver.received[-1].message
    assert (message["type"], message["id"]) == ("revoke", done["wamid"])
    assert message["revoke"] == {"original_message_id": first}
    (bubble,) = (await sim.conversation())["messages"]
    assert (bubble["revoked"], bubble["text"], bubble["content"]) == (True, "", {})
    assert (bubble["edited"], bubble["reaction"]) == (False, None)


async def test_reactions_go_on_both_sides_and_can_be_taken_back(sim: Sim) -> None:
    own = (await sim.write())["wamid"]
    theirs = await reply(sim)
    for wamid in (own, theirs):
        await sim.act("/sim/phone/reactions", wamid=wamid, emoji="👍")
        message = sim.receiver.received[-1].message
        assert message["type"] == "reaction"
        assert message["reaction"] == {"message_id": wamid, "emoji": "👍"}
        assert (await sim.bubble(wamid))["reaction"] == "👍"
    for wamid, emoji, told in ((theirs, None, {}), (own, "", {"emoji": ""})):
        await sim.act("/sim/phone/reactions", wamid=wamid, emoji=emoji)
        assert sim.receiver.received[-1].message["reaction"] == {"message_id": wamid, **told}
        assert (await sim.bubble(wamid))["reaction"] is None
    assert len((await sim.conversation())["messages"]) == 2


async def test_a_hidden_phone_stays_hidden_in_all_of_them(sim: Sim) -> None:
    first = (await sim.write(user_id="US.1", hide_phone=True))["wamid"]
    await sim.act("/sim/phone/reactions", wamid=first, emoji="👍")
    await sim.act("/sim/phone/edits", wamid=first, text="x", who="US.1")
    await sim.act("/sim/phone/revokes", wamid=first)
    for got in sim.receiver.received:
        assert DIGITS.encode() not in got.raw
        assert got.message["from_user_id"] == "US.1"
        assert got.value["contacts"][0]["user_id"] == "US.1"


async def test_they_open_no_window(sim: Sim) -> None:
    first = (await sim.write())["wamid"]
    sim.clock.advance(24 * 3600)
    await sim.act("/sim/phone/reactions", wamid=first, emoji="👍")
    assert (await sim.graph(text_to()))[1]["error"]["code"] == 131047


async def test_raw_webhooks_of_them_show_in_the_conversation_too(sim: Sim) -> None:
    first = (await sim.write("helo"))["wamid"]
    edit = {
        "original_message_id": first,
        "message": {"type": "text", "text": {"body": "hello"}},
    }
    await sim.write(message={"type": "edit", "edit": edit})
    reaction = {"message_id": first, "emoji": "🎉"}
    await sim.write(message={"type": "reaction", "reaction": reaction})
    await sim.write(message={"type": "reaction", "reaction": {"message_id": "wamid.unknown"}})
    await sim.write(message={"type": "edit", "edit": {"original_message_id": first}})
    await sim.write(message={"type": "system", "system": {"type": "customer_identity_changed"}})
    (bubble,) = (await sim.conversation())["messages"]
    assert (bubble["text"], bubble["reaction"]) == ("hello", "🎉")


@pytest.mark.parametrize(
    ("command", "fields", "status"),
    [
        ("edits", {"wamid": "wamid.unknown", "text": "x"}, 404),
        ("edits", {"from": "+15550009999", "text": "x"}, 404),
        ("edits", {}, 400),
        ("edits", {"caption": "x"}, 400),
        ("reactions", {"emoji": 5}, 400),
        ("revokes", {"phone_number_id": "unknown"}, 404),
    ],
)
async def test_a_wrong_command_is_named(sim: Sim, command, fields, status) -> None:
    first = (await sim.write())["wamid"]
    path = f"/sim/phone/{command}"
    answer = await sim.act(path, **{"wamid": first, **fields}, expected=status)
    assert answer["error"]
    assert len(sim.receiver.received) == 1


async def test_people_cannot_do_what_the_app_does_not_offer(sim: Sim) -> None:
    first = (await sim.write())["wamid"]
    voice = (await sim.act("/sim/phone/messages", kind="voice"))["wamid"]
    theirs = await reply(sim)
    await sim.act("/sim/phone/edits", wamid=voice, text="x", expected=400)
    await sim.act("/sim/phone/edits", wamid=theirs, text="x", expected=400)
    await sim.act("/sim/phone/revokes", wamid=theirs, expected=400)
    sim.clock.advance(16 * 60)
    answer = await sim.act("/sim/phone/edits", wamid=first, text="x", expected=400)
    assert "15 minutes" in answer["error"]
    await sim.act("/sim/phone/revokes", wamid=first)
    await sim.act("/sim/phone/reactions", wamid=first, emoji="👍", expected=400)
    sim.clock.advance(2 * 24 * 3600)
    await sim.act("/sim/phone/revokes", wamid=voice, expected=400)
