"""Who calls: a valid key gives a tenant, anything else an answer that tells nothing more."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from shared.cache import SourceUnavailableError
from shared.http.keys import PRINCIPAL, demand, require_key
from shared.http.problem import json_response
from shared.http.server import application
from shared.http.throttle import FailureBudget, Throttle
from shared.ids import new_api_key, secret_hash
from shared.principal import Principal, Scope
from shared.telemetry.metrics import Metrics

KEY = new_api_key()
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Keys:
    """Knows one key by its hash."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False
        self.scopes: frozenset[Scope] = frozenset({"read"})
        self.expires_at: datetime | None = None
        self.throttle = Throttle(FailureBudget(3, lambda: 0.0), 0)

    async def find(self, key_hash: str) -> Principal | None:
        self.asked.append(key_hash)
        if self.down:
            raise SourceUnavailableError
        if key_hash != secret_hash(KEY):
            return None
        return Principal("acme", key_hash, "ci", self.scopes, self.expires_at)


@pytest.fixture
def keys() -> Keys:
    return Keys()


async def ask(
    keys: Keys, headers: dict[str, str], path: str = "/who"
) -> tuple[int, dict[str, str], str | None]:
    async def channels(request: web.Request) -> web.Response:
        demand(request, "channels")
        return json_response({})

    async def who(request: web.Request) -> web.Response:
        return json_response({"tenant": request[PRINCIPAL].tenant})

    app = application(Metrics())
    app.middlewares.append(require_key(keys.find, lambda: NOW, keys.throttle))
    app.router.add_get("/channels", channels)
    app.router.add_get("/who", who)
    async with TestClient(TestServer(app)) as client, client.get(path, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers.get("Retry-After")


async def test_a_valid_key_names_its_tenant(keys: Keys) -> None:
    status, body, _ = await ask(keys, {"X-API-Key": KEY})
    assert (status, body) == (200, {"tenant": "acme"})
    assert keys.asked == [secret_hash(KEY)]


async def test_without_a_key_the_answer_tells_how_to_send_one(keys: Keys) -> None:
    status, body, _ = await ask(keys, {})
    assert (status, body["type"]) == (401, "urn:platform:problem:key-missing")
    assert "X-API-Key" in body["detail"]


async def test_an_unknown_key_is_refused(keys: Keys) -> None:
    status, body, _ = await ask(keys, {"X-API-Key": new_api_key()})
    assert (status, body["type"]) == (401, "urn:platform:problem:key-unknown")


@pytest.mark.parametrize("key", ["x", KEY[:-1], KEY + "a", KEY.upper(), "hx_" + "é" * 43, "Bearer"])
async def test_what_has_not_the_form_of_a_key_is_not_even_asked_about(keys: Keys, key: str) -> None:
    status, body, _ = await ask(keys, {"X-API-Key": key})
    assert (status, body["type"]) == (401, "urn:platform:problem:key-unknown")
    assert keys.asked == []


async def test_when_nobody_can_be_asked_the_caller_may_try_again(keys: Keys) -> None:
    keys.down = True
    status, body, retry_after = await ask(keys, {"X-API-Key": KEY})
    assert (status, body["type"]) == (503, "urn:platform:problem:keys-unavailable")
    assert retry_after == "2"


async def test_a_key_works_up_to_its_end(keys: Keys) -> None:
    keys.expires_at = NOW + timedelta(microseconds=1)
    assert (await ask(keys, {"X-API-Key": KEY}))[0] == 200
    keys.expires_at = NOW
    status, body, _ = await ask(keys, {"X-API-Key": KEY})
    assert (status, body["type"]) == (401, "urn:platform:problem:key-expired")


@pytest.mark.parametrize(
    ("scopes", "status"),
    [({"read", "process"}, 403), ({"channels"}, 200), ({"admin"}, 200), (set(), 403)],
)
async def test_a_scope_that_is_missing_is_named(
    keys: Keys, scopes: set[Scope], status: int
) -> None:
    keys.scopes = frozenset(scopes)
    found, body, _ = await ask(keys, {"X-API-Key": KEY}, "/channels")
    assert found == status
    if status == 403:
        assert body["type"] == "urn:platform:problem:scope-missing"
        assert "channels" in body["detail"]


async def test_an_address_that_guesses_waits_and_a_right_key_does_not(keys: Keys) -> None:
    for _ in range(3):
        assert (await ask(keys, {"X-API-Key": new_api_key()}))[0] == 401
    status, body, retry_after = await ask(keys, {"X-API-Key": new_api_key()})
    assert (status, body["type"]) == (429, "urn:platform:problem:too-many-failures")
    assert retry_after == "60"
    assert (await ask(keys, {"X-API-Key": KEY}))[0] == 200
    assert (await ask(keys, {}))[0] == 401, "no key is no guess"
