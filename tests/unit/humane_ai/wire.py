"""A loopback server that behaves as the API's wire says, with faults on order."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.unit.humane_ai.wire_records import FILE, KEY, ROTATION, USER, Records

API_KEY = "hx_" + "k" * 43
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANSWER: dict[str, Any] = {
    "response": "I am glad to hear it.",
    "user": {
        "id": "sarah",
        "energy": 0.61,
        "mood": 0.72,
        "trust": 0.41,
        "sentiment": 0.55,
        "familiarity": 0.31,
        "interaction_count": 7,
    },
    "timing": {"delay_ms": 1800, "reason": "base 1500, jitter 300"},
    "safety": {
        "action": "PROCEED",
        "risk_score": 0.1,
        "flags": ["overclaim"],
        "matched": [{"phrase": "killing me", "category": "self_harm"}],
        "override": "idiom",
    },
    "context": {
        "tone": "empathetic_professional",
        "empathy": 0.88,
        "formality": 0.4,
        "response_length": "short",
    },
    "analysis": {
        "detected_emotions": ["joy"],
        "intent": "share",
        "confidence": "model",
        "mood_delta": 0.2,
        "energy_delta": -0.1,
        "signal_magnitude": "strong",
        "triggers": [{"phrase": "got the job", "emotion": "joy", "polarity": "positive"}],
        "reasons": ["a success is told"],
        "safety_matched": ["killing me"],
    },
    "proactive": [
        {
            "trigger": "mood_drop",
            "description": "Mood fell.",
            "suggested_action": "Check in.",
            "end_user_id": "sarah",
            "timestamp": "2026-03-01T10:00:00+00:00",
        }
    ],
    "memory": {
        "relevant_memories": [
            {
                "text": "My name is Sarah.",
                "similarity": 0.83,
                "timestamp": "2026-02-01T08:30:00.250000Z",
            }
        ],
        "total_stored": 12,
        "interaction_count": 7,
        "known_since": "2026-01-01T00:00:00Z",
        "last_seen": None,
    },
    "model": "gpt-x",
    "experiments": [],
    "policy": None,
    "error": None,
    "setup_required": False,
    "interaction_id": "0197-1",
}

COMPLETION: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-x",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Rest well."},
        }
    ],
}

SETTINGS: dict[str, Any] = {
    "reply_debounce_ms": 1200,
    "echo_pause_s": 3600,
    "read_receipts": True,
    "messages_per_second": 80,
    "window_template": None,
    "window_template_language": "en_US",
    "appsecret_proof": False,
}
AUDIT: dict[str, Any] = {
    "at": "2026-03-01T10:00:00Z",
    "action": "updated",
    "fields": ["access_token", "label"],
    "key_label": "Night shift",
    "key": "0123456789ab",
    "version": 2,
}
WELL: dict[str, Any] = {
    "state": "ok",
    "problem": None,
    "detail": None,
    "code": None,
    "since": None,
    "paused": False,
}


FINE = {"code": "number_readable", "state": "ok", "sentence": "It is.", "what_to_do": ""}
FINDING = {
    "code": "webhook_arriving",
    "state": "failed",
    "sentence": "Nothing arrived.",
    "what_to_do": "Press Verify and save.",
}
REPORT = {"state": "failed", "checked_at": "2026-03-01T10:00:00Z"}


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Wire:
    """``faults`` answer first, one each; then the API does. ``acted`` counts what had an effect."""

    url: str = ""
    faults: deque[Handler] = field(default_factory=deque)
    seen: list[Seen] = field(default_factory=list)
    acted: int = 0
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: Records = field(default_factory=Records)
    page_size: int = 2
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the test is over: whatever was kept waiting may go."""
    _stored: dict[str, tuple[int, Any]] = field(default_factory=dict)
    _histories: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield
        finally:
            self.over.set()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = json.loads(raw) if raw else None
        self.seen.append(Seen(request.method, request.raw_path, headers, body))
        if self.faults:
            return await self.faults.popleft()(request)
        return await self.api(request)

    async def api(self, request: web.Request) -> web.StreamResponse:
        """The answer without a fault."""
        if request.path == "/v1/chat/completions":  # a language model's, for whoever asks one
            return web.json_response(COMPLETION)
        if request.headers.get("X-API-Key") != API_KEY:
            return problem(401, "key-unknown", "This API key is unknown or was revoked.")
        parts = [unquote(part) for part in request.rel_url.raw_path.strip("/").split("/")]
        body = json.loads(await request.read() or b"{}")
        if parts[:2] == ["api", "sdk"]:
            return await self._sdk(request, parts[2:], body)
        if parts[:2] == ["api", "channels"]:
            return self._channels(request, parts[2:], body)
        if parts[:2] == ["api", "privacy"]:
            return self._privacy(request, parts[2:])
        if parts[1] == "keyring":
            return self._keyring(request.method)
        if parts[1] in ("users", "interactions", "deliveries", "alerts", "keys"):
            return self._records(request, parts[1], parts[2:], body)
        return problem(404, "no-route", "There is no such route.")

    async def _sdk(self, request: web.Request, parts: list[str], body: Any) -> web.StreamResponse:
        if parts == ["process"]:
            return self._once(request, lambda: (200, self._process(body)))
        if parts == ["process", "stream"]:
            answer = self._process(body)
            metadata = {key: value for key, value in answer.items() if key != "response"}
            token = {"content": answer["response"]}
            told = sse(("metadata", metadata), ("token", token), ("final", answer))
            return await streamed([told])(request)
        history = self._histories.setdefault(parts[1], [])
        if request.method == "DELETE":
            history.clear()
            return web.Response(status=204)
        return web.json_response(history[-int(request.query["limit"]) :])

    def _process(self, body: Any) -> Any:
        self.acted += 1
        at = "2026-03-01T10:00:00Z"
        self._histories.setdefault(body["user_id"], []).extend(
            [
                {"role": "user", "content": body["message"], "at": at},
                {"role": "assistant", "content": ANSWER["response"], "at": at},
            ]
        )
        return {**ANSWER, "user": {**ANSWER["user"], "id": body["user_id"]}}

    def _privacy(self, request: web.Request, parts: list[str]) -> web.Response:
        match (request.method, parts):
            case ("GET", ["export", user_id]):
                return web.json_response({"user": {**USER, "external_id": user_id}})
            case ("DELETE", ["erase", user_id]) if user_id not in self.records.erased:
                self.records.erased.append(user_id)
                return web.json_response(self.records.erasure)
        return problem(404, "not-found", "There is nobody of that name.")

    def _channels(self, request: web.Request, parts: list[str], body: Any) -> web.Response:
        if not parts and request.method == "POST":
            return self._once(request, lambda: (201, self._create(body)))
        if not parts:
            begin = int(request.query.get("cursor", "0"))
            rows, end = list(self.channels.values()), begin + self.page_size
            cursor = str(end) if end < len(rows) else None
            return web.json_response({"channels": rows[begin:end], "next_cursor": cursor})
        channel = self.channels.get(parts[0])
        if channel is None:
            return problem(404, "not-found", "There is no such channel.")
        etag = f'"{channel["version"]}"'
        if request.headers.get("If-Match", etag) != etag:
            return problem(412, "changed-meanwhile", "Read it again.")
        if parts[1:] == ["audit"]:
            return web.json_response({"audit": [AUDIT]})
        if parts[1:] == ["activity"]:
            entry = {"at": "2026-03-01T10:00:00Z", "kind": "handshake", "detail": {"ok": False}}
            return web.json_response({"activity": [entry], "diagnosis": FINDING})
        if parts[1:] == ["check"]:
            return web.json_response(
                {**REPORT, "channel_id": parts[0], "findings": [FINE, FINDING]}
            )
        if parts[1:] == ["setup"]:
            return web.json_response({"channel_id": parts[0], "state": "ok", "steps": [FINE]})
        if request.method == "DELETE":
            del self.channels[parts[0]]
            return web.Response(status=204)
        if request.method == "PATCH":
            shown = self._update(channel, body)
            return web.json_response(shown, headers={"ETag": f'"{channel["version"]}"'})
        return web.json_response(channel, headers={"ETag": etag})

    def _create(self, body: Any) -> Any:
        self.acted += 1
        channel_id = f"mc_{self.acted}"
        self.channels[channel_id] = {
            "id": channel_id,
            "type": body["type"],
            "label": body.get("label"),
            "phone_number_id": body["phone_number_id"],
            "waba_id": body.get("waba_id"),
            "auto_reply": body["auto_reply"],
            **{name: body.get(name, default) for name, default in SETTINGS.items()},
            "health": dict(WELL),
            "webhook_url_hint": f"/api/ingress/whatsapp/{channel_id}",
            "access_token_last4": body["access_token"][-4:],
            "app_secret_last4": body["app_secret"][-4:],
            "state": "active",
            "created_at": "2026-03-01T10:00:00Z",
            "updated_at": "2026-03-01T10:00:00Z",
            "version": 1,
        }
        answer = {**self.channels[channel_id], "verify_token": f"vt-first-{channel_id}"}
        if "public_base_url" in body:
            answer["setup"] = {"channel_id": channel_id, "state": "failed", "steps": [FINDING]}
        if body.get("check"):
            answer["check"] = {"channel_id": channel_id, "state": "failed", "findings": [FINDING]}
        return answer

    def _update(self, channel: dict[str, Any], body: Any) -> Any:
        for name in ("access_token", "app_secret"):
            if name in body:
                channel[f"{name}_last4"] = body.pop(name)[-4:]
        rotated = body.pop("rotate_verify_token", False)
        if body.pop("health", None) == "ok":
            channel["health"] = dict(WELL)
        channel.update(body, version=channel["version"] + 1)
        return {**channel, "verify_token": f"vt-next-{channel['id']}"} if rotated else channel

    def _keyring(self, method: str) -> web.StreamResponse:
        """Each look finds the rotation further on."""
        ring = self.records.keyring
        if method == "POST":
            ring["rotation"] = dict(ROTATION)
            return web.json_response(ring["rotation"], status=202)
        if ring["rotation"] is not None:
            ring["rotation"]["done"] += 1
            if ring["rotation"]["done"] == ring["rotation"]["total"]:
                ring["rotation"]["state"] = self.records.rotation_ends
        return web.json_response(ring)

    def _records(
        self, request: web.Request, kind: str, parts: list[str], body: Any
    ) -> web.StreamResponse:
        records = self.records
        match (request.method, kind, parts):
            case ("POST", "users", [user_id, "messages"]):
                return self._once(request, lambda: (202, self._written(user_id, body)))
            case ("POST", "keys", []):
                return self._once(request, lambda: (201, self._key(body)))
            case ("PATCH", "users", [_]):
                return web.json_response({**USER, "held_until": held_until(body["auto_reply"])})
            case ("PATCH", "alerts", [alert_id]):
                self._attended(alert_id, body)
            case ("DELETE", "keys", [key_id]):
                records.keys = [key for key in records.keys if key["id"] != key_id]
                return web.Response(status=204)
            case ("GET", "interactions", [_, "media"]):
                return web.Response(body=FILE, headers=records.media_headers)
            case ("GET", "users", [_, "memories"]):
                return web.json_response({"memories": records.memories, "total_stored": 12})
            case ("GET", _, []):
                return self._page(request, kind, getattr(records, kind))
            case ("GET", _, [_, listed]):
                return self._page(request, listed, getattr(records, listed))
        found = [row for row in getattr(records, kind) if parts[0] in (row["id"], "sarah")]
        return web.json_response(found[0]) if found else problem(404, "not-found", "None such.")

    def _attended(self, alert_id: str, body: Any) -> None:
        """As the services do it: what is not given stays."""
        for alert in self.records.alerts:
            if alert["id"] == alert_id:
                if "acknowledged" in body:
                    alert["state"] = "acknowledged" if body["acknowledged"] else "open"
                if "assignee" in body:
                    alert["assignee"] = body["assignee"]

    def _page(self, request: web.Request, name: str, rows: list[Any]) -> web.Response:
        begin = int(request.query.get("cursor", "0"))
        end = begin + self.page_size
        cursor = str(end) if end < len(rows) else None
        return web.json_response({name: rows[begin:end], "next_cursor": cursor})

    def _written(self, user_id: str, body: Any) -> Any:
        self.acted += 1
        message = {**self.records.messages[0], "id": f"m-{self.acted}", "user_id": user_id}
        return {**message, "text": body.get("text", "")}

    def _key(self, body: Any) -> Any:
        self.acted += 1
        return {**KEY, "label": body["label"], "key": "hx_new"}

    def _once(self, request: web.Request, act: Callable[[], tuple[int, Any]]) -> web.Response:
        key = request.headers["Idempotency-Key"]
        if key not in self._stored:
            self._stored[key] = act()
        status, data = self._stored[key]
        return web.json_response(data, status=status)

    def lost(self) -> Handler:
        """The API acts, and the connection breaks before its answer."""

        async def answer(request: web.Request) -> web.StreamResponse:
            await self.api(request)
            return await broken(request)

        return answer

    def silent(self) -> Handler:
        """No answer until the test is over."""

        async def answer(_: web.Request) -> web.StreamResponse:
            await self.over.wait()
            return web.Response()

        return answer


