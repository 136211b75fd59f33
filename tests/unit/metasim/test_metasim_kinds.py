"""Every type that people can write: the webhook's exact shape, and the bubble."""

import base64
import hashlib
import json
from typing import Any

import pytest

from metasim.samples import sample
from tests.unit.metasim.harness import DIGITS, NUMBER_ID, PHONE, Sim

PLAIN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"kind": "text", "text": "hello"}, {"type": "text", "text": {"body": "hello"}}),
    "location": (
        {
            "kind": "location",
            "latitude": -10.5,
            "longitude": 20,
            "name": "Café",
            "address": "1 High St",
            "url": "https://place.example",
        },
        {
            "type": "location",
            "location": {
                "latitude": -10.5,
                "longitude": 20.0,
                "name": "Café",
                "address": "1 High St",
                "url": "https://place.example",
            },
        },
    ),
    "contacts": (
        {"kind": "contacts", "name": "Ann Lee", "phone": "+1 555 0001", "origin": "other"},
        {
            "type": "contacts",
            "contacts": [
                {
                    "name": {"first_name": "Ann", "last_name": "Lee", "formatted_name": "Ann Lee"},
                    "phones": [{"phone": "+1 555 0001", "wa_id": "15550001", "type": "CELL"}],
                    "origin": "other",
                }
            ],
        },
    ),
    "contacts as given": (
        {"kind": "contacts", "contacts": [{"name": {"formatted_name": "X"}}]},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "X"}}]},
    ),
    "button": (
        {"kind": "button", "text": "Yes", "payload": "yes-1"},
        {"type": "button", "button": {"payload": "yes-1", "text": "Yes"}},
    ),
    "button_reply": (
        {"kind": "button_reply", "id": "a", "title": "Yes"},
        {
            "type": "interactive",
            "interactive": {"type": "button_reply", "button_reply": {"id": "a", "title": "Yes"}},
        },
    ),
    "list_reply": (
        {"kind": "list_reply", "id": "r", "title": "Row", "description": "More"},
        {
            "type": "interactive",
            "interactive": {
                "type": "list_reply",
                "list_reply": {"id": "r", "title": "Row", "description": "More"},
            },
        },
    ),
    "flow_reply": (
        {"kind": "flow_reply", "response": {"day": "Monday"}},
        {
            "type": "interactive",
            "interactive": {
                "type": "nfm_reply",
                "nfm_reply": {
                    "name": "flow",
                    "body": "Sent",
                    "response_json": json.dumps({"day": "Monday"}),
                },
            },
        },
    ),
    "flow_reply that is no object": (
        {"kind": "flow_reply", "response_json": "{oops"},
        {
            "type": "interactive",
            "interactive": {
                "type": "nfm_reply",
                "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{oops"},
            },
        },
    ),
    "address_reply": (
        {"kind": "address_reply", "response": {"city": "Pune"}, "body": "Address"},
        {
            "type": "interactive",
            "interactive": {
                "type": "nfm_reply",
                "nfm_reply": {
                    "name": "address_message",
                    "body": "Address",
                    "response_json": json.dumps({"city": "Pune"}),
                },
            },
        },
    ),
    "call_permission_reply": (
        {"kind": "call_permission_reply", "response": "reject"},
        {
            "type": "interactive",
            "interactive": {
                "type": "call_permission_reply",
                "call_permission_reply": {"response": "reject", "response_source": "user_action"},
            },
        },
    ),
    "order": (
        {
            "kind": "order",
            "catalog_id": "7",
            "text": "Please",
            "items": [{"product_retailer_id": "sku-1", "quantity": 2, "item_price": 9.5}],
        },
        {
            "type": "order",
            "order": {
                "catalog_id": "7",
                "text": "Please",
                "product_items": [
                    {
                        "product_retailer_id": "sku-1",
                        "quantity": 2,
                        "item_price": 9.5,
                        "currency": "USD",
                    }
                ],
            },
        },
    ),
}


@pytest.mark.parametrize("name", PLAIN)
async def test_a_short_command_becomes_the_documented_shape(sim: Sim, name) -> None:
    command, expected = PLAIN[name]
    sent = await sim.act("/sim/phone/messages", **command)
    (got,) = sim.receiver.received
    assert got.verified
    head = {"id": sent["wamid"], "timestamp": str(int(sim.clock.now)), "from": DIGITS}
    assert got.message == head | expected
    bubble = await sim.bubble(sent["wamid"])
    assert (bubble["direction"], bubble["type"]) == ("person", expected["type"])
    assert bubble["delivered"]


