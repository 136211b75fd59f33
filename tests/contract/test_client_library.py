"""The client library reads every field that the services show, and sends what they read."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, date, datetime
from inspect import signature
from typing import Any, get_args, get_type_hints

import httpx
import pytest
from pydantic import BaseModel

import humane_ai
from brain.adapters.user_store import EndUser
from brain.domain.alerts import Raised, first
from brain.domain.people import Route
from brain.domain.profile_facts import Fact, Profile
from brain.domain.safety import Action
from brain.domain.state import EndUserState
from brain.handlers.records import STORED_PARTS
from brain.http.alerts import alert_shape
from brain.http.people import SendMessage, UpdateUser
from brain.http.process import ProcessRequest
from brain.http.shapes import interaction_shape, outgoing_shape, user_shape
from channels_api.domain.audit import entry
from channels_api.domain.channels import Channel
from channels_api.domain.keys import ApiKey
from channels_api.http.requests import CreateChannel, CreateKey, UpdateChannel
from channels_api.http.shapes import channel_shape, key_shape
from humane_ai import HumaneClient
from humane_ai._channels import Channels
from humane_ai._keys import Keys as ClientKeys
from humane_ai._reading import WIRE_NAME
from humane_ai._users import Users
from outbound.domain.deliveries import Delivery, Step, Trouble
from outbound.domain.lattice import State
from outbound.http.deliveries import delivery_shape

ELSEWHERE = {
    humane_ai.ApiKey: ("key",),  # right after creation
    humane_ai.Channel: ("etag", "warnings", "setup", "check"),  # a header; right after creation
}
"""What comes another way than the shape."""
NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
REACTION = {"emoji": "+", "at": NOW}
SENT = [{"id": "d", "state": "failed", "at": NOW, "code": 131026, "detail": "no_whatsapp"}]

KEY = key_shape(
    ApiKey("key_1", "0" * 64, "t", "Night", "wxyz", frozenset({"read"}), NOW, None, None), NOW
)

CHANNEL = channel_shape(
    Channel(
        id="mc",
        tenant="t",
        label="Care line",
        phone_number_id="115",
        waba_id=None,
        auto_reply=True,
        state="active",
        access_token="sealed",
        access_token_last4="abcd",
        app_secret="sealed",
        app_secret_last4="wxyz",
        verify_token_hash="0" * 64,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    ),
    NOW,
    verify_token="shown once",
)

AUDIT = asdict(entry("updated", ["label"], key_label="Night", key_hash="0" * 64, version=2, at=NOW))

ALERT = alert_shape(
    {
        "_id": "i",
        "user_id": "eu",
        "external_id": "447700900123",
        "channel": "whatsapp",
        "channel_id": "mc",
        "message": {"text": "Help me"},
        "reply": {"status": "fixed"},
        "alert": first([Raised("HOLD", ("self_harm",), 0.5)], NOW),
    }
)

DELIVERY = delivery_shape(
    Delivery(
        id="d",
        tenant="t",
        interaction_id="i",
        channel_id="mc",
        conversation_key="c",
        to_phone="1",
        to_user_id=None,
        text="hi",
        context_message_id=None,
        user_wrote_at=NOW,
        command_id="x",
        traceparent=None,
        created_at=NOW,
        state=State.QUEUED,
        updated_at=NOW,
        history=(Step(State.QUEUED, NOW),),
        error=Trouble("transient", "meta_away", 2, "A"),
    )
)

USER = user_shape(
    EndUser(
        id="u",
        tenant="t",
        external_id="sarah",
        aliases=(),
        channel="whatsapp",
        name="Sarah",
        username=None,
        routes={"mc": Route("c", "1", None, NOW, "wamid.1")},
        state=EndUserState.initial(NOW),
        profile=Profile((Fact("event", "event:exam", "exam", "My exam.", "i", NOW, date.max),)),
        last_seen=NOW,
        version=1,
        applied=(),
        history_cleared_at=None,
    ),
    EndUserState.initial(NOW),
)

INTERACTION = interaction_shape(
    {
        "_id": "i",
        "user_id": "u",
        "external_id": "sarah",
        "channel": "whatsapp",
        "channel_id": "mc",
        "provider_message_id": "wamid.1",
        "at": NOW,
        "sent_at": NOW,
        "message": {
            "type": "text",
            "text": "hi",
            "pii": [],
            "reaction": REACTION,
            "versions": [{"text": "ho", "until": NOW}],
        },
        **dict.fromkeys(STORED_PARTS),
        "user": {"id": "sarah", "mood": 0.5, "energy": 0.5},
        "reply": {"status": "model", "text": "yes", "reaction": REACTION, "deliveries": SENT},
    }
)

MESSAGE = outgoing_shape(
    {
        "_id": "m",
        "user_id": "u",
        "channel_id": "mc",
        "author": "operator",
        "text": "hi",
        "template": None,
        "at": NOW,
        "reaction": REACTION,
        "deliveries": SENT,
    }
)


def unread(kind: Any, shown: Any, path: str = "") -> Iterator[str]:
    """Paths of what is shown and has no field, where the field is a dataclass or several."""
    names = {field.metadata.get(WIRE_NAME, field.name): field.name for field in fields(kind)}
    hints = get_type_hints(kind)
    for name, value in shown.items():
        if name not in names:
            yield f"{path}{name}"
            continue
        hint = hints[names[name]]
        inner = [arm for arm in (hint, *get_args(hint)) if is_dataclass(arm)]
        for item in value if isinstance(value, list) else [value]:
            if inner and isinstance(item, dict):
                yield from unread(inner[0], item, f"{path}{name}.")


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (humane_ai.Alert, ALERT),
        (humane_ai.ApiKey, KEY),
        (humane_ai.Audit, AUDIT),
        (humane_ai.Channel, CHANNEL),
        (humane_ai.Delivery, DELIVERY),
        (humane_ai.User, USER),
        (humane_ai.Interaction, INTERACTION),
        (humane_ai.OutgoingMessage, MESSAGE),
    ],
)
def test_every_field_that_is_shown_is_read(kind: Any, shown: dict[str, Any]) -> None:
    assert list(unread(kind, shown)) == []
    wire_names = {field.metadata.get(WIRE_NAME, field.name) for field in fields(kind)}
    assert wire_names - shown.keys() <= {"raw", *ELSEWHERE.get(kind, ())}, "no service shows it"


def test_a_field_that_is_not_read_is_found() -> None:
    shown = {"id": "d", "history": [{"state": "queued", "tomorrow": 1}], "new": 1}
    assert list(unread(humane_ai.Delivery, shown)) == ["history.tomorrow", "new"]


def test_the_words_to_choose_from_are_the_services() -> None:
    assert get_args(humane_ai.DeliveryState) == tuple(State)
    assert get_args(humane_ai.Action) == tuple(Action)


def sent(call: Callable[[HumaneClient], Any]) -> Any:
    """The body that the library sends."""
    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json={})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        call(HumaneClient("hx_x", http_client=http))
    (body,) = bodies
    return body


SETTINGS: dict[str, Any] = {
    "label": "Care line",
    "auto_reply": True,
    "waba_id": "104",
    "reply_debounce_ms": 0,
    "echo_pause_s": 0,
    "read_receipts": False,
    "messages_per_second": 20,
    "window_template": "we_are_back",
    "window_template_language": "pt_BR",
    "appsecret_proof": True,
}
SECRETS = {"access_token": "EAA" + "a" * 40, "app_secret": "0123456789abcdef" * 2}


@pytest.mark.parametrize(
    ("model", "call"),
    [
        (
            ProcessRequest,
            lambda c: c.process(
                "u", "hi", [{"role": "user", "content": "a"}], "web", {"a": 1}, "k", respond=False
            ),
        ),
        (
            CreateChannel,
            lambda c: c.channels.create_whatsapp(phone_number_id="115", **SECRETS, **SETTINGS),
        ),
        (
            UpdateChannel,
            lambda c: c.channels.update(
                "mc", **SECRETS, **SETTINGS, rotate_verify_token=True, health="ok", state="disabled"
            ),
        ),
        (UpdateUser, lambda c: c.users.pause("u", until=NOW)),
        (UpdateUser, lambda c: c.users.pause("u")),
        (UpdateUser, lambda c: c.users.resume("u")),
        (SendMessage, lambda c: c.users.send("u", text="hi", channel_id="mc", pause_s=1)),
        (SendMessage, lambda c: c.users.send("u", template="we_are_back")),
        (CreateKey, lambda c: c.keys.create("n", scopes=["read"], expires_in_days=3, tenant="x")),
        (
            CreateKey,
            lambda c: c.keys.create("Night shift", expires_at=datetime.max.replace(tzinfo=UTC)),
        ),
    ],
)
def test_what_is_sent_is_what_the_services_read(model: type[BaseModel], call: Any) -> None:
    body = sent(call)
    model.model_validate(body)
    assert body.keys() <= model.model_fields.keys(), "ProcessRequest ignores what it does not know"


@pytest.mark.parametrize(
    ("model", "method", "else_named"),
    [
        (ProcessRequest, HumaneClient.process, {"idempotency_key"}),
        (CreateChannel, Channels.create_whatsapp, set()),
        (UpdateChannel, Channels.update, {"channel_id", "if_match"}),
        (SendMessage, Users.send, {"user_id", "idempotency_key"}),
        (CreateKey, ClientKeys.create, set()),
    ],
)
def test_everything_that_the_services_take_can_be_said(
    model: type[BaseModel], method: Any, else_named: set[str]
) -> None:
    sayable = set(signature(method).parameters) - {"self"} - else_named
    assert model.model_fields.keys() - sayable <= {"type"}
