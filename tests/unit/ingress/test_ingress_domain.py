"""Signature, handshake, decoding and splitting, over real payloads and mutations of them."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.domain.decode import MalformedError, decode
from ingress.domain.handshake import Outcome, hash_of_ours, judge
from ingress.domain.signature import Refusal, refusal
from ingress.domain.split import Split, split
from shared.contracts import Envelope, InboundMessageReceived

DATA = Path(__file__).parents[4] / "shared" / "data" / "webhooks"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not here")

GITHUB_SECRET, GITHUB_BODY = "It's a Secret to Everybody", b"Hello, World!"
GITHUB_DIGEST = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_a_published_vector_verifies() -> None:
    header = f"sha256={GITHUB_DIGEST}"
    assert refusal(GITHUB_BODY, header, ["other", GITHUB_SECRET]) is None


@needs_data
def test_our_vectors_verify_over_the_raw_bytes() -> None:
    vectors = json.loads((DATA / "signature-vectors.json").read_text())
    assert vectors
    for vector in vectors:
        body, header = base64.b64decode(vector["body_b64"]), vector["header"]
        assert refusal(body, header, [vector["secret"]]) is None
        assert refusal(body + b" ", header, [vector["secret"]]) is Refusal.WRONG_DIGEST


@pytest.mark.parametrize(
    ("header", "secrets", "reason"),
    [
        (None, ["s"], Refusal.NO_HEADER),
        (f"sha256={GITHUB_DIGEST}", [], Refusal.NO_SECRET),
        ("", ["s"], Refusal.BAD_FORM),
        (GITHUB_DIGEST, [GITHUB_SECRET], Refusal.BAD_FORM),
        (f"SHA256={GITHUB_DIGEST}", [GITHUB_SECRET], Refusal.BAD_FORM),
        (f"sha256={GITHUB_DIGEST}0", [GITHUB_SECRET], Refusal.BAD_FORM),
        (f"sha256={GITHUB_DIGEST}\n", [GITHUB_SECRET], Refusal.BAD_FORM),
        (f"sha256={GITHUB_DIGEST[:-1]}z", [GITHUB_SECRET], Refusal.BAD_FORM),
        (f"sha256={'0' * 64}", [GITHUB_SECRET], Refusal.WRONG_DIGEST),
        (f"sha256={GITHUB_DIGEST}", ["wrong"], Refusal.WRONG_DIGEST),
    ],
)
def test_a_forgery_is_refused_with_its_reason(
    header: str | None, secrets: list[str], reason: Refusal
) -> None:
    assert refusal(GITHUB_BODY, header, secrets) is reason


@pytest.mark.parametrize(
    ("mode", "token", "outcome"),
    [
        ("subscribe", "right", Outcome.VERIFIED),
        ("subscribe", "before", Outcome.VERIFIED),
        ("subscribe", "right\n", Outcome.TOKEN_HAS_WHITESPACE),
        ("subscribe", " right", Outcome.TOKEN_HAS_WHITESPACE),
        ("subscribe", "wrong", Outcome.TOKEN_MISMATCH),
        ("subscribe", "", Outcome.TOKEN_MISMATCH),
        ("unsubscribe", "right", Outcome.WRONG_MODE),
        ("", "right", Outcome.WRONG_MODE),
    ],
)
def test_the_handshake_knows_why(mode: str, token: str, outcome: Outcome) -> None:
    hashes = [hashlib.sha256(known).hexdigest() for known in (b"right", b"before")]
    assert judge(mode, token, hashes) is outcome


def test_half_an_emoji_does_not_lose_a_webhook() -> None:
    assert decode(b'{"a": "cut \\ud83d"}') == {"a": "cut ?"}
    assert decode(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_a_number_beyond_64_bits_does_not_lose_a_webhook() -> None:
    wide = decode(b'{"a": 123456789012345678901, "b": 1e400, "c": -7, "d": 0.5}')
    assert wide == {"a": "123456789012345678901", "b": "1e400", "c": -7, "d": 0.5}


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(body)


def number_of(payload: Any) -> str:
    """The first phone number id that a payload names."""
    text = json.dumps(payload)
    marker = '"phone_number_id": "'
    return text.split(marker, 1)[1].split('"', 1)[0] if marker in text else ""


def payloads() -> list[tuple[str, Any]]:
    if not DATA.is_dir():
        return []
    found = []
    for path in sorted(DATA.glob("*/*.json")):
        try:
            found.append((f"{path.parent.name}/{path.stem}", json.loads(path.read_text())))
        except ValueError:
            continue
    return found


def kinds(found: Split) -> tuple[int, int, int, int]:
    """How many messages, notices, statuses and account notices."""
    return len(found.messages), len(found.notices), len(found.statuses), len(found.account)


EXPECTED = {
    "bindambc-java/accountBanned": (0, 0, 0, 1),
    "bindambc-java/accountRestricted": (0, 0, 0, 1),
    "bindambc-java/accountReview": (0, 0, 0, 1),
    "bindambc-java/audioMessage": (1, 0, 0, 0),
    "bindambc-java/buttonMessage": (1, 0, 0, 0),
    "bindambc-java/contactMessage": (1, 0, 0, 0),
    "bindambc-java/documentMessage": (1, 0, 0, 0),
    "bindambc-java/imageMessage": (1, 0, 0, 0),
    "bindambc-java/locationMessage": (1, 0, 0, 0),
    "bindambc-java/mediaUploadError": (0, 0, 1, 0),
    "bindambc-java/messageDeleted": (1, 0, 0, 0),
    "bindambc-java/phoneNumberNameUpdate": (0, 0, 0, 1),
    "bindambc-java/qualityUpdate": (0, 0, 0, 1),
    "bindambc-java/reEngagementMessageError": (0, 0, 1, 0),
    "bindambc-java/reactMessage": (0, 1, 0, 0),
    "bindambc-java/rejectedTemplate": (0, 0, 0, 1),
    "bindambc-java/stickerMessage": (1, 0, 0, 0),
    "bindambc-java/templateSchedulingForDisabling": (0, 0, 0, 1),
    "bindambc-java/textMessage": (1, 0, 0, 0),
    "bindambc-java/textMessage2": (1, 0, 0, 0),
    "bindambc-java/textMessageStatusDelivered": (0, 0, 1, 0),
    "bindambc-java/textMessageStatusSent": (0, 0, 1, 0),
    "bindambc-java/verifiedAccount": (0, 0, 0, 1),
    "bindambc-java/videoMessage": (1, 0, 0, 0),
    "vercel-chat/sample-bsuid-rotation-user-id-update-7": (0, 1, 0, 0),
    "vercel-chat/sample-image-message-1": (1, 0, 0, 0),
    "vercel-chat/sample-interactive-button-reply-3": (1, 0, 0, 0),
    "vercel-chat/sample-reaction-2": (0, 1, 0, 0),
    "vercel-chat/sample-status-update-message-delivered-8": (0, 0, 1, 0),
    "vercel-chat/sample-system-message-user-changed-number-5": (0, 1, 0, 0),
    "vercel-chat/sample-system-message-user-changed-user-id-6": (0, 1, 0, 0),
    "vercel-chat/sample-text-message-0": (1, 0, 0, 0),
    "vercel-chat/sample-text-message-with-business-scoped-user-ids-4": (1, 0, 0, 0),
    "vercel-chat/whatsapp": (0, 0, 0, 0),
}
"""By file. The last one is a set of payloads, and none itself."""


@needs_data
def test_the_table_of_real_payloads_is_whole() -> None:
    assert {name for name, _ in payloads()} == EXPECTED.keys()


@needs_data
@pytest.mark.parametrize("name", EXPECTED)
def test_real_payloads_split_as_documented(name: str) -> None:
    payload = dict(payloads())[name]
    found = split(payload, channel_id="mc_1", phone_number_id=number_of(payload))
    assert kinds(found) == EXPECTED[name]


def value(**parts: Any) -> dict[str, Any]:
    content = {"metadata": {"phone_number_id": "1"}, **parts}
    return {"entry": [{"changes": [{"field": "messages", "value": content}]}]}


TEXT = {"id": "wamid.1", "from": "1555", "type": "text", "text": {"body": "hi"}}


@pytest.mark.parametrize(
    "message",
    [
        TEXT | {"type": "request_welcome"},
        TEXT | {"group_id": "g"},
        TEXT | {"id": None},
        TEXT | {"id": "x" * 1000},
        TEXT | {"from": None},
        "text",
        None,
        7,
    ],
)
def test_what_nobody_said_to_us_is_ignored(message: Any) -> None:
    found = split(value(messages=[message]), channel_id="c", phone_number_id="1")
    assert kinds(found) == (0, 0, 0, 0)
    assert found.ignored == 1


@pytest.mark.parametrize("kind", ["unsupported", "a_type_of_tomorrow", None, ["text"]])
def test_an_unknown_type_is_a_message(kind: Any) -> None:
    message = {key: item for key, item in (TEXT | {"type": kind}).items() if item is not None}
    found = split(value(messages=[message]), channel_id="c", phone_number_id="1")
    assert [item.message for item in found.messages] == [message]


@pytest.mark.parametrize("kind", ["reaction", "edit", "revoke", "system"])
def test_what_starts_no_turn_is_a_notice(kind: str) -> None:
    found = split(value(messages=[TEXT | {"type": kind}]), channel_id="c", phone_number_id="1")
    assert kinds(found) == (0, 1, 0, 0)
    assert (found.notices[0].kind, found.notices[0].conversation_key) == (kind, "c:1555")


def test_an_answer_from_the_phone_app_is_a_notice_in_the_persons_lane() -> None:
    echo = {"id": "wamid.9", "from": "1000", "to": "1555", "type": "text", "text": {"body": "hi"}}
    body = value(message_echoes=[echo])
    body["entry"][0]["changes"][0]["field"] = "smb_message_echoes"
    found = split(body, channel_id="c", phone_number_id="1")
    assert [(n.kind, n.conversation_key, n.message) for n in found.notices] == [
        ("echo", "c:1555", echo)
    ]


@pytest.mark.parametrize("topic", ["history", "standby", "smb_app_state_sync", "calls", "", None])
def test_other_fields_are_ignored(topic: Any) -> None:
    body = value(messages=[TEXT], standby={"messages": [TEXT]})
    body["entry"][0]["changes"][0]["field"] = topic
    found = split(body, channel_id="c", phone_number_id="1")
    assert (kinds(found), found.ignored) == ((0, 0, 0, 0), 1)


def renamed(**system: Any) -> dict[str, Any]:
    return {"id": "wamid.2", "timestamp": "1", "type": "system", "system": system}


@pytest.mark.parametrize(
    ("message", "known_as"),
    [
        (renamed(type="user_changed_number", wa_id="2") | {"from": "1555"}, "1555"),
        (renamed(user_id="US.2", previous_user_id="US.1"), "US.1"),
        (renamed(user_id="US.2", body="User Ann changed from US.1 to US.2"), "US.1"),
        (renamed(wa_id="2", customer="1555"), "1555"),
        (renamed(user_id="US.2"), "US.2"),
    ],
)
def test_a_new_identity_comes_in_the_lane_of_the_old_one(message: Any, known_as: str) -> None:
    body = value(messages=[message])
    found = split(body, channel_id="c", phone_number_id="1")
    assert [n.conversation_key for n in found.notices] == [f"c:{known_as}"]
    # Some of these name no number; then the account must be ours.
    del body["entry"][0]["changes"][0]["value"]["metadata"]
    body["entry"][0]["id"] = "waba"
    assert len(split(body, channel_id="c", phone_number_id="1", waba_id="waba").notices) == 1
    assert split(body, channel_id="c", phone_number_id="1", waba_id="other").foreign == 1


def test_a_message_that_names_no_number_is_foreign() -> None:
    body = value(messages=[TEXT])
    del body["entry"][0]["changes"][0]["value"]["metadata"]
    assert split(body, channel_id="c", phone_number_id="1").foreign == 1


def test_an_accounts_notice_is_kept_once_and_only_of_our_account() -> None:
    change = {"field": "account_update", "value": {"event": "ACCOUNT_RESTRICTION"}}
    body = {"entry": [{"id": "waba", "time": 5, "changes": [change, change]}]}
    found = split(body, channel_id="c", phone_number_id="1", waba_id="waba")
    assert [(a.topic, a.notice) for a in found.account] == [("account_update", change["value"])]
    assert split(body, channel_id="c", phone_number_id="1", waba_id="other").foreign == 2


def test_without_a_sender_the_only_contact_tells() -> None:
    message = {"id": "wamid.1", "type": "text", "text": {"body": "hi"}}
    found = split(
        value(messages=[message], contacts=[{"user_id": "US.7"}]),
        channel_id="c",
        phone_number_id="1",
    )
    assert [m.conversation_key for m in found.messages] == ["c:US.7"]


def test_a_repeat_within_one_post_counts_once() -> None:
    found = split(value(messages=[TEXT, TEXT]), channel_id="c", phone_number_id="1")
    assert kinds(found) == (1, 0, 0, 0)


def test_another_number_is_foreign() -> None:
    found = split(value(messages=[TEXT]), channel_id="c", phone_number_id="2")
    assert (kinds(found), found.foreign) == ((0, 0, 0, 0), 1)


def test_the_sender_is_the_business_scoped_id_when_there_is_one() -> None:
    message = TEXT | {"from_user_id": "US.1"}
    contacts = [{"wa_id": "9"}, {"user_id": "US.1", "profile": {"name": "Ann"}}]
    found = split(
        value(messages=[message], contacts=contacts), channel_id="c", phone_number_id="1"
    ).messages[0]
    assert found.conversation_key == "c:US.1"
    assert found.contact == contacts[1]


def test_nobody_gets_anothers_contact() -> None:
    contacts = [{"wa_id": "8"}, {"wa_id": "9"}]
    found = split(
        value(messages=[TEXT], contacts=contacts), channel_id="c", phone_number_id="1"
    ).messages[0]
    assert found.contact is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_split(body: Any) -> None:
    split(body, channel_id="c", phone_number_id="1")


@given(
    st.dictionaries(
        st.sampled_from(["id", "from", "from_user_id", "type", "timestamp", "text", "group_id"]),
        JSON,
    ),
    JSON,
    JSON,
)
def test_any_message_that_is_taken_can_be_published(
    changes: dict[str, Any], contacts: Any, statuses: Any
) -> None:
    body = value(messages=[TEXT | changes], contacts=contacts, statuses=statuses)
    decoded = decode(json.dumps(body).encode())
    for message in split(decoded, channel_id="c", phone_number_id="1").messages:
        event = InboundMessageReceived(
            channel_id="c",
            provider_message_id=message.provider_message_id,
            conversation_key=message.conversation_key,
            phone_number_id="1",
            received_at="2026-01-01T00:00:00Z",
            auto_reply=False,
            message=message.message,
            contact=message.contact,
        )
        Envelope.of(event, source="i", subject="s", tenant="t").encode()


def test_only_tokens_of_our_making_are_hashed() -> None:
    ours = "vt_" + "a1" * 21 + "Z"
    digest = hashlib.sha256(ours.encode()).hexdigest()
    assert [hash_of_ours(token) for token in (ours, f" {ours}\n")] == [digest, digest]
    for token in ("", "my password", ours[:-1], ours + "x", "vt_" + "é" * 43, f"{ours} {ours}"):
        assert hash_of_ours(token) is None
