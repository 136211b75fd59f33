"""An OpenAI-compatible endpoint on the loopback address, and how any double listens there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web

LOOPBACK = "127.0.0.1"

Json = dict[str, Any]
JUDGE = "judge-1"
"""A model of this name answers ``ModelDouble.verdict``."""
EYES = "eyes-1"
"""A model of this name answers ``ModelDouble.seen``."""
EARS = "ears-1"
ANSWER = {"id": "c1", "created": 1, "model": "double-1"}


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str]:
    """``app`` on a free loopback port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    try:
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class ModelDouble:
    """An OpenAI-compatible endpoint that writes down what it was asked.

    ``behaviour`` of every call: ``normal``, ``error`` (500), ``garbage``, ``odd_json``, ``hang``. A call whose
    last message holds ``held_word`` waits for ``release``.
    """

    def __init__(self) -> None:
        self.prompts: list[list[Json]] = []
        self.calls: list[Json] = []
        self.behaviour = "normal"
        self.text = "That sounds like a lot. What would help most?"
        self.held_word: str | None = None
        self.delay_s = 0.0
        """How long it thinks."""
        self.release = asyncio.Event()
        self.verdict = '{"action": "PROCEED", "category": "none"}'
        self.heard = "I had an awful day and nobody listens"
        self.seen = "A photo of a dog on a beach."
        self.recordings: list[bytes] = []
        self.url = ""

    @property
    def everything(self) -> str:
        """All that ever left for the provider."""
        return orjson.dumps(self.calls).decode()

    def system(self, at: int = -1) -> str:
        return str(self.prompts[at][0]["content"])

    def _content(self, call: Json) -> str:
        return {JUDGE: self.verdict, EYES: self.seen}.get(call["model"], self.text)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        self.calls.append(call)
        self.prompts.append(call["messages"])
        last = call["messages"][-1]["content"]
        if self.behaviour == "hang" or (self.held_word and self.held_word in last):
            await self.release.wait()
        await asyncio.sleep(self.delay_s)
        if self.behaviour == "error":
            return web.json_response({"error": {"message": f"planted: {last}"}}, status=500)
        if self.behaviour == "garbage":
            return web.Response(text="<html>no model here</html>", content_type="text/html")
        if self.behaviour == "odd_json":
            return web.json_response({"choices": [{"message": None}], "model": 7})
        if call.get("stream"):
            return await self._stream(request, self._content(call))
        message = {"role": "assistant", "content": self._content(call)}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return web.json_response({**ANSWER, "object": "chat.completion", "choices": [choice]})

    async def _stream(self, request: web.Request, text: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in text.split(" "):
            choice = {"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}
            chunk = {**ANSWER, "object": "chat.completion.chunk", "choices": [choice]}
            await response.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _respond(self, request: web.Request) -> web.Response:
        """The newer way of asking: ``/v1/responses``."""
        call = await request.json()
        self.calls.append(call)
        part = {"type": "output_text", "text": self.text, "annotations": []}
        message = {"type": "message", "id": "m1", "role": "assistant", "content": [part]}
        answer = {"id": "r1", "object": "response", "created_at": 1, "model": "double-1"}
        return web.json_response({**answer, "status": "completed", "output": [message]})

    async def _transcribe(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.calls.append({"model": form["model"]})
        self.recordings.append(form["file"].file.read())
        if self.behaviour == "error":
            return web.json_response({"error": {"message": "planted"}}, status=500)
        return web.json_response({"text": self.heard})

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ModelDouble"]:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/v1/responses", self._respond)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        async with listening(app) as url:
            self.url = f"{url}/v1"
            try:
                yield self
            finally:
                self.release.set()

    def settings(self, **overrides: Any) -> Json:
        """Settings of a brain that asks this model."""
        return {
            "llm_base_url": self.url,
            "llm_model": "asked-1",
            "llm_api_key": "sk-planted-model-key",
            "offline_replies": False,
            "llm_timeout_s": 10.0,
            **overrides,
        }
