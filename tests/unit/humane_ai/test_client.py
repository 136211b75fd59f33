"""Both clients against a loopback server that speaks the wire's words."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

import humane_ai
from humane_ai import AsyncHumaneClient, HumaneClient

KEY = "hx_" + "k" * 43
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """Answers with what is queued, then 200 ``{}``; keeps every request."""

    url: str = ""
    answers: list[Handler] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = json.loads(raw) if raw else None
        self.seen.append((request.method, request.path_qs, headers, body))
        answer = self.answers.pop(0) if self.answers else says({})
        return await answer(request)


def says(data: Any, status: int = 200, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        fixed = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(data, status=status, headers=fixed)

    return answer


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


class Caller:
    """Calls either client in the same words; ``waits`` are the pauses it asked for."""

    def __init__(self, kind: str, url: str, **options: Any) -> None:
        self.waits: list[float] = []
        self._kind = kind
        self._arguments = {"api_key": KEY, "base_url": url, **options}

    async def __call__(self, call: Callable[[Any], Any]) -> Any:
        if self._kind == "async":

            async def wait(seconds: float) -> None:
                self.waits.append(seconds)

            async with AsyncHumaneClient(**self._arguments, sleep=wait) as client:
                result = call(client)
                if inspect.isasyncgen(result):
                    return [item async for item in result]
                return await result
        return await asyncio.to_thread(self._sync, call)

    def _sync(self, call: Callable[[Any], Any]) -> Any:
        with HumaneClient(**self._arguments, sleep=self.waits.append) as client:
            result = call(client)
            return list(result) if inspect.isgenerator(result) else result


@pytest.fixture(params=["sync", "async"])
def caller(request: pytest.FixtureRequest, server: Server) -> Caller:
    return Caller(request.param, server.url)


async def test_process_sends_the_wire_and_reads_the_answer(caller: Caller, server: Server) -> None:
    server.answers.append(
        says(
            {
                "response": "Hello",
                "user": {"id": "u", "mood": 0.3, "energy": 0.2, "trust": 0.8, "new_thing": 1},
                "safety": {"action": "HOLD", "matched": [{"phrase": "p", "category": "c"}]},
                "memory": {
                    "relevant_memories": [
                        {"text": "t", "similarity": 0.5, "timestamp": "2026-01-02T03:04:05Z"}
                    ]
                },
                "unheard_of": True,
            }
        )
    )
    result = await caller(
        lambda c: c.process(
            "u", "hi", conversation_history=[{"role": "user", "content": "x"}], metadata={"a": 1}
        )
    )
    assert result.response == "Hello"
    assert result.user.is_frustrated
    assert result.user.is_tired
    assert result.user.is_trusted
    assert result.safety.matched[0].category == "c"
    assert result.memory.relevant_memories[0].timestamp.year == 2026
    assert result.timing.delay_ms == 0
    assert result.raw["unheard_of"] is True
    method, path, headers, body = server.seen[0]
    assert (method, path) == ("POST", "/api/sdk/process")
    assert headers["x-api-key"] == KEY
    assert headers["user-agent"].startswith("humane-ai-python/")
    assert body == {
        "user_id": "u",
        "message": "hi",
        "conversation_history": [{"role": "user", "content": "x"}],
        "metadata": {"a": 1},
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, humane_ai.ValidationError),
        (401, humane_ai.AuthError),
        (403, humane_ai.PermissionDeniedError),
        (404, humane_ai.NotFoundError),
        (409, humane_ai.ConflictError),
        (422, humane_ai.ValidationError),
    ],
)
async def test_an_error_of_ours_is_typed_and_not_retried(
    caller: Caller, server: Server, status: int, kind: type[humane_ai.APIError]
) -> None:
    problem = {
        "type": "urn:x",
        "title": "Not so",
        "detail": "Do this.",
        "request_id": "r1",
        "errors": [{"field": "f", "message": "m"}],
    }
    server.answers.append(says(problem, status))
    with pytest.raises(kind, match=r"Not so: Do this\.") as caught:
        await caller(lambda c: c.process("u", "hi"))
    assert (caught.value.status, caught.value.request_id) == (status, "r1")
    assert caught.value.errors[0].field == "f"
    assert len(server.seen) == 1


async def test_a_retry_waits_as_told_and_keeps_its_key(caller: Caller, server: Server) -> None:
    server.answers += [says({}, 429, Retry_After="3"), says({}, 503), says({"response": "ok"})]
    result = await caller(lambda c: c.process("u", "hi"))
    assert result.response == "ok"
    assert caller.waits[0] == 3.0
    assert 0 <= caller.waits[1] <= 1.0
    keys = {headers["idempotency-key"] for _, _, headers, _ in server.seen}
    assert len(server.seen) == 3
    assert len(keys) == 1


async def test_a_limit_that_stays_is_raised_with_its_wait(caller: Caller, server: Server) -> None:
    server.answers += [says({}, 429, Retry_After="7")] * 3
    with pytest.raises(humane_ai.RateLimitError) as caught:
        await caller(lambda c: c.process("u", "hi"))
    assert caught.value.retry_after_s == 7.0
    assert len(server.seen) == 3


async def test_an_answer_that_is_no_json_is_still_an_error(caller: Caller, server: Server) -> None:
    async def html(_: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text="<html>bad gateway</html>", content_type="text/html")

    server.answers += [html] * 3
    with pytest.raises(humane_ai.ServerError, match="HTTP 502"):
        await caller(lambda c: c.process("u", "hi"))


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_an_unreachable_server_says_so(kind: str) -> None:
    caller = Caller(kind, "http://127.0.0.1:9", max_retries=1)
    with pytest.raises(humane_ai.APIConnectionError, match="Is it running"):
        await caller(lambda c: c.get_history("u"))
    assert len(caller.waits) == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_silent_server_times_out(kind: str, server: Server) -> None:
    release = asyncio.Event()

    async def silent(_: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    server.answers.append(silent)
    caller = Caller(kind, server.url, max_retries=0, timeout_s=0.1)
    with pytest.raises(humane_ai.APITimeoutError, match=r"within 0\.1 s"):
        await caller(lambda c: c.get_history("u"))
    release.set()


async def test_a_stream_survives_any_cut(caller: Caller, server: Server) -> None:
    lines = [
        {"type": "metadata", "data": {"user": {"mood": 0.4}}},
        {"type": "token", "data": {"content": "Héllo "}},
        {"type": "token", "data": {"content": "world"}},
        {"type": "final", "data": {"response": "Héllo world"}},
    ]
    body = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        raw = body.encode()
        for start in range(0, len(raw), 7):
            await response.write(raw[start : start + 7])
        return response

    server.answers += [says({}, 503), cut]
    events = await caller(lambda c: c.stream("u", "hi"))
    assert [event.type for event in events] == ["metadata", "token", "token", "final"]
    assert "".join(event.text for event in events) == "Héllo world"
    assert events[-1].result.response == "Héllo world"
    assert len(server.seen) == 2


async def test_history(caller: Caller, server: Server) -> None:
    server.answers.append(says([{"role": "user", "content": "hi", "at": "2026-01-01T00:00:00Z"}]))
    entries = await caller(lambda c: c.get_history("a/b", limit=5))
    assert entries[0].content == "hi"
    assert server.seen[0][1] == "/api/sdk/history/a%2Fb?limit=5"

    async def gone(_: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    server.answers.append(gone)
    assert await caller(lambda c: c.clear_history("u")) is None


async def test_channels(caller: Caller, server: Server) -> None:
    wire = {"id": "mc_1", "verify_token": "vt_secret", "webhook_url_hint": "/x", "auto_reply": True}
    server.answers.append(says(wire, 201))
    created = await caller(
        lambda c: c.channels.create_whatsapp(
            phone_number_id="1", access_token="at", app_secret="as", label="L", auto_reply=True
        )
    )
    assert (created.id, created.verify_token) == ("mc_1", "vt_secret")
    assert "vt_secret" not in repr(created)
    assert server.seen[0][3]["type"] == "whatsapp"
    assert "idempotency-key" in server.seen[0][2]
    server.answers += [
        says({"channels": [wire], "next_cursor": "c2"}),
        says({"channels": [wire], "next_cursor": None}),
    ]
    assert len(await caller(lambda c: c.channels.list())) == 2
    assert server.seen[2][1] == "/api/channels?cursor=c2"
    server.answers.append(says(wire))
    await caller(lambda c: c.channels.update("mc_1", auto_reply=False))
    assert server.seen[3][3] == {"auto_reply": False}
    server.answers.append(says({"activity": [{"kind": "handshake", "detail": {"x": 1}}]}))
    shown = await caller(lambda c: c.channels.activity("mc_1"))
    assert shown[0].detail["x"] == 1


def test_a_client_needs_a_key_and_never_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUMANE_API_KEY", raising=False)
    with pytest.raises(humane_ai.HumaneError, match="HUMANE_API_KEY"):
        HumaneClient()
    monkeypatch.setenv("HUMANE_API_KEY", KEY)
    with HumaneClient() as client:
        assert KEY not in repr(client)
        assert KEY not in repr(vars(client))
