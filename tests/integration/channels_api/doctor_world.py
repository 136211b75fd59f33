"""Channels-api with the edge that Meta calls and with a double of Meta, all in this process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ingress.app import build as build_ingress
from ingress.settings import Settings as IngressSettings
from metasim import SimConfig, build_app
from shared.bus.memory import MemoryBus
from shared.runtime import serving
from shared.settings import load
from tests.integration.channels_api.world import (
    ACCESS_TOKEN,
    APP_SECRET,
    CREATE,
    TOKENS,
    World,
    started,
)
from tests.support.eventually import eventually
from tests.support.ports import find_free_port

LOOPBACK = "127.0.0.1"
NUMBER_ID, WABA_ID, APP_ID = CREATE["phone_number_id"], "2055000000001", "305500000000001"


class CommonBus(MemoryBus):
    """Two services use it; the first to stop must not close it for the other."""

    async def close(self) -> None:
        """Goes with the test."""


@dataclass
class DoctorWorld:
    """``channel`` is what a test's channel was created as."""

    product: World
    sim: str = ""
    ingress: str = ""
    channel: dict[str, Any] = field(default_factory=dict)

    async def command(self, method: str, path: str, body: Any = None) -> Any:
        """A command to the simulator."""
        async with self.product.http.request(method, self.sim + path, json=body) as answer:
            assert answer.status < 300, await answer.text()
            return None if answer.status == 204 else await answer.json()

    async def register(self, **changes: Any) -> None:
        """The number at Meta."""
        number = {
            "phone_number_id": NUMBER_ID,
            "waba_id": WABA_ID,
            "app_id": APP_ID,
            "access_token": ACCESS_TOKEN,
            "app_secret": APP_SECRET,
            **changes,
        }
        await self.command("POST", "/sim/numbers", number)

    async def standing(self, **values: Any) -> None:
        await self.command("PUT", f"/sim/numbers/{NUMBER_ID}/standing", values)

    async def fault(self, path: str, **action: Any) -> None:
        rule = {"match": {"path_contains": path}, "times": None, "action": action}
        await self.command("POST", "/sim/faults", rule)

    async def handshake(self, token: str, *, channel_id: str | None = None) -> int:
        """What somebody's "Verify and save" comes to."""
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1"}
        url = f"{self.ingress}/api/ingress/whatsapp/{channel_id or self.channel['id']}"
        async with self.product.http.get(url, params=query) as answer:
            return answer.status

    async def configure(self) -> None:
        """Set the app's address at Meta to the channel's, as an operator does."""
        path = f"/sim/numbers/{NUMBER_ID}/handshake"
        url = self.ingress + self.channel["webhook_url_hint"]
        await self.command(
            "POST", path, {"callback_url": url, "verify_token": self.channel["verify_token"]}
        )

    async def write(self, **more: Any) -> dict[str, Any]:
        message = {"phone_number_id": NUMBER_ID, "from": "447700900123", "text": "Hello", **more}
        return await self.command("POST", "/sim/phone/messages", message)

    async def create(self, **changes: Any) -> dict[str, Any]:
        body = {**CREATE, "waba_id": WABA_ID, **changes}
        status, self.channel = await self.product.call("POST", "/api/channels", body)
        assert status == 201, self.channel
        return self.channel

    async def call(self, name: str, body: Any = None) -> Any:
        path = f"/api/channels/{self.channel['id']}/{name}"
        status, answer = await self.product.call("POST", path, body)
        assert status == 200, answer
        return answer

    async def check(self, **body: Any) -> dict[str, Any]:
        return await self.call("check", body)

    async def codes(self, **body: Any) -> dict[str, str]:
        """State by code of what a check finds."""
        return {f["code"]: f["state"] for f in (await self.check(**body))["findings"]}

    async def activity(self) -> dict[str, Any]:
        _, shown = await self.product.call("GET", f"/api/channels/{self.channel['id']}/activity")
        return shown

    async def diagnosed(self, code: str) -> dict[str, Any]:
        """The activity once its diagnosis is ``code``: events take a moment."""

        async def found() -> dict[str, Any] | None:
            shown = await self.activity()
            return shown if shown["diagnosis"]["code"] == code else None

        return await eventually(found)


@asynccontextmanager
async def doctors(uri: str, **overrides: Any) -> AsyncIterator[DoctorWorld]:
    """Everything running; ``overrides`` are settings of channels-api."""
    product = World(uri, bus=CommonBus())
    here = DoctorWorld(product)
    async with AsyncExitStack() as parts:
        runner = web.AppRunner(build_app(SimConfig(statuses=())), shutdown_timeout=1.0)
        await runner.setup()
        parts.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, LOOPBACK, 0).start()
        here.sim = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
        settings: dict[str, Any] = {
            "graph_base_url": here.sim,
            "graph_timeout_s": 2.0,
            "setup_wait_s": 5.0,
            "checks_per_minute": 10_000,
            "allow_private_addresses": True,
        }
        await parts.enter_async_context(started(product, **{**settings, **overrides}))

        async def open_bus() -> MemoryBus:
            return product.bus

        edge = load(
            IngressSettings,
            host=LOOPBACK,
            port=find_free_port(),
            admin_host=LOOPBACK,
            admin_port=0,
            amqp_url="amqp://in-process",
            internal_api_url=product.internal,
            internal_api_token=TOKENS["ingress"][0],
        )
        await parts.enter_async_context(serving(edge, build_ingress, open_bus=open_bus))
        here.ingress = f"http://{LOOPBACK}:{edge.port}"
        yield here