def held_until(auto_reply: Any) -> str | None:
    """What the API answers for a pause."""
    if isinstance(auto_reply, dict):
        until: str = auto_reply["paused_until"]
        return until
    return "9999-01-01T00:00:00Z" if auto_reply == "paused" else None


def problem(status: int, slug: str = "some-slug", detail: str = "", **more: Any) -> web.Response:
    """RFC 9457, with a request id; ``headers`` are the answer's, the rest goes into the body."""
    headers = more.pop("headers", {})
    title = slug.replace("-", " ").capitalize()
    body = {"type": f"urn:x:{slug}", "title": title, "status": status, "detail": detail, **more}
    return web.json_response(
        {"request_id": "req-1", **body},
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )


def refused(status: int, slug: str = "some-slug", detail: str = "", **more: Any) -> Handler:
    """A fault: that problem. ``retry_after`` becomes the header."""
    retry_after = more.pop("retry_after", None)
    headers = {} if retry_after is None else {"Retry-After": retry_after}

    async def answer(_: web.Request) -> web.StreamResponse:
        return problem(status, slug, detail, headers=headers, **more)

    return answer


def says(body: str | bytes, status: int = 200, content_type: str = "text/html") -> Handler:
    """A fault: any body."""
    raw = body.encode() if isinstance(body, str) else body

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=raw, status=status, content_type=content_type)

    return answer


async def broken(request: web.Request) -> web.StreamResponse:
    """A fault: the connection breaks."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def sse(*events: tuple[str, Any], done: bool = True) -> bytes:
    """Events as the API writes them: UTF-8, nothing escaped that JSON lets through."""
    told = [json.dumps({"type": t, "data": d}, ensure_ascii=False) for t, d in events]
    return "".join(f"data: {line}\n\n" for line in [*told, *(["[DONE]"] if done else [])]).encode()


def streamed(chunks: list[bytes], then: Handler | None = None) -> Handler:
    """A stream in these chunks, and then ``then`` before it ends."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if then is not None:
            await then(request)
        return response

    return answer
