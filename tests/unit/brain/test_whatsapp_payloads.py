"""Every real payload at hand: what it becomes, in what words, from whom. And payloads gone wrong."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brain.domain.whatsapp.content import content_of
from brain.domain.whatsapp.identity import Renaming, address_of, renaming_of
from brain.domain.whatsapp.notices import echo_of, edit_of, reaction_of, revoked_id
from brain.domain.whatsapp.reading import label, moment
from ingress.domain.decode import decode
from ingress.domain.split import Split, split

DATA = Path(__file__).parents[4] / "shared" / "data" / "webhooks"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the payloads are not beside the project")

BINDA, TESTER, SECOND = "phone:1111111111111", "phone:15551234567", "phone:15550002222"

MESSAGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "bindambc-java/audioMessage": ("audio", "[voice note]", (BINDA,)),
    "bindambc-java/buttonMessage": ("button", "SIM", (BINDA,)),
    "bindambc-java/contactMessage": ("contacts", "[contact: Person Ok]", (BINDA,)),
    "bindambc-java/documentMessage": ("document", "[document: 4_641947.pdf]", (BINDA,)),
    "bindambc-java/imageMessage": ("image", "[image]", (BINDA,)),
    "bindambc-java/locationMessage": ("location", "[location: -10.93941, -10.6064]", (BINDA,)),
    "bindambc-java/messageDeleted": ("unsupported", "[unsupported message]", (BINDA,)),
    "bindambc-java/stickerMessage": ("sticker", "[sticker]", (BINDA,)),
    "bindambc-java/textMessage": ("text", "hi everyone!", (BINDA,)),
    # The only contact is spelled otherwise than the sender, as Brazilian numbers are.
    "bindambc-java/textMessage2": ("text", "Good afternoon", ("phone:409552778964973", BINDA)),
    "bindambc-java/videoMessage": ("video", "[video] hello world", (BINDA,)),
    "vercel-chat/sample-image-message-1": ("image", "[image] Check this out", (TESTER,)),
    "vercel-chat/sample-interactive-button-reply-3": ("interactive", "Approve", (TESTER,)),
    "vercel-chat/sample-text-message-0": ("text", "Hello, bot!", (TESTER,)),
    "vercel-chat/sample-text-message-with-business-scoped-user-ids-4": (
        "text",
        "Hello from a username user",
        ("bsuid:US.13491208655302741918", TESTER),
    ),
    "vercel-chat/whatsapp#firstMessage": ("text", "What is Vercel?", (SECOND,)),
    "vercel-chat/whatsapp#secondMessage": ("text", "Tell me more", (SECOND,)),
}
NOTICES: dict[str, tuple[str, Any]] = {
    "bindambc-java/reactMessage": ("reaction", "👍"),
    "vercel-chat/sample-reaction-2": ("reaction", "👍"),
    "vercel-chat/sample-system-message-user-changed-number-5": (
        "system",
        Renaming("15551234567", None, "15557654321", "US.24817305912873645029"),
    ),
    "vercel-chat/sample-system-message-user-changed-user-id-6": (
        "system",
        Renaming(None, "US.13491208655302741918", None, "US.24817305912873645029"),
    ),
    "vercel-chat/sample-bsuid-rotation-user-id-update-7": (
        "system",
        Renaming(None, "US.13491208655302741918", "15557654321", "US.24817305912873645029"),
    ),
}


def payloads() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(DATA.glob("*/*.json")):
        name = f"{path.parent.name}/{path.stem}"
        try:
            body = decode(path.read_bytes())
        except ValueError:
            continue
        if "entry" in body:
            found[name] = body
        else:
            parts = {key: part for key, part in body.items() if isinstance(part, dict)}
            found |= {f"{name}#{key}": part for key, part in parts.items()}
    return found


def number_of(payload: Any) -> str:
    text = json.dumps(payload)
    marker = '"phone_number_id": "'
    return text.split(marker, 1)[1].split('"', 1)[0] if marker in text else ""


def taken(payload: Any) -> Split:
    return split(payload, channel_id="c", phone_number_id=number_of(payload))


@needs_data
def test_the_table_is_whole() -> None:
    found = {name: taken(payload) for name, payload in payloads().items()}
    assert {name for name, one in found.items() if one.messages} == MESSAGES.keys()
    assert {name for name, one in found.items() if one.notices} == NOTICES.keys()


@needs_data
@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_its_line_its_type_and_its_author(name: str) -> None:
    (message,) = taken(payloads()[name]).messages
    content = content_of(message.message)
    address = address_of(message.message, message.contact)
    assert (content.kind, content.text, address.aliases) == MESSAGES[name]


@needs_data
@pytest.mark.parametrize("name", NOTICES)
def test_a_notice_says_what_happened(name: str) -> None:
    (notice,) = taken(payloads()[name]).notices
    kind, meant = NOTICES[name]
    assert notice.kind == kind
    if kind == "system":
        assert renaming_of(notice.message) == meant
    else:
        assert reaction_of(notice.message).emoji == meant


BASE: dict[str, Any] = {"id": "wamid.1", "from": "15551234567", "timestamp": "1700000000"}


def said(kind: str, body: Any, **more: Any) -> Any:
    return content_of({**BASE, "type": kind, kind: body, **more})


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("audio", {"id": "1", "voice": True, "duration": 12}, "[voice note, 0:12]"),
        ("audio", {"id": "1", "voice": False, "duration": "75.4"}, "[audio, 1:15]"),
        ("voice", {"id": "1"}, "[voice note]"),
        ("image", {"id": "1", "caption": "look\nhere"}, "[image] look\nhere"),
        ("document", {"id": "1", "filename": "a\u202efdp.exe\n"}, "[document: a fdp.exe]"),
        ("document", {"id": "1", "caption": "my letter"}, "[document] my letter"),
        ("sticker", {"id": "1", "animated": True}, "[sticker]"),
        (
            "location",
            {"latitude": 48.21, "longitude": 16.37, "name": "Café Central"},
            "[location: Café Central, 48.21, 16.37]",
        ),
        ("location", {"latitude": "48.5", "address": "High St 1"}, "[location: High St 1]"),
        ("location", {}, "[location]"),
        ("contacts", [{"name": {"first_name": "Ann", "last_name": "Lee"}}], "[contact: Ann Lee]"),
        (
            "contacts",
            [{"name": {"formatted_name": name}} for name in "ABCDE"],
            "[contacts: A, B, C and 2 more]",
        ),
        ("contacts", {"not": "a list"}, "[contact]"),
        ("button", {"payload": "p", "text": "Yes please"}, "Yes please"),
        (
            "interactive",
            {
                "type": "list_reply",
                "list_reply": {"id": "7", "title": "Tuesday", "description": "d"},
            },
            "Tuesday",
        ),
        (
            "interactive",
            {
                "type": "nfm_reply",
                "nfm_reply": {
                    "name": "flow",
                    "body": "Sent",
                    "response_json": '{"flow_token": "t0", "how": "I want to die", "n": [3, "soon"]}',
                },
            },
            "[flow] I want to die. soon",
        ),
        (
            "interactive",
            {"type": "nfm_reply", "nfm_reply": {"response_json": "no json"}},
            "[form] no json",
        ),
        (
            "interactive",
            {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}},
            "[call permission: accept]",
        ),
        ("interactive", {}, "[interactive]"),
        (
            "order",
            {
                "catalog_id": "c",
                "text": "please today",
                "product_items": [
                    {
                        "product_retailer_id": "tea",
                        "quantity": 2,
                        "item_price": 5,
                        "currency": "EUR",
                    },
                    {"product_retailer_id": "cup"},
                ],
            },
            "[order: 2 \u00d7 tea at 5.00 EUR, 1 \u00d7 cup] please today",
        ),
        ("unsupported", {"type": "poll"}, "[unsupported message: poll]"),
        ("unknown", None, "[unsupported message]"),
        ("hologram", {"caption": "see me"}, "[unsupported message: hologram] see me"),
        ("text", {}, ""),
    ],
)
def test_every_type_has_a_line(kind: str, body: Any, text: str) -> None:
    assert said(kind, body).text == text


def test_only_what_was_said_is_understood() -> None:
    assert said("document", {"id": "1", "filename": "kill.pdf"}).words == ""
    assert said("contacts", [{"name": {"formatted_name": "Kill Bill"}}]).words == ""
    assert said("image", {"id": "1", "caption": "help me"}).words == "help me"


def test_the_media_reference_is_kept() -> None:
    media = said("image", {"id": "m1", "mime_type": "image/jpeg", "sha256": "x", "url": "u"}).media
    assert (media.id, media.mime_type, media.sha256) == ("m1", "image/jpeg", "x")
    assert said("image", {"id": 7}).media is None


def test_media_that_meta_lost_says_so() -> None:
    lost = said("video", {"id": "1"}, errors=[{"code": 131052, "title": "Media download error"}])
    assert lost.text == "[video, could not be received]"
    assert lost.data["problem"]["code"] == 131052


def test_what_surrounds_a_message_is_kept() -> None:
    around = said(
        "text",
        {"body": "hi"},
        context={"forwarded": True, "id": "wamid.0"},
        referral={"source_type": "ad", "headline": "We listen"},
    ).data
    assert (around["forwarded"], around["answers_message"]) == (True, "wamid.0")
    assert around["referral"]["headline"] == "We listen"


@pytest.mark.parametrize(
    ("message", "contact", "aliases"),
    [
        ({"from": "1555"}, None, ("phone:1555",)),
        ({"from": "1555", "from_user_id": "US.1"}, None, ("bsuid:US.1", "phone:1555")),
        ({"from_user_id": "US.1"}, {"wa_id": "1555"}, ("bsuid:US.1", "phone:1555")),
        ({"from_user_id": "US.1"}, {"user_id": "US.2", "wa_id": "1555"}, ("bsuid:US.1",)),
        ({"from": "US.1"}, {"wa_id": "US.1"}, ("bsuid:US.1",)),
        ({}, {"user_id": "US.1"}, ("bsuid:US.1",)),
        (
            {"from": "5511987654321"},
            {"wa_id": "551187654321"},
            ("phone:5511987654321", "phone:551187654321"),
        ),
    ],
)
def test_a_person_is_found_by_what_the_payload_proves(
    message: Any, contact: Any, aliases: tuple[str, ...]
) -> None:
    assert address_of(message, contact).aliases == aliases


def test_nobody_wrote() -> None:
    with pytest.raises(ValueError, match="neither"):
        address_of({}, None)


@pytest.mark.parametrize(
    "system",
    [
        {"type": "customer_identity_changed", "wa_id": "2"},
        {"type": "user_changed_number"},
        {"type": "user_changed_number", "wa_id": 7},
        None,
    ],
)
def test_what_proves_no_new_identity_changes_nothing(system: Any) -> None:
    assert renaming_of({"from": "1", "type": "system", "system": system}) is None


def test_a_label_cannot_turn_the_text_around_it() -> None:
    assert label("a\u202eb\x00\nc\u2066") == "a b c"
    assert label("x" * 500) == "x" * 119 + "…"
    assert label(True) == ""


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\u202e\u0000\x1b[31m", "9" * 400, "\ud83d", "US." + "A" * 130]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)

EVERYTHING: list[dict[str, Any]] = [
    {**BASE, "type": "text", "text": {"body": "hi"}},
    {
        **BASE,
        "type": "image",
        "image": {"id": "1", "caption": "c", "mime_type": "m", "sha256": "s"},
    },
    {**BASE, "type": "audio", "audio": {"id": "1", "voice": True, "duration": 3}},
    {**BASE, "type": "location", "location": {"latitude": 1.5, "longitude": 2.5, "name": "n"}},
    {**BASE, "type": "contacts", "contacts": [{"name": {}, "phones": [{"phone": "1"}]}]},
    {
        **BASE,
        "type": "interactive",
        "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{}", "name": "n"}},
    },
    {**BASE, "type": "order", "order": {"product_items": [{"quantity": 1, "item_price": 2}]}},
    {
        **BASE,
        "type": "system",
        "system": {"type": "user_changed_number", "wa_id": "2", "body": "b"},
    },
    {**BASE, "type": "edit", "edit": {"original_message_id": "w", "message": {"type": "text"}}},
    {**BASE, "type": "revoke", "revoke": {"original_message_id": "w"}},
    {**BASE, "type": "reaction", "reaction": {"message_id": "w", "emoji": "x"}},
    {**BASE, "type": "unsupported", "errors": [{"code": 131051, "error_data": {"details": "d"}}]},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(inner, (*path, key))
    return found


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A real message of which some parts are gone, or something else."""
    message = copy.deepcopy(draw(st.sampled_from(EVERYTHING)))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(places(message)))
        parent: Any = message
        try:
            for key in path[:-1]:
                parent = parent[key]
            if draw(st.booleans()):
                del parent[path[-1]]
            else:
                parent[path[-1]] = draw(JSON)
        except (KeyError, IndexError, TypeError):
            continue
        if not message:
            break
    return message


@settings(max_examples=400)
@given(spoiled(), JSON)
def test_a_spoiled_message_is_read_without_complaint(message: dict[str, Any], contact: Any) -> None:
    content = content_of(message)
    assert "\n" not in content.line
    json.dumps(content.data)
    moment(message.get("timestamp"))
    renaming_of(message)
    edit_of(message)
    revoked_id(message)
    reaction_of(message)
    echo_of(message)
    try:
        address = address_of(message, contact)
    except ValueError:
        return
    assert address.aliases