@pytest.mark.parametrize(
    ("command", "kind", "mime_type", "beside"),
    [
        ({"kind": "voice"}, "audio", "audio/ogg; codecs=opus", {"voice": True}),
        ({"kind": "audio"}, "audio", "audio/ogg; codecs=opus", {"voice": False}),
        ({"kind": "audio", "voice": True}, "audio", "audio/ogg; codecs=opus", {"voice": True}),
        ({"kind": "image", "caption": "Look"}, "image", "image/jpeg", {"caption": "Look"}),
        ({"kind": "image", "mime_type": "image/png"}, "image", "image/png", {}),
        ({"kind": "video"}, "video", "video/mp4", {}),
        ({"kind": "sticker"}, "sticker", "image/webp", {"animated": False}),
        (
            {"kind": "document", "filename": "../a.pdf", "caption": "Read"},
            "document",
            "application/pdf",
            {"filename": "../a.pdf", "caption": "Read"},
        ),
        (
            {"kind": "document", "mime_type": "text/plain"},
            "document",
            "text/plain",
            {"filename": "document.pdf"},
        ),
    ],
)
async def test_media_comes_with_id_type_digest_and_link(
    sim: Sim, command, kind, mime_type, beside
) -> None:
    sent = await sim.act("/sim/phone/messages", **command)
    message = sim.receiver.received[0].message
    assert message["type"] == kind
    about = message[kind]
    data = sample(mime_type)
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert (about["mime_type"], about["sha256"]) == (mime_type, digest)
    assert about["id"].isdigit()
    assert f"mid={about['id']}&" in about["url"]
    known = {"id", "mime_type", "sha256", "url"}
    assert {name: value for name, value in about.items() if name not in known} == beside
    assert (await sim.bubble(sent["wamid"]))["content"] == about


async def test_a_caption_shows_in_the_bubble(sim: Sim) -> None:
    sent = await sim.act("/sim/phone/messages", kind="image", caption="Look")
    assert (await sim.bubble(sent["wamid"]))["text"] == "[image] Look"


async def test_media_may_be_brought_along_or_made_to_size(sim: Sim) -> None:
    data = b"\x00\x01 any bytes"
    encoded = base64.b64encode(data).decode()
    await sim.act("/sim/phone/messages", kind="document", bytes_base64=encoded)
    await sim.act("/sim/phone/messages", kind="image", size=5000)
    own, sized = (item.message for item in sim.receiver.received)
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert own["document"]["sha256"] == digest
    padded = sample("image/jpeg").ljust(5000, b"\0")
    digest = base64.b64encode(hashlib.sha256(padded).digest()).decode()
    assert sized["image"]["sha256"] == digest


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ({"kind": "unsupported"}, None),
        ({"kind": "unsupported", "subtype": "edit"}, {"type": "edit"}),
        ({"kind": "poll"}, {"type": "poll"}),
        ({"kind": "view_once"}, {"type": "view_once"}),
        ({"kind": "event"}, {"type": "event"}),
    ],
)
async def test_what_the_api_does_not_hand_on_is_unsupported(sim: Sim, command, named) -> None:
    await sim.act("/sim/phone/messages", **command)
    message = sim.receiver.received[0].message
    assert message["type"] == "unsupported"
    assert message.get("unsupported") == named
    (error,) = message["errors"]
    assert (error["code"], error["title"]) == (131051, "Message type unknown")
    assert error["error_data"]["details"]


async def test_media_that_is_too_big_is_an_error_without_a_file(sim: Sim) -> None:
    await sim.act("/sim/phone/messages", kind="too_big", media="video")
    message = sim.receiver.received[0].message
    assert (message["type"], message["errors"][0]["code"]) == ("unsupported", 131052)
    assert "video" not in message


async def test_forwards_ads_and_groups_stand_beside_any_kind(sim: Sim) -> None:
    await sim.act("/sim/phone/messages", kind="voice", forwarded=True)
    await sim.act("/sim/phone/messages", text="x", frequently_forwarded=True)
    await sim.act("/sim/phone/messages", text="x", referral=True)
    sent = await sim.act("/sim/phone/messages", kind="image", group_id="120363.g")
    voice, often, ad, group = (item.message for item in sim.receiver.received)
    assert voice["context"] == {"forwarded": True}
    assert often["context"] == {"frequently_forwarded": True}
    assert (ad["referral"]["source_type"], "context" in ad) == ("ad", False)
    assert (group["group_id"], group["from"]) == ("120363.g", DIGITS)
    assert (await sim.bubble(sent["wamid"]))["group_id"] == "120363.g"


