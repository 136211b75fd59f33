"""The envelope: what is written can be read; what cannot be read says why without the text."""

from datetime import UTC, datetime

import orjson
import pytest
from pydantic import ValidationError

from shared.contracts import (
    PRIVATE_FIELDS,
    ContractError,
    Envelope,
    InboundMessageReceived,
    UserCreated,
)

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
PERSON = "mc_1:491701234567"


def inbound() -> Envelope:
    payload = InboundMessageReceived(
        channel_id="mc_1",
        provider_message_id="wamid.1",
        conversation_key=PERSON,
        phone_number_id="1",
        received_at=AT,
        auto_reply=True,
        message={"text": {"body": "the planted text"}, "from": "491701234567"},
    )
    return Envelope.of(payload, source="ingress", subject=PERSON, tenant="acme", id="e1", time=AT)


def changed(**fields: object) -> bytes:
    return orjson.dumps({**orjson.loads(inbound().encode()), **fields})


def test_what_is_written_can_be_read() -> None:
    assert Envelope.decode(inbound().encode()) == inbound()
    assert inbound().payload(InboundMessageReceived).received_at == AT


def test_the_wire_form_is_cloudevents() -> None:
    wire = orjson.loads(inbound().encode())
    assert wire["specversion"] == "1.0"
    assert wire["time"] == "2026-01-02T03:04:05.678000Z"
    assert wire["dataschema"] == "urn:platform:schema:inbound.message.received.v1"


def test_a_message_without_an_id_of_its_own_gets_a_new_one() -> None:
    payload = UserCreated(user_id="eu_1", channel="sdk")
    ids = {Envelope.of(payload, source="s", subject="s", tenant="t").id for _ in range(2)}
    assert len(ids) == 2


def test_readers_ignore_what_they_do_not_know() -> None:
    later = orjson.loads(inbound().encode())
    later["added"] = 1
    later["data"]["added"] = 2
    envelope = Envelope.decode(orjson.dumps(later))
    assert envelope.payload(InboundMessageReceived).channel_id == "mc_1"


def test_writers_may_not_write_what_is_not_agreed() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        UserCreated(user_id="eu_1", channel="sdk", phone="1")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "json_invalid"),
        (b"\xff", "json_invalid"),
        (b"[]", "model_type"),
        (changed(id=""), "id: string_too_short"),
        (changed(time="yesterday"), "time: datetime"),
        (changed(time="2026-01-02T03:04:05"), "time: timezone_aware"),
        (changed(specversion="2.0"), "specversion: literal_error"),
        (changed(data="the planted text"), "data: dict_type"),
    ],
)
def test_what_is_no_envelope_says_where(body: bytes, says: str) -> None:
    with pytest.raises(ContractError, match=says) as caught:
        Envelope.decode(body)
    assert "planted" not in str(caught.value)


def test_a_payload_of_another_type_is_refused() -> None:
    with pytest.raises(ContractError, match=r"expected user\.created\.v1"):
        inbound().payload(UserCreated)


def test_a_payload_at_fault_names_the_field_without_its_value() -> None:
    envelope = inbound().model_copy(update={"data": {"message": "the planted text"}})
    with pytest.raises(ContractError, match="message: dict_type") as caught:
        envelope.payload(InboundMessageReceived)
    assert "planted" not in str(caught.value)


def test_a_dead_letter_holds_neither_text_nor_person() -> None:
    wire = inbound().redacted(PRIVATE_FIELDS).encode().decode()
    assert "planted" not in wire
    assert "491701234567" not in wire
    assert Envelope.decode(wire.encode()).data["channel_id"] == "mc_1"


def test_a_subject_that_names_no_person_stays() -> None:
    envelope = inbound().model_copy(update={"subject": "mc_1"})
    assert envelope.redacted(PRIVATE_FIELDS).subject == "mc_1"


def test_a_dead_letter_of_an_unknown_type_holds_nothing() -> None:
    unknown = inbound().model_copy(update={"type": "new.thing.v1"})
    redacted = unknown.redacted(PRIVATE_FIELDS)
    assert (redacted.data, redacted.subject) == ({}, "redacted")
