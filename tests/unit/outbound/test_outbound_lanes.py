from datetime import UTC, datetime

import pytest
from pymongo.errors import AutoReconnect, NetworkTimeout, OperationFailure

from outbound.handlers.lanes import Lanes, key_of
from shared.bus.failures import Outage, Permanent, Transient, classify
from shared.contracts import (
    ContractError,
    DeliveryStatusReceived,
    Envelope,
    MarkMessageRead,
    Payload,
    SendReply,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def enveloped(payload: Payload) -> Envelope:
    return Envelope.of(payload, source="test", subject="s", tenant="t")


def status(delivery_id: str | None) -> Envelope:
    return enveloped(
        DeliveryStatusReceived(
            channel_id="mc_1",
            conversation_key="mc_1:1",
            provider_message_id="wamid.1",
            status="sent",
            delivery_id=delivery_id,
        )
    )


def reply() -> Envelope:
    return enveloped(
        SendReply(
            interaction_id="i",
            delivery_id="i:0",
            channel_id="mc_1",
            conversation_key="mc_1:1",
            to_phone="1",
            text="x",
            user_wrote_at=NOW,
        )
    )


def mark() -> Envelope:
    return enveloped(
        MarkMessageRead(
            interaction_id="i",
            channel_id="mc_1",
            conversation_key="mc_1:1",
            provider_message_id="wamid.0",
        )
    )


def test_commands_keep_the_order_of_their_conversation():
    assert key_of(reply()) == key_of(mark()) == "mc_1:1"


def test_callbacks_are_never_behind_a_command():
    assert key_of(status("i:0")) == "status:i:0"
    assert key_of(status(None)) == "status:wamid.1"


def test_a_message_without_a_key_stands_alone():
    envelope = reply().model_copy(update={"data": {}})
    assert key_of(envelope) == envelope.id


async def test_each_type_goes_to_its_handler_and_others_to_none():
    seen: list[tuple[str, str]] = []

    def noted(name: str):
        async def handle(envelope: Envelope) -> None:
            seen.append((name, envelope.type))

        return handle

    lanes = Lanes(
        replies=noted("reply"),
        read_marks=noted("mark"),
        statuses=noted("status"),
        forgetting=noted("forget"),
    )
    for envelope in (reply(), mark(), status("i:0")):
        await lanes.handle(envelope)
    assert [name for name, _ in seen] == ["reply", "mark", "status"]
    with pytest.raises(Permanent):
        await lanes.handle(reply().model_copy(update={"type": "other.v1"}))


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ContractError("x"), Permanent),
        (AutoReconnect("x"), Outage),
        (NetworkTimeout("x"), Outage),
        (OperationFailure("x"), Transient),
        (KeyError("x"), Transient),
    ],
)
def test_failures_have_their_class(error: Exception, failure: type[Exception]):
    assert isinstance(classify(error), failure)
