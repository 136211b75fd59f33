"""Each kind of refusal has its own error, which says what to do; none is tried again."""

import pickle

import pytest

import humane_ai
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import API_KEY, Wire, refused, says


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (307, humane_ai.APIError),
        (400, humane_ai.ValidationError),
        (401, humane_ai.AuthError),
        (403, humane_ai.PermissionDeniedError),
        (404, humane_ai.NotFoundError),
        (409, humane_ai.ConflictError),
        (413, humane_ai.ValidationError),
        (418, humane_ai.APIError),
        (422, humane_ai.ValidationError),
    ],
)
async def test_a_refusal_is_typed_and_not_tried_again(
    call: Caller, wire: Wire, status: int, kind: type[humane_ai.APIError]
) -> None:
    wire.faults.append(refused(status, "not-so", "Do this."))
    with pytest.raises(humane_ai.APIError) as caught:
        await call(lambda c: c.process("u", "hi"))
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.title, error.detail) == (status, "Not so", "Do this.")
    assert (error.type, error.request_id) == ("urn:x:not-so", "req-1")
    assert str(error) == f"Not so: Do this. ({status}, request req-1)"
    assert len(wire.seen) == 1
    assert call.waits == []


@pytest.mark.parametrize(
    ("status", "kind"), [(500, humane_ai.ServerError), (503, humane_ai.ServerError)]
)
async def test_a_failure_that_stays_is_typed(
    call: Caller, wire: Wire, status: int, kind: type[humane_ai.APIError]
) -> None:
    wire.faults.extend([refused(status)] * 3)
    with pytest.raises(kind, match=r"The server failed\. Try again later\."):
        await call(lambda c: c.get_history("u"))
    assert len(wire.seen) == 3


async def test_the_fields_at_fault_are_named(call: Caller, wire: Wire) -> None:
    errors = [{"field": "message", "message": "must not be empty"}, "noise"]
    wire.faults.append(refused(422, "invalid-request", "message: must not be empty", errors=errors))
    with pytest.raises(humane_ai.ValidationError) as caught:
        await call(lambda c: c.process("u", " "))
    assert caught.value.errors == (humane_ai.FieldError("message", "must not be empty"),)


async def test_a_wrong_key_is_told_by_the_api_itself(call: Caller) -> None:
    with pytest.raises(humane_ai.AuthError, match="unknown or was revoked"):
        await call(lambda c: c.channels.list(), api_key="hx_" + "0" * 43)


@pytest.mark.parametrize("body", ["<html>no</html>", "", "[]", "null", b"\xff\xfe"])
async def test_a_body_that_is_no_problem_still_says_what_to_do(
    call: Caller, wire: Wire, body: str | bytes
) -> None:
    wire.faults.append(says(body, 401))
    with pytest.raises(humane_ai.AuthError) as caught:
        await call(lambda c: c.process("u", "hi"))
    assert str(caught.value) == (
        "HTTP 401: Check the API key: api_key='hx_...' or HUMANE_API_KEY. (401)"
    )


async def test_a_redirect_is_not_followed(call: Caller, wire: Wire) -> None:
    async def elsewhere(request: object) -> object:
        answer = await says("", 307)(request)  # type: ignore[arg-type]
        answer.headers["Location"] = f"{wire.url}/elsewhere"
        return answer

    wire.faults.append(elsewhere)  # type: ignore[arg-type]
    with pytest.raises(humane_ai.APIError, match="Check that base_url is the address of the API"):
        await call(lambda c: c.process("u", "hi"))
    assert len(wire.seen) == 1


async def test_an_unreachable_server_says_so(call: Caller) -> None:
    with pytest.raises(humane_ai.APIConnectionError, match=r"http://127\.0\.0\.1:9 .*running\?"):
        await call(lambda c: c.get_history("u"), base_url="http://127.0.0.1:9")
    assert len(call.waits) == 2


async def test_a_silent_server_times_out(call: Caller, wire: Wire) -> None:
    wire.faults.append(wire.silent())
    with pytest.raises(humane_ai.APITimeoutError, match=r"within 0\.05 s.*timeout_s"):
        await call(lambda c: c.get_history("u"), timeout_s=0.05, max_retries=0)


async def test_no_error_shows_the_key(call: Caller, wire: Wire) -> None:
    wire.faults.append(refused(401))
    with pytest.raises(humane_ai.HumaneError) as caught:
        await call(lambda c: c.process("u", "hi"))
    assert API_KEY not in f"{caught.value} {caught.value!r}"


def test_errors_cross_a_process_pool() -> None:
    error = humane_ai.RateLimitError(429, "Slow down", "Wait.", request_id="r", retry_after_s=3.0)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.retry_after_s) == (str(error), 3.0)
