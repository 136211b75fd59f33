"""The product as it runs in production: every service its own process, a real broker and database."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from cryptography.fernet import Fernet

from devstack.gateway import gateway
from humane_ai import AsyncHumaneClient
from shared.ids import new_api_key
from tests.support.eventually import eventually
from tests.support.ports import find_free_port
from tests.support.processes import ServiceProcess
from tests.support.rabbit import RabbitNode

LOOPBACK = "127.0.0.1"
SERVICES = ("channels-api", "brain", "outbound", "ingress")
PACKAGES = {"channels-api": "channels_api"}


@dataclass
class Channel:
    """A connected number and the credentials that a test planted."""

    id: str
    phone_number_id: str
    access_token: str
    app_secret: str
    verify_token: str
    url: str


@dataclass
class Product:
    """A running product, and what must never be seen in its logs, nor where it is not meant to be."""

    rabbit: RabbitNode
    amqp_url: str
    mongodb_uri: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of the environment, where they differ from a deployment's."""
    api_key: str = field(default_factory=new_api_key)
    internal_tokens: dict[str, str] = field(
        default_factory=lambda: {
            name: secrets.token_urlsafe(32) for name in ("ingress", "brain", "outbound")
        }
    )
    """Of each caller of an internal port."""
    key_encryption_key: str = field(
        default_factory=lambda: urlsafe_b64encode(secrets.token_bytes(32)).decode()
    )
    session_key: str = field(default_factory=lambda: Fernet.generate_key().decode())
    base_url: str = ""
    simulator_url: str = ""
    services: dict[str, ServiceProcess] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    planted: set[str] = field(default_factory=set)
    """Secrets."""
    texts: set[str] = field(default_factory=set)
    """What people wrote."""
    phones: set[str] = field(default_factory=set)
    http: aiohttp.ClientSession = field(init=False)

    def __post_init__(self) -> None:
        self.planted |= {self.api_key, self.key_encryption_key, *self.internal_tokens.values()}
        self.planted.add(self.session_key)
        for name in (*SERVICES, "dashboard", "internal", "files", "simulator"):
            self.ports[name] = find_free_port()
        for name in (*SERVICES, "dashboard"):
            self.ports[f"{name}.admin"] = find_free_port()

    def environment(self, name: str) -> dict[str, str]:
        """What the service reads."""
        prefix = name.replace("-", "_").upper()
        common = {
            f"{prefix}_HOST": LOOPBACK,
            f"{prefix}_PORT": str(self.ports[name]),
            f"{prefix}_ADMIN_HOST": LOOPBACK,
            f"{prefix}_ADMIN_PORT": str(self.ports[f"{name}.admin"]),
            f"{prefix}_LOG_LEVEL": "DEBUG",
            "AMQP_URL": self.amqp_url,
        }
        if name == "dashboard":
            return common | {
                "DASHBOARD_API_URL": self.base_url,
                "DASHBOARD_PUBLIC_URL": self.base_url,
                "DASHBOARD_PHONE_URL": self.simulator_url,
                "DASHBOARD_SESSION_KEYS": self.session_key,
                "DASHBOARD_SECURE_COOKIES": "false",
            }
        if name != "ingress":
            common["MONGODB_URI"] = self.mongodb_uri
        if name == "channels-api":
            return common | {
                "CHANNELS_API_INTERNAL_HOST": LOOPBACK,
                "CHANNELS_API_INTERNAL_PORT": str(self.ports["internal"]),
                **{
                    f"CHANNELS_API_{caller.upper()}_TOKENS": self.internal_tokens[caller]
                    for caller in ("ingress", "brain", "outbound")
                },
                "CHANNELS_API_KEY_ENCRYPTION_KEYS": json.dumps({"1": self.key_encryption_key}),
                "CHANNELS_API_BOOTSTRAP_API_KEY": self.api_key,
                "CHANNELS_API_GRAPH_BASE_URL": self.simulator_url,
                "CHANNELS_API_ALLOW_PRIVATE_ADDRESSES": "true",
            }
        common |= {
            "INTERNAL_API_URL": f"http://{LOOPBACK}:{self.ports['internal']}",
            "INTERNAL_API_TOKEN": self.internal_tokens[name],
        }
        if name == "outbound":
            common |= {
                "OUTBOUND_INTERNAL_HOST": LOOPBACK,
                "OUTBOUND_INTERNAL_PORT": str(self.ports["files"]),
                "OUTBOUND_INTERNAL_TOKENS": self.internal_tokens["brain"],
                "OUTBOUND_MEDIA_HOSTS": json.dumps([self.simulator_url]),
                "OUTBOUND_GRAPH_BASE_URL": self.simulator_url,
                "OUTBOUND_SETTLE_TIMEOUT_S": "5",
            }
        if name == "brain":
            common |= {
                "BRAIN_MEDIA_API_URL": f"http://{LOOPBACK}:{self.ports['files']}",
                "BRAIN_OFFLINE_REPLIES": "true",
                "BRAIN_PROCESS_RATE_PER_MINUTE": "10000",
                "BRAIN_REPLY_DELAY_CAP_MS": "0",
            }
        return common

    async def start(self, name: str, **more: str) -> None:
        """Start one service, its environment with ``more`` in it, and wait until it is ready."""
        process = ServiceProcess(
            PACKAGES.get(name, name),
            env={**self.environment(name), **self.settings, **more},
            log_path=self.folder / f"{name}.log",
        )
        await process.start()
        self.services[name] = process
        await process.wait_ready(self.ports[f"{name}.admin"])

    async def start_another(self, name: str) -> str:
        """One more replica of a service; the URL of its own public port."""
        number = sum(key.startswith(f"{name}-") for key in self.services) + 2
        port, admin_port = find_free_port(), find_free_port()
        prefix = name.replace("-", "_").upper()
        own = {
            f"{prefix}_PORT": str(port),
            f"{prefix}_ADMIN_PORT": str(admin_port),
            f"{prefix}_INSTANCE": f"{name}-{number}",
        }
        process = ServiceProcess(
            PACKAGES.get(name, name),
            env=self.environment(name) | own,
            log_path=self.folder / f"{name}-{number}.log",
        )
        await process.start()
        self.services[f"{name}-{number}"] = process
        await process.wait_ready(admin_port)
        return f"http://{LOOPBACK}:{port}"

    async def restart(self, name: str, **more: str) -> None:
        """SIGTERM, then start again, with ``more`` in the environment."""
        await self.services[name].terminate()
        await self.start(name, **more)

    def client(self) -> AsyncHumaneClient:
        """The client library, pointed at this product."""
        return AsyncHumaneClient(api_key=self.api_key, base_url=self.base_url)

    async def get(self, path: str) -> Any:
        """GET with the API key; the decoded body."""
        async with self.http.get(
            self.base_url + path, headers={"X-API-Key": self.api_key}
        ) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def patch(self, path: str, body: dict[str, Any]) -> Any:
        """PATCH with the API key; the decoded body."""
        async with self.http.patch(
            self.base_url + path, headers={"X-API-Key": self.api_key}, json=body
        ) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def connect(
        self, *, auto_reply: bool = True, verify: bool = True, debounce_ms: int = 0
    ) -> Channel:
        """Create a channel, register its number with the simulator, verify as Meta does."""
        phone_number_id = str(secrets.randbelow(10**15) + 10**15)
        access_token, app_secret = "EAA" + secrets.token_hex(20), secrets.token_hex(16)
        async with self.client() as client:
            created = await client.channels.create_whatsapp(
                phone_number_id=phone_number_id,
                access_token=access_token,
                app_secret=app_secret,
                label="Care line",
                auto_reply=auto_reply,
            )
        assert created.verify_token is not None
        await self.patch(f"/api/channels/{created.id}", {"reply_debounce_ms": debounce_ms})
        self.planted |= {access_token, app_secret, created.verify_token}
        channel = Channel(
            id=created.id,
            phone_number_id=phone_number_id,
            access_token=access_token,
            app_secret=app_secret,
            verify_token=created.verify_token,
            url=self.base_url + created.webhook_url_hint,
        )
        number = {
            "phone_number_id": phone_number_id,
            "access_token": access_token,
            "app_secret": app_secret,
        }
        if verify:
            number |= {"callback_url": channel.url, "verify_token": channel.verify_token}
        await self.sim("numbers", number)
        return channel

    async def sim(self, path: str, body: dict[str, Any]) -> Any:
        """POST to the simulator's control API."""
        async with self.http.post(f"{self.simulator_url}/sim/{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def sim_get(self, path: str) -> Any:
        """GET from the simulator's control API."""
        async with self.http.get(f"{self.simulator_url}/sim/{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def texts_sent(self, channel: Channel, to: str) -> list[dict[str, Any]]:
        """What the Graph double accepted as text messages to this person on this number."""
        shown = await self.sim_get(f"phone/{to}/messages?phone_number_id={channel.phone_number_id}")
        return [m for m in shown["messages"] if m["direction"] == "business"]

    async def interactions_of(self, user_id: str) -> list[dict[str, Any]]:
        """Every interaction of a person, newest first."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await self.get(f"/api/users/{user_id}/interactions?limit=200{cursor}")
            found += page["interactions"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def post_webhook(
        self, channel: Channel, body: bytes, *, signature: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """POST as Meta would; ``signature`` replaces the right one.

        The simulator is told of the body first, as if it had sent it: Meta lets nobody answer or
        read-mark a message that it does not know.
        """
        if signature is None and len(body) < 100_000:
            texts, phones = _said(body)
            self.texts |= texts
            self.phones |= phones
            known = {"phone_number_id": channel.phone_number_id, "body": body.decode(), "times": 0}
            await self.sim("webhooks", known)
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": sign(channel.app_secret, body)
            if signature is None
            else signature,
        }
        if signature == "":
            del headers["X-Hub-Signature-256"]
        async with self.http.post(channel.url, data=BytesIO(body), headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else {"text": text}

    def log_text(self, *, simulator: bool = True) -> str:
        """Everything that every service wrote, and the simulator of Meta unless it is left out."""
        paths = sorted(self.folder.glob("*.log"))
        return "\n".join(p.read_text() for p in paths if simulator or p.stem != "metasim")


def _said(body: bytes) -> tuple[set[str], set[str]]:
    """Sentences and phones in a webhook; a single word could stand in a log by chance."""
    try:
        changes = [c for entry in json.loads(body)["entry"] for c in entry["changes"]]
        messages = [m for change in changes for m in change["value"].get("messages", ())]
        texts = {str((m.get("text") or {}).get("body", "")) for m in messages}
        phones = {str(m.get("from", "")) for m in messages}
    except (ValueError, LookupError, TypeError, AttributeError):
        return set(), set()  # it was spoiled on purpose
    return {t for t in texts if len(t) > 15 and " " in t}, {p for p in phones if len(p) > 9}


def sign(app_secret: str, body: bytes) -> str:
    """Meta's signature header."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def text_message(sender: str, text: str, *, wamid: str | None = None) -> dict[str, Any]:
    """A text message object as Meta writes it."""
    return {
        "from": sender,
        "id": wamid or f"wamid.{secrets.token_hex(12)}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }


def webhook(channel: Channel, *messages: dict[str, Any], **value: Any) -> bytes:
    """A webhook body with these messages, or with other parts of ``value``."""
    content: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": "+1 555 000 0000",
            "phone_number_id": channel.phone_number_id,
        },
        **value,
    }
    if messages:
        content["messages"] = list(messages)
    change = {"field": "messages", "value": content}
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
    ).encode()


