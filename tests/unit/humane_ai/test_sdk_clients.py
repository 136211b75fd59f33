"""What a client is made of: settings, its surface, and who closes what."""

import inspect
from importlib.metadata import version
from typing import Any

import httpx
import pytest

import humane_ai
from humane_ai import AsyncHumaneClient, HumaneClient, InvalidArgumentError
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import API_KEY, Wire

BOTH = pytest.mark.parametrize("kind", [HumaneClient, AsyncHumaneClient])


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUMANE_API_KEY", raising=False)
    monkeypatch.delenv("HUMANE_BASE_URL", raising=False)


@BOTH
def test_a_key_is_needed(kind: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"api_key='hx_\.\.\.' or set HUMANE_API_KEY"):
        kind()


@BOTH
def test_the_environment_stands_in(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMANE_API_KEY", API_KEY)
    assert repr(kind()) == f"{kind.__name__}(base_url='http://127.0.0.1:8080')"
    monkeypatch.setenv("HUMANE_BASE_URL", "https://care.example/")
    assert repr(kind()) == f"{kind.__name__}(base_url='https://care.example')"
    assert repr(kind(base_url="http://other")) == f"{kind.__name__}(base_url='http://other')"


async def test_a_key_with_a_stray_newline_works(call: Caller, wire: Wire) -> None:
    await call(lambda c: c.channels.list(), api_key=f"{API_KEY}\n")
    assert wire.seen[0].headers["x-api-key"] == API_KEY


async def test_a_base_url_with_a_path_keeps_it(call: Caller, wire: Wire) -> None:
    with pytest.raises(humane_ai.NotFoundError):
        await call(lambda c: c.channels.list(), base_url=f"{wire.url}/care/")
    assert wire.seen[0].path == "/care/api/channels"


@BOTH
@pytest.mark.parametrize("key", ["hx_a b", "hx_\u00e9", "hx_a\nb"])
def test_a_key_that_no_header_holds_is_refused_and_not_shown(kind: Any, key: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        kind(api_key=key)
    assert key not in str(caught.value)


@BOTH
@pytest.mark.parametrize(
    "url",
    ["care.example", "ftp://x", "https://", "https://u:p@x", "http://x?a=1", "http://x:port", "/"],
)
def test_an_address_that_is_none_is_refused(kind: Any, url: str) -> None:
    with pytest.raises(InvalidArgumentError, match="base_url"):
        kind(api_key=API_KEY, base_url=url)


@BOTH
@pytest.mark.parametrize("options", [{"timeout_s": 0}, {"max_retries": -1}])
def test_limits_that_make_no_sense_are_refused(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout_s"):
        kind(api_key=API_KEY, **options)


@BOTH
def test_nothing_of_a_client_shows_the_key(kind: Any) -> None:
    client = kind(api_key=API_KEY)
    shown = f"{client!r} {vars(client)!r} {vars(client.channels)!r}"
    assert API_KEY not in shown


async def test_a_client_with_other_patience_shares_the_connections(
    call: Caller, wire: Wire
) -> None:
    def ask(client: Any) -> Any:
        hasty = client.with_options(timeout_s=0.2, max_retries=0)
        assert hasty.base_url == client.base_url == wire.url
        return hasty.process("u", "hi")

    wire.faults.append(wire.silent())
    with pytest.raises(humane_ai.APITimeoutError, match=r"within 0\.2 s"):
        await call(ask)
    assert len(wire.seen) == 1


async def test_a_client_closes_its_connections_and_not_yours(wire: Wire) -> None:
    with httpx.Client() as http:
        HumaneClient(API_KEY, wire.url, http_client=http).close()
        assert not http.is_closed
    async with httpx.AsyncClient() as http_async:
        client = AsyncHumaneClient(API_KEY, wire.url, http_client=http_async)
        assert await client.channels.list() == []
        await client.aclose()
        assert not http_async.is_closed
    own = AsyncHumaneClient(API_KEY, wire.url)
    await own.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await own.channels.list()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HumaneClient, AsyncHumaneClient),
        *(
            (
                type(getattr(HumaneClient(API_KEY), name)),
                type(getattr(AsyncHumaneClient(API_KEY), name)),
            )
            for name in (
                "channels",
                "users",
                "interactions",
                "deliveries",
                "memories",
                "privacy",
                "keys",
            )
        ),
    ],
)
def test_both_clients_have_one_surface(one: type, other: type) -> None:
    def surface(kind: type) -> dict[str, list[tuple[str, Any, Any]]]:
        return {
            name: [
                (p.name, p.kind, p.default) for p in inspect.signature(member).parameters.values()
            ]
            for name, member in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") and name not in ("close", "aclose")
        }

    assert surface(one) == surface(other)


def test_the_version_is_the_distributions() -> None:
    assert humane_ai.__version__ == version("humane-ai")


def test_all_that_is_promised_is_there() -> None:
    assert sorted(humane_ai.__all__) == humane_ai.__all__
    assert all(hasattr(humane_ai, name) for name in humane_ai.__all__)
