"""A human in the business's phone app, old chats, and Meta's own agent."""

import pytest

from tests.unit.metasim.harness import DIGITS, NUMBER_ID, PHONE, VERIFY_TOKEN, Sim, text_to

BUSINESS = "15550000000"
HEAD = {
    "messaging_product": "whatsapp",
    "metadata": {"display_phone_number": "+1 555 000 0000", "phone_number_id": NUMBER_ID},
}


async def test_what_a_human_writes_is_echoed_and_shows(sim: Sim) -> None:
    await sim.write(user_id="US.1")
    sent = await sim.act("/sim/echoes", to=PHONE, text="A human here")
    got = sim.receiver.received[-1]
    assert got.verified
    assert "time" not in got.entry
    assert got.value_of("smb_message_echoes") == {
        **HEAD,
        "message_echoes": [
            {
                "from": BUSINESS,
                "to": DIGITS,
                "to_user_id": "US.1",
                "id": sent["wamid"],
                "timestamp": str(int(sim.clock.now)),
                "type": "text",
                "text": {"body": "A human here"},
            }
        ],
    }
    bubble = await sim.bubble(sent["wamid"])
    assert (bubble["direction"], bubble["app"], bubble["agent"]) == ("business", True, False)
    assert (bubble["text"], bubble["status"]) == ("A human here", "delivered")


async def test_a_reply_of_the_api_is_not_marked_as_a_humans(sim: Sim) -> None:
    await sim.write()
    await sim.graph(text_to())
    assert (await sim.conversation())["messages"][-1]["app"] is False


async def test_the_phone_app_sends_any_kind_to_anybody(sim: Sim) -> None:
    sent = await sim.act("/sim/echoes", to="US.77", kind="image", caption="Look")
    (echo,) = sim.receiver.received[-1].value_of("smb_message_echoes")["message_echoes"]
    assert "to" not in echo
    assert (echo["to_user_id"], echo["image"]["caption"]) == ("US.77", "Look")
    assert (await sim.bubble(sent["wamid"], "US.77"))["app"]


async def test_a_human_edits_and_deletes_what_they_wrote(sim: Sim) -> None:
    first = (await sim.act("/sim/echoes", to=PHONE, text="helo"))["wamid"]
    done = await sim.act("/sim/echoes", to=PHONE, kind="edit", wamid=first, text="hello")
    (echo,) = sim.receiver.received[-1].value_of("smb_message_echoes")["message_echoes"]
    assert echo["id"] == done["wamid"] != first
    new = {"type": "text", "text": {"body": "hello"}}
    assert (echo["type"], echo["edit"]) == ("edit", {"original_message_id": first, "message": new})
    assert (await sim.bubble(first))["text"] == "hello"
    await sim.act("/sim/echoes", to=PHONE, kind="revoke", wamid=first)
    (echo,) = sim.receiver.received[-1].value_of("smb_message_echoes")["message_echoes"]
    assert echo["revoke"] == {"original_message_id": first}
    (bubble,) = (await sim.conversation())["messages"]
    assert bubble["revoked"]


async def test_waiting_can_tell_the_machine_from_the_human(sim: Sim) -> None:
    await sim.write()
    await sim.act("/sim/echoes", to=PHONE, text="A human here")
    wait = f"/sim/phone/{DIGITS}/wait?timeout_s=0.01"
    assert (await sim.command("GET", wait))["total"] == 1
    assert (await sim.command("GET", f"{wait}&sender=app"))["total"] == 1
    assert (await sim.command("GET", f"{wait}&sender=api"))["timed_out"]


async def test_the_same_echo_twice_is_one_bubble(sim: Sim) -> None:
    for _ in range(2):
        await sim.act("/sim/echoes", to=PHONE, text="Hello", wamid="wamid.echo")
    assert len((await sim.conversation())["messages"]) == 1
    assert len(sim.receiver.received) == 2


async def test_an_echo_opens_no_window(sim: Sim) -> None:
    await sim.act("/sim/echoes", to=PHONE, text="Hello")
    assert (await sim.graph(text_to()))[1]["error"]["code"] == 131047


