import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound.adapters.graph import RawAnswer, acceptance, message_body, refusal
from outbound.domain.decide import Accepted, Refused, Unanswered
from tests.unit.outbound.test_outbound_deliveries import queued


def answer(status: int, body: object, retry_after: str | None = None) -> RawAnswer:
    return RawAnswer(status, json.dumps(body).encode(), retry_after)


def test_a_text_carries_recipient_context_and_our_id():
    body = message_body(replace(queued(), context_message_id="wamid.theirs"))
    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+447700900123",
        "type": "text",
        "text": {"body": "Take your time."},
        "context": {"message_id": "wamid.theirs"},
        "biz_opaque_callback_data": "i1:0",
    }


def test_a_person_without_a_phone_is_addressed_by_their_id():
    body = message_body(replace(queued(), to_phone=None, to_user_id="GB.123"))
    assert body["recipient"] == "GB.123"
    assert "to" not in body
    assert "context" not in body


def test_an_acceptance_names_our_message():
    body = {"messaging_product": "whatsapp", "messages": [{"id": "wamid.1"}]}
    assert acceptance(answer(200, body)) == Accepted("wamid.1")


@pytest.mark.parametrize(
    "body", [{}, [], None, {"messages": []}, {"messages": [{}]}, {"messages": [{"id": ""}]}]
)
def test_an_unreadable_acceptance_leaves_us_in_doubt(body: object):
    assert isinstance(acceptance(answer(200, body)), Unanswered)


def test_a_refusal_is_read_by_its_code():
    error = {"code": 190, "error_subcode": 463, "fbtrace_id": "Az8", "message": "not kept"}
    assert acceptance(answer(401, {"error": error}, "7")) == Refused(401, 190, 463, "Az8", 7.0)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff\xfe", b'"x"', b'{"error": "no"}', b"[" * 9000]
)
def test_a_body_that_is_no_error_object_is_a_refusal_without_code(body: bytes):
    assert refusal(RawAnswer(502, body)) == Refused(502)


@pytest.mark.parametrize("header", ["", "soon", "-3", "1.5", "99999999", "²"])
def test_an_odd_retry_after_is_passed_over(header: str):
    assert refusal(RawAnswer(429, b"", header)) == Refused(429)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "code", "messages", "id", "fbtrace_id", "error_subcode"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.integers(200, 599), json_values)
def test_no_answer_breaks_the_reader(status: int, body: object):
    assert isinstance(acceptance(answer(status, body)), (Accepted, Refused, Unanswered))
