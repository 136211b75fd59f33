"""The reply adapters: the offline responder, and the real client against a real HTTP server."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from brain.adapters import endpoint
from brain.adapters.replies import OFFLINE_LABEL, OFFLINE_MODEL, OfflineReplies, OpenAIReplies
from brain.domain.memory import Archive, Memory
from brain.domain.replies import ReplyUnavailableError
from brain.domain.state import EndUserState
from brain.domain.turn import Message, TurnInput, prepare
from tests.support.understanding import shipped

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PIPELINE = shipped()


def prompt_for(text, *memories):
    known = tuple(Memory(f"m{i}", m, NOW, 0.3) for i, m in enumerate(memories))
    message = Message("e1", text, NOW, "api")
    return prepare(
        TurnInput(message, EndUserState.initial(NOW), Archive(known), (), NOW), PIPELINE
    ).plan.prompt


class Endpoint:
    """Speaks enough of the chat-completions protocol; answers with the next of ``script``."""

    def __init__(self, *script):
        self.script = list(script)
        self.requests = []

    async def complete(self, request):
        body = await request.json()
        self.requests.append((request.headers.get("Authorization"), body))
        step = self.script.pop(0) if self.script else 200
        if step == "hang":
            await asyncio.Event().wait()
        if step == "empty":
            return web.json_response(completion(""))
        if step != 200:
            return web.json_response({"error": {"message": "secret detail"}}, status=step)
        if not body.get("stream"):
            return web.json_response(completion("Hello from the model."))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in ("Hello ", "there."):
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m1",
                     "choices": [{"index": 0, "delta": {"content": word}}]}  # fmt: skip
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


def completion(text):
    message = {"role": "assistant", "content": text}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m1-2026",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}  # fmt: skip


class Serving:
    def __init__(self, *script, timeout_s=10.0):
        self.endpoint = Endpoint(*script)
        self.timeout_s = timeout_s

    async def __aenter__(self):
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.endpoint.complete)
        self.server = TestServer(app)
        await self.server.start_server()
        self.client = endpoint.Endpoint(
            base_url=str(self.server.make_url("/v1")), api_key="sk-test", timeout_s=self.timeout_s
        )
        self.replies = OpenAIReplies(self.client, model="m1", timeout_s=self.timeout_s)
        return self

    async def __aexit__(self, *exc):
        await self.client.close()
        await self.server.close()


async def test_a_reply_from_an_openai_compatible_endpoint():
    async with Serving() as serving:
        answer = await serving.replies.reply(prompt_for("hello", "I like tea"))
        assert (answer.text, answer.model) == ("Hello from the model.", "m1-2026")
        header, body = serving.endpoint.requests[0]
        assert header == "Bearer sk-test"
        assert body["model"] == "m1"
        assert [m["role"] for m in body["messages"]] == ["system", "user"]


async def test_a_streamed_reply():
    async with Serving() as serving:
        await serving.client.warm()
        pieces = [piece async for piece in serving.replies.stream(prompt_for("hello"))]
        assert "".join(pieces) == "Hello there."


async def test_one_retry_then_the_answer():
    async with Serving(500) as serving:
        assert (await serving.replies.reply(prompt_for("hello"))).text
        assert len(serving.endpoint.requests) == 2


@pytest.mark.parametrize(
    ("script", "timeout_s", "reason"),
    [
        ((401,), 10, "status_401"),
        ((500, 500), 10, "status_500"),
        (("empty",), 10, "empty"),
        (("hang", "hang"), 0.2, "timeout"),
    ],
)
async def test_failures_are_one_error_without_the_providers_words(script, timeout_s, reason):
    async with Serving(*script, timeout_s=timeout_s) as serving:
        with pytest.raises(ReplyUnavailableError) as caught:
            await serving.replies.reply(prompt_for("hello"))
        assert caught.value.reason == reason
        assert "secret" not in str(caught.value)


async def test_nobody_there():
    client = endpoint.Endpoint(base_url="http://127.0.0.1:9/v1", api_key="k", timeout_s=5)
    replies = OpenAIReplies(client, model="m", timeout_s=5)
    with pytest.raises(ReplyUnavailableError, match="unreachable"):
        await replies.reply(prompt_for("hello"))
    with pytest.raises(ReplyUnavailableError):
        [piece async for piece in replies.stream(prompt_for("hello"))]
    await client.close()
    await client.close()


@pytest.mark.parametrize("text", ["hello", "I am so sad", "where do I work?", "you are useless"])
async def test_the_offline_responder_is_labelled_and_deterministic(text):
    prompt = prompt_for(text, "I work at TechCorp")
    offline = OfflineReplies()
    first = await offline.reply(prompt)
    assert OFFLINE_LABEL in first.text
    assert first.model == OFFLINE_MODEL
    assert first == await offline.reply(prompt)
    assert "".join([piece async for piece in offline.stream(prompt)]).strip() == first.text


async def test_the_offline_responder_uses_mood_and_memory():
    sad = await OfflineReplies().reply(prompt_for("I am so sad"))
    glad = await OfflineReplies().reply(prompt_for("I am so happy"))
    asked = await OfflineReplies().reply(prompt_for("where do I work?", "I work at TechCorp"))
    assert sad.text != glad.text
    assert "TechCorp" in asked.text
