"""The test's own side of the wire: a webhook receiver, a fake clock, and shorthand for calls."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient

NUMBER_ID = "105500000000001"
WABA_ID = "205500000000001"
APP_ID = "305500000000001"
TOKEN = "EAAG-the-right-token-0001"
SECRET = "the-app-secret-0001"
VERIFY_TOKEN = "the-verify-token-0001"
PHONE = "+15551234567"
DIGITS = "15551234567"


class FakeClock:
    """Unix seconds that move only when told to."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Received:
    raw: bytes
    headers: dict[str, str]
    verified: bool

    @property
    def entry(self) -> dict[str, Any]:
        body = json.loads(self.raw)
        assert body["object"] == "whatsapp_business_account"
        (entry,) = body["entry"]
        assert entry["id"] == WABA_ID
        return entry

    @property
    def value(self) -> dict[str, Any]:
        return self.value_of("messages")

    def value_of(self, field: str) -> dict[str, Any]:
        (change,) = self.entry["changes"]
        assert change["field"] == field
        return change["value"]

    @property
    def message(self) -> dict[str, Any]:
        (message,) = self.value["messages"]
        return message


@dataclass
class Receiver:
    """A business's webhook: verifies with its own HMAC, answers what it was told to."""

    answers: list[int] = field(default_factory=list)
    """Statuses for the next posts; 200 afterwards."""
    received: list[Received] = field(default_factory=list)
    challenges: list[str] = field(default_factory=list)
    url: str = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/hook", self._handshake)
        app.router.add_get("/quoted", self._quoted_handshake)
        app.router.add_post("/hook", self._post)
        return app

    def statuses(self) -> list[dict[str, Any]]:
        return [item.value["statuses"][0] for item in self.received if "statuses" in item.value]

    async def _handshake(self, request: web.Request) -> web.Response:
        query = request.query
        if query["hub.mode"] != "subscribe" or query["hub.verify_token"] != VERIFY_TOKEN:
            return web.Response(status=403, text="wrong token")
        self.challenges.append(query["hub.challenge"])
        return web.Response(text=query["hub.challenge"])

    async def _quoted_handshake(self, request: web.Request) -> web.Response:
        return web.json_response(request.query["hub.challenge"])

    async def _post(self, request: web.Request) -> web.Response:
        raw = await request.read()
        expected = "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        given = request.headers.get("X-Hub-Signature-256", "")
        self.received.append(
            Received(raw, dict(request.headers), hmac.compare_digest(expected, given))
        )
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(status=status, text="seen")


@dataclass
class Sim:
    client: TestClient
    clock: FakeClock
    receiver: Receiver

    async def register(self, **changes: Any) -> dict[str, Any]:
        command = {
            "phone_number_id": NUMBER_ID,
            "waba_id": WABA_ID,
            "app_id": APP_ID,
            "display_phone_number": "+1 555 000 0000",
            "access_token": TOKEN,
            "app_secret": SECRET,
            "callback_url": self.receiver.url,
            "verify_token": VERIFY_TOKEN,
            **changes,
        }
        return await self.command("POST", "/sim/numbers", command, expected=201)

    async def command(
        self, method: str, path: str, body: Any = None, expected: int = 200
    ) -> dict[str, Any]:
        async with self.client.request(method, path, json=body) as answer:
            assert answer.status == expected, await answer.text()
            return {} if answer.status == 204 else await answer.json()

    async def write(self, text: str = "hello", **more: Any) -> dict[str, Any]:
        body = {"phone_number_id": NUMBER_ID, "from": PHONE, "text": text, **more}
        return await self.command("POST", "/sim/phone/messages", body)

    async def graph(
        self,
        body: Any,
        *,
        path: str = f"/v25.0/{NUMBER_ID}/messages",
        token: str | None = TOKEN,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> tuple[int, dict[str, Any]]:
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        async with self.client.request(
            method,
            path,
            json=body,
            headers=sent,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as answer:
            return answer.status, await answer.json()

    async def act(
        self, path: str, expected: int = 200, who: str = PHONE, **fields: Any
    ) -> dict[str, Any]:
        """A command about the usual number, by the usual person unless it names another."""
        body = {"phone_number_id": NUMBER_ID, "from": who, **fields}
        return await self.command("POST", path, body, expected)

    async def bubble(self, wamid: str, who: str = DIGITS) -> dict[str, Any]:
        messages = (await self.conversation(who))["messages"]
        (found,) = [item for item in messages if item["wamid"] == wamid]
        return found

    async def requests(self) -> list[dict[str, Any]]:
        return (await self.command("GET", "/sim/requests"))["requests"]

    async def conversation(self, who: str = DIGITS) -> dict[str, Any]:
        return await self.command("GET", f"/sim/phone/{who}/messages?phone_number_id={NUMBER_ID}")


def text_to(to: str = PHONE, body: str = "hi there", **more: Any) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "text",
        "text": {"body": body},
        **more,
    }


def mark_read(wamid: str, **more: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "status": "read", "message_id": wamid, **more}