def new_phone() -> str:
    """Digits of somebody who never wrote before."""
    return f"1555{secrets.randbelow(10**7):07d}"


@asynccontextmanager
async def running_product(
    rabbit: RabbitNode,
    amqp_url: str,
    mongodb_uri: str,
    folder: Path,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Product]:
    """Start everything, stop everything."""
    product = Product(rabbit, amqp_url, mongodb_uri, folder, settings or {})
    async with AsyncExitStack() as parts:
        product.http = await parts.enter_async_context(aiohttp.ClientSession())
        simulator = ServiceProcess(
            "metasim",
            env={},
            log_path=folder / "metasim.log",
            arguments=("--port", str(product.ports["simulator"])),
        )
        await simulator.start()
        parts.push_async_callback(simulator.terminate)
        product.simulator_url = f"http://{LOOPBACK}:{product.ports['simulator']}"
        await eventually(lambda: _answers(product, "/sim/numbers"), timeout_s=20)
        parts.push_async_callback(_stop_all, product)
        await product.start("channels-api")
        await asyncio.gather(*(product.start(name) for name in SERVICES[1:]))
        urls = {
            name: f"http://{LOOPBACK}:{product.ports[name]}" for name in (*SERVICES, "dashboard")
        }
        runner = web.AppRunner(gateway(urls), access_log=None)
        await runner.setup()
        parts.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, LOOPBACK, 0).start()
        product.base_url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
        await product.start("dashboard")
        yield product


async def _answers(product: Product, path: str) -> bool:
    async with product.http.get(product.simulator_url + path) as answer:
        return answer.status == 200


async def _stop_all(product: Product) -> None:
    await asyncio.gather(*(process.terminate() for process in product.services.values()))
