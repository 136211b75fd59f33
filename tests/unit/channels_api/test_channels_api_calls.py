"""What channels-api says of the other side when it calls out: Graph, and addresses callers name."""

import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels_api.adapters.graph import Credentials, GraphClient, GraphSettings
from channels_api.adapters.outside import Outside
from channels_api.domain.addresses import Policy
from channels_api.domain.graph import Said, Silence, Silent
from shared.telemetry.metrics import Metrics

WHO = Credentials("1158201444", "EAA-access-token", "app-secret", with_proof=True)
LOOPBACK = "127.0.0.1"
Answer = Callable[[web.Request], web.StreamResponse]


@asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0, ssl_context=tls).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def graph(port: int, timeout_s: float = 5.0) -> AsyncIterator[GraphClient]:
    settings = GraphSettings(f"http://{LOOPBACK}:{port}", "v25.0", timeout_s)
    client = GraphClient(settings, Metrics())
    yield client
    await client.close()


async def test_secrets_go_in_headers_and_in_debug_tokens_query_alone() -> None:
    seen: list[web.Request] = []

    def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({})

    async with serving(answer) as port, graph(port) as meta:
        await meta.number(WHO)
        await meta.subscriptions(WHO, "../me")
        await meta.subscribe(WHO, "205")
        await meta.override(WHO, "https://care.example/hook", "vt_token")
        await meta.token(WHO)
        await meta.proof(WHO, "305")
    bearers = [request.headers["Authorization"].removeprefix("Bearer ") for request in seen]
    assert bearers == ["EAA-access-token"] * 5 + ["305|app-secret"]
    assert all("appsecret_proof" in request.query for request in seen)
    for request in seen[:4]:
        assert not {"EAA-access-token", "app-secret", "vt_token"} & {*request.query.values()}
    assert seen[1].rel_url.raw_path == "/v25.0/..%2Fme/subscribed_apps"
    assert "EAA-access-token" not in f"{WHO!r}"


async def test_a_redirect_takes_no_token_anywhere() -> None:
    paths: list[str] = []

    def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serving(answer) as port, graph(port) as meta:
        assert await meta.number(WHO) == Silent(Silence.UNREADABLE)
    assert paths == ["/v25.0/1158201444"]


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b"\xff", b"[" * 100_000, json.dumps({"a": "x" * 300_000}).encode()]
)
async def test_an_answer_that_is_no_small_object_is_unreadable(body: bytes) -> None:
    async with serving(lambda _: web.Response(body=body)) as port, graph(port) as meta:
        assert await meta.number(WHO) == Silent(Silence.UNREADABLE)


async def test_a_failure_is_asked_once_more_and_no_more() -> None:
    answers = [502, 503, 200]

    def answer(_: web.Request) -> web.Response:
        return web.json_response({"id": "1"}, status=answers.pop(0))

    async with serving(answer) as port, graph(port) as meta:
        assert await meta.number(WHO) == Silent(Silence.SERVER)
        assert await meta.number(WHO) == Said({"id": "1"})
    assert answers == []


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LOOPBACK)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "both.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


class NoNames:
    """A name server that knows nothing."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError("no such name")

    async def close(self) -> None:
        """Nothing to let go."""


async def problem(url: str, outside: Outside) -> str | None:
    try:
        return (await outside.get(url)).problem
    finally:
        await outside.close()


async def test_why_an_address_does_not_answer_is_told_apart(tmp_path: Path) -> None:
    def here() -> Outside:
        return Outside(Policy(private=True), 5.0)

    async with serving(lambda _: web.Response(), self_signed(tmp_path)) as port:
        assert await problem(f"https://{LOOPBACK}:{port}/", here()) == "certificate"
    async with serving(lambda _: web.Response()) as port:
        assert await problem(f"https://{LOOPBACK}:{port}/", here()) == "tls"
    assert await problem(f"http://{LOOPBACK}:{port}/", here()) == "connection"
    nameless = Outside(Policy(private=True), 5.0, NoNames())
    assert await problem("https://care.example/", nameless) == "name"
    with socket.create_server((LOOPBACK, 0)) as silent:
        url = f"http://{LOOPBACK}:{silent.getsockname()[1]}/"
        assert await problem(url, Outside(Policy(private=True), 0.2)) == "timeout"