async def test_the_writers_own_name_stays_apart_from_a_places(sim: Sim) -> None:
    place: dict[str, Any] = {"kind": "location", "latitude": 1, "longitude": 2, "name": "Station"}
    await sim.act("/sim/phone/messages", **place, profile_name="Zoë")
    value = sim.receiver.received[0].value
    assert value["contacts"][0]["profile"] == {"name": "Zoë"}
    assert value["messages"][0]["location"]["name"] == "Station"


async def test_a_reply_by_button_quotes_what_it_answers(sim: Sim) -> None:
    first = (await sim.write())["wamid"]
    command: dict[str, Any] = {
        "kind": "button_reply",
        "id": "a",
        "title": "Yes",
        "context_message_id": first,
    }
    sent = await sim.act("/sim/phone/messages", **command)
    assert sim.receiver.received[-1].message["context"] == {"from": DIGITS, "id": first}
    bubble = await sim.bubble(sent["wamid"])
    assert (bubble["text"], bubble["context"]) == ("Yes", {"message_id": first})


async def test_all_kinds_open_the_window_but_not_a_group(sim: Sim) -> None:
    text = {"messaging_product": "whatsapp", "to": PHONE, "text": {"body": "x"}}
    await sim.act("/sim/phone/messages", text="x", group_id="g")
    assert (await sim.graph(text))[1]["error"]["code"] == 131047
    await sim.act("/sim/phone/messages", kind="poll")
    assert (await sim.graph(text))[0] == 200


@pytest.mark.parametrize(
    "command",
    [
        {"kind": "hologram"},
        {"kind": "location", "latitude": 91, "longitude": 0},
        {"kind": "location", "latitude": 1},
        {"kind": "contacts"},
        {"kind": "contacts", "contacts": ["x"]},
        {"kind": "button"},
        {"kind": "button_reply", "id": "a"},
        {"kind": "order", "items": []},
        {"kind": "order", "items": [{"quantity": 1}]},
        {"kind": "image", "bytes_base64": "%%%"},
        {"kind": "image", "bytes_base64": "AAAA", "size": 3},
        {"kind": "image", "size": 200 * 1024 * 1024},
        {"kind": "voice", "duration": 1e9},
        {"kind": "voice", "voice": "yes"},
        {"kind": "too_big", "media": "text"},
        {"text": "x", "referral": "ad"},
    ],
)
async def test_a_wrong_command_is_named_and_sends_nothing(sim: Sim, command) -> None:
    answer = await sim.act("/sim/phone/messages", expected=400, **command)
    assert answer["error"]
    assert sim.receiver.received == []
    assert (await sim.conversation())["messages"] == []


def test_samples_are_what_they_say_and_always_the_same() -> None:
    assert sample("image/jpeg").startswith(b"\xff\xd8\xff")
    assert sample("image/png").startswith(b"\x89PNG")
    assert sample("image/webp")[8:16] == b"WEBPVP8L"
    assert sample("video/mp4")[4:8] == b"ftyp"
    assert sample("application/pdf").endswith(b"%%EOF\n")
    voice = sample("audio/ogg; codecs=opus", 3.5)
    assert voice.startswith(b"OggS")
    assert b"OpusHead" in voice
    assert voice == sample("audio/ogg", 3.5) != sample("audio/ogg", 2)


def test_the_pages_of_a_voice_note_add_up() -> None:
    """Its length is the last page's position less what the decoder skips at the start."""
    voice = sample("audio/ogg", 3.5)
    last = voice[voice.rindex(b"OggS") :]
    position = int.from_bytes(last[6:14], "little")
    assert (position - 312) / 48_000 == 3.5
    assert last[5] == 4, "marked as the last page"


async def test_a_hidden_person_is_named_by_id_alone(sim: Sim) -> None:
    await sim.act("/sim/phone/messages", who="US.77", kind="voice")
    value = sim.receiver.received[0].value
    assert value["metadata"]["phone_number_id"] == NUMBER_ID
    assert value["messages"][0]["from_user_id"] == "US.77"
    assert "from" not in value["messages"][0]
    assert value["contacts"][0]["user_id"] == "US.77"
    assert "wa_id" not in value["contacts"][0]