async def test_old_chats_come_in_chunks_and_show_nowhere(sim: Sim) -> None:
    messages = [
        {"by": "person", "text": "Open?", "timestamp": 1_780_000_000, "wamid": "wamid.h1"},
        {"by": "business", "text": "Yes", "timestamp": 1_780_000_060, "wamid": "wamid.h2"},
        {"by": "person", "kind": "media_placeholder", "wamid": "wamid.h3", "status": "ERROR"},
    ]
    await sim.act("/sim/history", to=PHONE, messages=messages, phase=1, chunk_order=2, progress=55)
    got = sim.receiver.received[-1]
    assert got.verified
    old = str(int(sim.clock.now) - 24 * 3600 + 120)
    assert got.value_of("history") == {
        **HEAD,
        "history": [
            {
                "metadata": {"phase": 1, "chunk_order": 2, "progress": 55},
                "threads": [
                    {
                        "id": DIGITS,
                        "messages": [
                            {
                                "from": DIGITS,
                                "id": "wamid.h1",
                                "timestamp": "1780000000",
                                "type": "text",
                                "text": {"body": "Open?"},
                                "history_context": {"status": "READ"},
                            },
                            {
                                "from": BUSINESS,
                                "to": DIGITS,
                                "id": "wamid.h2",
                                "timestamp": "1780000060",
                                "type": "text",
                                "text": {"body": "Yes"},
                                "history_context": {"status": "READ"},
                            },
                            {
                                "from": DIGITS,
                                "id": "wamid.h3",
                                "timestamp": old,
                                "type": "media_placeholder",
                                "history_context": {"status": "ERROR"},
                            },
                        ],
                    }
                ],
            }
        ],
    }
    assert (await sim.conversation())["messages"] == []


async def test_history_has_a_default_and_can_be_declined(sim: Sim) -> None:
    await sim.act("/sim/history", to=PHONE)
    (chunk,) = sim.receiver.received[-1].value_of("history")["history"]
    assert len(chunk["threads"][0]["messages"]) == 2
    await sim.act("/sim/history", declined=True)
    (chunk,) = sim.receiver.received[-1].value_of("history")["history"]
    assert chunk["errors"][0]["code"] == 2593109


async def test_what_meta_s_agent_handles_is_overheard(sim: Sim) -> None:
    asked = await sim.act("/sim/standby", text="Are you open?")
    value = sim.receiver.received[-1].value_of("standby")
    assert value == {
        **HEAD,
        "standby": {
            "messages": [
                {
                    "id": asked["wamid"],
                    "timestamp": str(int(sim.clock.now)),
                    "from": DIGITS,
                    "type": "text",
                    "text": {"body": "Are you open?"},
                }
            ]
        },
    }
    said = await sim.act("/sim/standby", part="echo", to=PHONE, text="Yes")
    (echo,) = sim.receiver.received[-1].value_of("standby")["standby"]["message_echoes"]
    assert (echo["id"], echo["to"], echo["text"]) == (said["wamid"], DIGITS, {"body": "Yes"})
    await sim.act("/sim/standby", part="status", to=PHONE, wamid=said["wamid"], status="read")
    (tick,) = sim.receiver.received[-1].value_of("standby")["standby"]["statuses"]
    assert (tick["id"], tick["status"], tick["recipient_id"]) == (said["wamid"], "read", DIGITS)
    question, answer = (await sim.conversation())["messages"]
    assert (question["direction"], answer["agent"], answer["status"]) == ("person", True, "read")


async def test_only_the_field_messages_goes_to_an_override(sim: Sim) -> None:
    wanted = {"override_callback_uri": sim.receiver.url, "verify_token": VERIFY_TOKEN}
    await sim.graph({"webhook_configuration": wanted}, path=f"/v25.0/{NUMBER_ID}")
    await sim.register(callback_url=sim.receiver.url + "/gone", verify_token=None)
    assert (await sim.write())["delivered"]
    for path in ("/sim/echoes", "/sim/history"):
        assert (await sim.act(path, to=PHONE, text="x"))["status_code"] == 404


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("echoes", {"text": "x"}, 400),
        ("echoes", {"to": "nobody", "text": "x"}, 400),
        ("echoes", {"to": PHONE}, 400),
        ("echoes", {"to": PHONE, "kind": "hologram"}, 400),
        ("echoes", {"to": PHONE, "kind": "edit", "wamid": "wamid.x", "text": "x"}, 404),
        ("echoes", {"to": PHONE, "text": "x", "phone_number_id": "9"}, 404),
        ("history", {"to": PHONE, "messages": []}, 400),
        ("history", {"to": PHONE, "messages": [{"by": "both", "text": "x"}]}, 400),
        ("standby", {"part": "all"}, 400),
        ("standby", {"part": "status", "to": PHONE, "wamid": "wamid.x"}, 404),
    ],
)
async def test_a_wrong_command_is_named(sim: Sim, path, fields, status) -> None:
    assert (await sim.act(f"/sim/{path}", expected=status, **fields))["error"]
    assert sim.receiver.received == []
