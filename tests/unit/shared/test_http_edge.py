"""The edge: every failure is problem+json with a request id, and nothing of the cause leaks."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import BaseModel, ConfigDict, Field

from shared.http import problem
from shared.http.pages import Query
from shared.http.problem import Problem, json_response, not_found, read_model, read_query
from shared.http.server import REQUEST_ID, application
from shared.telemetry.metrics import Metrics
from shared.telemetry.trace import current_traceparent

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    item: str
    count: int


async def take_order(request: web.Request) -> web.Response:
    order = await read_model(request, Order)
    return json_response(order.model_dump(), status=201)


async def broken(_: web.Request) -> web.Response:
    raise ValueError("the planted secret")


async def refused(_: web.Request) -> web.Response:
    raise Problem(409, "already-there", "Take another name.", headers={"Retry-After": "1"})


async def absent(_: web.Request) -> web.Response:
    raise not_found("channel")


async def forbidden(_: web.Request) -> web.Response:
    raise web.HTTPForbidden


async def moved(_: web.Request) -> web.Response:
    raise web.HTTPFound("/elsewhere")


class Wanted(Query):
    limit: int = Field(default=20, ge=1, le=100)


async def page(request: web.Request) -> web.Response:
    return json_response({"limit": read_query(request, Wanted).limit})


async def who(request: web.Request) -> web.Response:
    return json_response({"request_id": request[REQUEST_ID], "traceparent": current_traceparent()})


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def client(metrics: Metrics) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = application(metrics, body_limit_bytes=100)
    app.router.add_post("/orders", take_order)
    for handler in (broken, refused, absent, forbidden, moved, page, who):
        app.router.add_get(f"/{handler.__name__}", handler)
    async with TestClient(TestServer(app)) as client:
        yield client


Client = TestClient[web.Request, web.Application]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "slug"),
    [
        ("GET", "/nowhere", None, 404, "no-route"),
        ("GET", "/absent", None, 404, "not-found"),
        ("DELETE", "/orders", None, 405, "method-not-allowed"),
        ("GET", "/refused", None, 409, "already-there"),
        ("GET", "/forbidden", None, 403, "bad-request"),
        ("GET", "/broken", None, 500, "internal-error"),
        ("POST", "/orders", b"{", 400, "malformed-json"),
        ("POST", "/orders", b"\xff\xfe", 400, "malformed-json"),
        ("POST", "/orders", b"", 400, "malformed-json"),
        ("POST", "/orders", b"[]", 422, "invalid-request"),
        ("POST", "/orders", b"{}", 422, "invalid-request"),
        ("POST", "/orders", b" " * 101, 413, "body-too-large"),
        ("GET", "/page?limit=0", None, 422, "invalid-request"),
    ],
)
async def test_every_failure_is_a_problem(
    client: Client, method: str, path: str, body: bytes | None, status: int, slug: str
) -> None:
    async with client.request(method, path, data=body) as response:
        assert response.status == status
        assert response.content_type == "application/problem+json"
        shown = await response.json()
        assert shown["type"] == f"urn:platform:problem:{slug}"
        assert shown["status"] == status
        assert shown["detail"]
        assert shown["request_id"] == response.headers["X-Request-Id"]


async def test_a_body_sent_in_pieces_is_limited_too(client: Client) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 50

    async with client.post("/orders", data=pieces()) as response:
        assert response.status == 413


async def test_a_body_that_never_ends_is_not_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem, "BODY_TIMEOUT_S", 0.05)
    over = asyncio.Event()

    async def dripping() -> AsyncIterator[bytes]:
        yield b"{"
        await over.wait()

    try:
        async with client.post("/orders", data=dripping()) as answer:
            assert answer.status == 408
            assert (await answer.json())["type"] == "urn:platform:problem:body-too-slow"
    finally:
        over.set()


async def test_deep_nesting_is_refused_as_it_is_read(metrics: Metrics) -> None:
    app = application(metrics)
    app.router.add_post("/orders", take_order)
    deep = b"[" * 5_000 + b"]" * 5_000
    async with (
        TestClient(TestServer(app)) as client,
        client.post("/orders", data=b'{"item": ' + deep + b', "count": 1}') as answer,
    ):
        assert answer.status == 400
        assert (await answer.json())["type"] == "urn:platform:problem:malformed-json"


async def test_the_fields_at_fault_are_named_without_their_values(client: Client) -> None:
    body = b'{"item": "x", "count": "planted", "extra": "planted"}'
    async with client.post("/orders", data=body) as response:
        text = await response.text()
        problem = await response.json()
    assert {error["field"] for error in problem["errors"]} == {"count", "extra"}
    assert "planted" not in text


async def test_a_failure_on_our_side_says_nothing_of_its_cause(client: Client) -> None:
    async with client.get("/broken") as response:
        assert "planted" not in await response.text()


async def test_headers_of_a_problem_are_sent(client: Client) -> None:
    async with client.get("/refused") as response:
        assert response.headers["Retry-After"] == "1"
    async with client.delete("/orders") as response:
        assert response.headers["Allow"] == "POST"


async def test_a_redirect_stays_a_redirect(client: Client) -> None:
    async with client.get("/moved", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/elsewhere")


async def test_requests_have_ids_of_ours(client: Client) -> None:
    seen = set()
    for _ in range(2):
        async with client.get("/who", headers={"X-Request-Id": "theirs"}) as response:
            assert response.headers["X-Request-Id"] == (await response.json())["request_id"]
            seen.add(response.headers["X-Request-Id"])
    assert len(seen) == 2
    assert "theirs" not in seen


async def test_a_callers_trace_is_continued(client: Client) -> None:
    async with client.get("/who", headers={"traceparent": TRACE}) as response:
        ours = (await response.json())["traceparent"]
    assert ours.split("-")[1] == TRACE.split("-")[1]
    assert ours != TRACE
    assert current_traceparent() is None


@pytest.mark.parametrize(
    ("query", "limit"), [("", 20), ("?limit=1", 1), ("?limit=100", 100), ("?limit=042", 42)]
)
async def test_a_whole_number_in_range_is_taken(client: Client, query: str, limit: int) -> None:
    async with client.get("/page" + query) as response:
        assert await response.json() == {"limit": limit}


@pytest.mark.parametrize("text", ["101", "-1", "1.5", "", "ten", "²", "٣", "9" * 5000])
async def test_any_other_number_is_refused(client: Client, text: str) -> None:
    async with client.get("/page", params={"limit": text}) as response:
        assert response.status == 422


@pytest.mark.parametrize(
    ("query", "field"), [("lmit=5", "lmit"), ("limit=5&limit=6", "limit"), ("limit=x", "limit")]
)
async def test_a_query_that_does_not_fit_names_the_parameter(
    client: Client, query: str, field: str
) -> None:
    async with client.get(f"/page?{query}") as response:
        body = await response.json()
    assert (response.status, body["type"]) == (422, "urn:platform:problem:invalid-request")
    assert [error["field"] for error in body["errors"]] == [field]


async def test_latency_is_counted_by_route_template(client: Client, metrics: Metrics) -> None:
    async with client.get("/page?limit=5"), client.get("/nowhere"):
        pass

    def count(route: str, status: str) -> float | None:
        labels = {"route": route, "status": status}
        return metrics.registry.get_sample_value("http_request_duration_seconds_count", labels)

    assert (count("/page", "2xx"), count("unmatched", "4xx")) == (1, 1)


async def test_a_client_that_leaves_cancels_its_handler(metrics: Metrics) -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    app = application(metrics)
    app.router.add_get("/slow", slow)
    server = TestServer(app)
    async with TestClient(server) as client:
        await client.start_server()
        call = asyncio.create_task(client.get("/slow"))
        await begun.wait()
        call.cancel()
    async with asyncio.timeout(5):
        await left.wait()
