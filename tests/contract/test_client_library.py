"""The client library reads every field that the services show."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any, get_args, get_type_hints

import pytest

import humane_ai
from brain.adapters.user_store import EndUser
from brain.domain.people import Route
from brain.domain.profile_facts import Fact, Profile
from brain.domain.state import EndUserState
from brain.handlers.records import STORED_PARTS
from brain.http.reading import ACTIONS
from brain.http.shapes import interaction_shape, outgoing_shape, user_shape
from channels_api.domain.keys import ApiKey
from channels_api.http.shapes import key_shape
from humane_ai._reading import WIRE_NAME
from outbound.domain.deliveries import Delivery, Step, Trouble
from outbound.domain.lattice import State
from outbound.http.deliveries import STATES, delivery_shape

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
REACTION = {"emoji": "+", "at": NOW}
SENT = [{"id": "d", "state": "failed", "at": NOW, "code": 131026, "detail": "no_whatsapp"}]

KEY = key_shape(ApiKey("key_1", "0" * 64, "t", "Night", "wxyz", NOW))

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
        (humane_ai.ApiKey, KEY),
        (humane_ai.Delivery, DELIVERY),
        (humane_ai.User, USER),
        (humane_ai.Interaction, INTERACTION),
        (humane_ai.OutgoingMessage, MESSAGE),
    ],
)
def test_every_field_that_is_shown_is_read(kind: Any, shown: dict[str, Any]) -> None:
    assert list(unread(kind, shown)) == []
    wire_names = {field.metadata.get(WIRE_NAME, field.name) for field in fields(kind)}
    assert wire_names - shown.keys() <= {"raw", "key"}, "a field that no service shows"


def test_a_field_that_is_not_read_is_found() -> None:
    shown = {"id": "d", "history": [{"state": "queued", "tomorrow": 1}], "new": 1}
    assert list(unread(humane_ai.Delivery, shown)) == ["history.tomorrow", "new"]


def test_the_words_to_choose_from_are_the_services() -> None:
    assert get_args(humane_ai.DeliveryState) == STATES
    assert get_args(humane_ai.Action) == ACTIONS
