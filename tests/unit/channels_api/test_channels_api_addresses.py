"""A caller's URL leads to public addresses only, however it is spelt and whatever it turns into."""

import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from channels_api.adapters.outside import Outside
from channels_api.domain.addresses import Policy, allowed, base_url

DEVELOPMENT = Policy(private=True)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "169.254.170.2",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2002:808:808::1",
        "2001:0:808:808::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "100::1",
    ],
)
def test_what_only_we_could_reach_is_refused(address: str) -> None:
    assert not allowed(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_public_addresses_are_allowed(address: str) -> None:
    assert allowed(ip_address(address))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://care.example", "https"),
        ("ftp://care.example", "https"),
        ("care.example", "https"),
        ("//care.example", "https"),
        ("https://", "no host"),
        ("https://user@care.example", "user and password"),
        ("https://user:word@care.example", "user and password"),
        ("https://@care.example", "user and password"),
        ("https://care.example?x=1", "leave out everything"),
        ("https://care.example/?", "leave out everything"),
        ("https://care.example#x", "leave out everything"),
        ("https://care.example:22", "port 443 or 8443"),
        ("https://care.example:99999", "no address"),
        ("https://care.example\\@10.0.0.1", "characters"),
        ("https://care example", "characters"),
        ("https://care.example\r\nHost:x", "characters"),
        ("https://cäre.example", "characters"),
        ("https://[::1", "no address"),
        ("https://2130706433", "host's name"),
        ("https://0x7f000001", "host's name"),
        ("https://0x7f.1", "host's name"),
        ("https://127.1", "host's name"),
        ("https://0177.0.0.1", "host's name"),
        ("https://127.0.0.1.", "host's name"),
        ("https://" + "a" * 140 + ".example", "longer than"),
    ],
)
def test_what_is_no_address_for_meta_is_said_in_a_sentence(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        base_url(url, Policy())


@pytest.mark.parametrize(
    ("url", "is_read_as"),
    [
        (" https://care.example/ ", "https://care.example"),
        ("https://care.example:8443/api/", "https://care.example:8443/api"),
        ("https://[2606:4700::1111]", "https://[2606:4700::1111]"),
    ],
)
def test_an_address_is_read(url: str, is_read_as: str) -> None:
    assert base_url(url, Policy()) == is_read_as


def test_development_may_use_what_it_has() -> None:
    assert base_url("http://127.0.0.1:8080", DEVELOPMENT) == "http://127.0.0.1:8080"


class Names:
    """A name server of the caller's: each question gets the next answer, the last for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0
            )
            for one in answer.split(",")
        ]

    async def close(self) -> None:
        """Nothing to let go."""


class Inside:
    """Something on a private address that must not be reached."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.port = 0


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    here = Inside()

    async def answer(request: web.Request) -> web.Response:
        here.called.append(request.path)
        if request.path == "/away":
            return web.Response(status=302, headers={"Location": "/secret"})
        return web.Response(text="secret" * 1000)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.port = runner.addresses[0][1]
    yield here
    await runner.cleanup()


@pytest.mark.parametrize("answers", [("127.0.0.1",), ("8.8.8.8,127.0.0.1",), ("::ffff:7f00:1",)])
async def test_a_name_that_leads_inside_is_refused(inside: Inside, answers: tuple[str]) -> None:
    outside = Outside(Policy(), 5.0, Names(*answers))
    outcome = await outside.get(f"http://care.example:{inside.port}/")
    await outside.close()
    assert (outcome.problem, inside.called) == ("refused", [])


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"])
async def test_an_address_in_place_of_a_name_is_refused(inside: Inside, host: str) -> None:
    outside = Outside(Policy(), 5.0, Names("8.8.8.8"))
    assert (await outside.get(f"http://{host}:{inside.port}/")).problem == "refused"
    await outside.close()
    assert inside.called == []


async def test_a_name_that_changes_between_two_questions_gains_nothing(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def planted(_: Outside, found: tuple[Any, ...]) -> socket.socket:
        tried.append(found[4][0])
        raise OSError("planted")

    monkeypatch.setattr(Outside, "_socket", planted)
    names = Names("8.8.8.8", "127.0.0.1")
    outside = Outside(Policy(), 5.0, names)
    url = f"http://care.example:{inside.port}/"
    # One question for each call: the address that was judged is the one that is called.
    assert (await outside.get(url)).problem == "connection"
    assert (names.asked, tried) == (1, ["8.8.8.8"])
    assert (await outside.get(url)).problem == "refused"
    await outside.close()
    assert (tried, inside.called) == (["8.8.8.8"], [])


async def test_the_socket_itself_is_made_for_public_addresses_only(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unchecked(_: object, host: str, port: int = 0, family: int = 0) -> object:
        return await Names("127.0.0.1").resolve(host, port)

    monkeypatch.setattr("channels_api.adapters.outside.CheckedResolver.resolve", unchecked)
    outside = Outside(Policy(), 5.0, Names("8.8.8.8"))
    assert (await outside.get(f"http://care.example:{inside.port}/")).status is None
    await outside.close()
    assert inside.called == []


async def test_a_redirect_is_an_answer_and_is_not_followed(inside: Inside) -> None:
    outside = Outside(DEVELOPMENT, 5.0)
    outcome = await outside.get(f"http://127.0.0.1:{inside.port}/away")
    assert (outcome.status, inside.called) == (302, ["/away"])
    long = await outside.get(f"http://127.0.0.1:{inside.port}/long")
    await outside.close()
    assert len(long.text) <= 1024
