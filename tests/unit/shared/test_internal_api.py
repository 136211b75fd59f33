"""Calls to channels-api: what it says, that it says no, or that it cannot be asked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from shared.cache import SourceUnavailableError
from shared.http.internal import InternalApi
from shared.http.problem import json_response
from shared.principal import Principal

TOKEN = "s" * 40
KEY = {
    "tenant": "acme",
    "label": "ci",
    "scopes": ["read"],
    "expires_at": "2027-01-01T00:00:00Z",
}


class ChannelsApi:
    """The internal port, as the conventions describe it."""

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.tokens: set[str | None] = set()

    async def handle(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers.get("Authorization"))
        answer = self.answers.get(request.path)
        if isinstance(answer, int):
            return web.Response(status=answer)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/json")
        return json_response(answer or {}, status=200 if answer else 404)


@pytest.fixture
def channels() -> ChannelsApi:
    return ChannelsApi()


@pytest.fixture
async def api(channels: ChannelsApi) -> AsyncIterator[InternalApi]:
    app = web.Application()
    app.router.add_get("/internal/{tail:.*}", channels.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield InternalApi(session, f"{server.make_url('/')}", SecretStr(TOKEN))


async def test_a_channel_for_ingress(api: InternalApi, channels: ChannelsApi) -> None:
    channels.answers["/internal/channels/mc_1/ingress"] = {
        "channel_id": "mc_1",
        "tenant": "acme",
        "phone_number_id": "1",
        "auto_reply": True,
        "app_secrets": [
            {"value": "new-secret", "until": None},
            {"value": "old-secret", "until": "2027-01-01T00:00:00Z"},
        ],
        "verify_token_hashes": [{"value": "aa", "until": None}],
        "added_later": 1,
    }
    channel = await api.channel_for_ingress("mc_1")
    assert channel is not None
    end = datetime(2027, 1, 1, tzinfo=UTC)
    assert channel.app_secrets(end - timedelta(seconds=1)) == ("new-secret", "old-secret")
    assert channel.app_secrets(end) == ("new-secret",)
    assert channel.verify_token_hashes(end) == ("aa",)
    assert "secret" not in repr(channel).replace("app_secrets", "")
    assert channels.tokens == {f"Bearer {TOKEN}"}


async def test_a_channel_for_outbound(api: InternalApi, channels: ChannelsApi) -> None:
    channels.answers["/internal/channels/mc_1/outbound"] = {
        "channel_id": "mc_1",
        "tenant": "acme",
        "phone_number_id": "1",
        "access_token": "EAAB",
    }
    channel = await api.channel_for_outbound("mc_1")
    assert channel is not None
    assert channel.access_token == "EAAB"
    assert "EAAB" not in repr(channel)


async def test_a_principal(api: InternalApi, channels: ChannelsApi) -> None:
    channels.answers["/internal/keys/abc"] = KEY
    principal = await api.principal("abc")
    assert principal is not None
    assert principal == Principal(
        "acme", "abc", "ci", frozenset({"read"}), datetime(2027, 1, 1, tzinfo=UTC)
    )


async def test_what_is_not_there_is_none(api: InternalApi) -> None:
    assert await api.channel_for_ingress("mc_0") is None
    assert await api.channel_for_outbound("mc_0") is None
    assert await api.principal("0") is None


@pytest.mark.parametrize("answer", [401, 500, 302, b"not json", b"[]", b'{"tenant": "acme"}'])
async def test_any_other_answer_means_that_nobody_could_be_asked(
    api: InternalApi, channels: ChannelsApi, answer: int | bytes
) -> None:
    channels.answers["/internal/keys/abc"] = answer
    with pytest.raises(SourceUnavailableError):
        await api.principal("abc")


async def test_a_closed_port_means_that_nobody_could_be_asked(unused_tcp_port: int) -> None:
    async with aiohttp.ClientSession() as session:
        api = InternalApi(session, f"http://127.0.0.1:{unused_tcp_port}", SecretStr(TOKEN))
        with pytest.raises(SourceUnavailableError):
            await api.principal("abc")


async def test_an_id_cannot_leave_its_place_in_the_path(
    api: InternalApi, channels: ChannelsApi
) -> None:
    channels.answers["/internal/keys/abc"] = KEY
    assert await api.channel_for_ingress("../keys/abc?") is None
