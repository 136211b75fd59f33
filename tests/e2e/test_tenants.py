"""Promise 8: a tenant sees its own data only; and a key goes no further than its scopes.

Every operation of every public API is called, as it is declared: one without a case here fails.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

import brain.http
import channels_api.http
import outbound.http
from devstack.openapi import sections
from shared.http.operations import Operation, declared_by
from shared.principal import SCOPES, Scope
from tests.e2e.product import Channel, Product, new_phone, text_message, webhook
from tests.e2e.test_promises import interactions_known
from tests.support.eventually import eventually

TEXT = "the planted words of the first tenant, I want to kill myself"
APIS: tuple[ModuleType, ...] = (brain.http, channels_api.http, outbound.http)


def declared() -> dict[tuple[str, str], Operation]:
    """Every operation that needs a key, by method and path."""
    found = {}
    for package in APIS:
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            for item in vars(module).values():
                if isinstance(item, type) and item.__module__ == info.name:
                    declares = "operations" in vars(item)
                    for operation in declared_by(item) if declares else ():
                        found[operation.method, operation.path] = operation
    return {name: operation for name, operation in found.items() if not operation.keyless}


@dataclass
class Planted:
    """What the first tenant has."""

    channel: Channel
    phone: str
    user: str
    interaction: str
    key: str

    def secrets(self) -> set[str]:
        """What nobody else may be shown."""
        return {
            *(self.channel.id, self.phone, self.user, self.interaction, self.key, TEXT),
            self.channel.phone_number_id,
        }


@dataclass(frozen=True)
class Case:
    """How an operation is called with the first tenant's ids."""

    path: str
    body: Any = None
    own: bool = False
    """It makes or lists what is the caller's own: an answer, but nothing of the first tenant in it."""


CREATE = {
    "phone_number_id": "5550007777",
    "access_token": "EAA" + "q" * 40,
    "app_secret": "rival-app-secret-0123456789",
}
OF_CHANNEL = "/api/channels/{channel}"
OF_USER = "/api/users/{user}"
CASES: Mapping[tuple[str, str], Case] = {
    ("POST", "/api/channels"): Case("/api/channels", CREATE, own=True),
    ("GET", "/api/channels"): Case("/api/channels", own=True),
    ("GET", "/api/channels/{id}"): Case(OF_CHANNEL),
    ("PATCH", "/api/channels/{id}"): Case(OF_CHANNEL, {"label": "taken"}),
    ("DELETE", "/api/channels/{id}"): Case(OF_CHANNEL),
    ("GET", "/api/channels/{id}/activity"): Case(f"{OF_CHANNEL}/activity"),
    ("GET", "/api/channels/{id}/audit"): Case(f"{OF_CHANNEL}/audit"),
    ("POST", "/api/channels/{id}/check"): Case(f"{OF_CHANNEL}/check"),
    ("POST", "/api/channels/{id}/setup"): Case(
        f"{OF_CHANNEL}/setup", {"public_base_url": "https://example.com"}
    ),
    ("POST", "/api/keys"): Case("/api/keys", {"label": "rival's", "scopes": ["read"]}, own=True),
    ("GET", "/api/keys"): Case("/api/keys", own=True),
    ("DELETE", "/api/keys/{id}"): Case("/api/keys/{key}"),
    ("GET", "/api/keyring"): Case("/api/keyring"),
    ("POST", "/api/keyring/rotation"): Case("/api/keyring/rotation"),
    ("POST", "/api/sdk/process"): Case(
        "/api/sdk/process", {"user_id": "somebody", "message": "hello"}, own=True
    ),
    ("POST", "/api/sdk/process/stream"): Case(
        "/api/sdk/process/stream", {"user_id": "somebody", "message": "hello"}, own=True
    ),
    ("GET", "/api/sdk/history/{user_id}"): Case("/api/sdk/history/{user}", own=True),
    ("DELETE", "/api/sdk/history/{user_id}"): Case("/api/sdk/history/{user}", own=True),
    ("GET", "/api/users"): Case("/api/users", own=True),
    ("GET", "/api/users/{id}"): Case(OF_USER),
    ("PATCH", "/api/users/{id}"): Case(OF_USER, {"auto_reply": "paused"}),
    ("GET", "/api/users/{id}/interactions"): Case(f"{OF_USER}/interactions"),
    ("GET", "/api/users/{id}/memories"): Case(f"{OF_USER}/memories?q=planted"),
    ("GET", "/api/users/{id}/messages"): Case(f"{OF_USER}/messages"),
    ("POST", "/api/users/{id}/messages"): Case(f"{OF_USER}/messages", {"text": "hi"}),
    ("GET", "/api/interactions"): Case("/api/interactions", own=True),
    ("GET", "/api/interactions/{id}"): Case("/api/interactions/{interaction}"),
    ("GET", "/api/interactions/{id}/media"): Case("/api/interactions/{interaction}/media"),
    ("GET", "/api/privacy/export/{user_id}"): Case("/api/privacy/export/{user}"),
    ("DELETE", "/api/privacy/erase/{user_id}"): Case("/api/privacy/erase/{user}"),
    ("GET", "/api/alerts"): Case("/api/alerts?state=all", own=True),
    ("GET", "/api/alerts/{id}"): Case("/api/alerts/{interaction}"),
    ("PATCH", "/api/alerts/{id}"): Case("/api/alerts/{interaction}", {"acknowledged": True}),
    ("GET", "/api/overview"): Case("/api/overview", own=True),
    ("GET", "/api/caller"): Case("/api/caller", own=True),
    ("GET", "/api/audit"): Case("/api/audit", own=True),
    ("GET", "/api/deliveries"): Case("/api/deliveries?interaction_id={interaction}", own=True),
}
OPERATORS = {("GET", "/api/keyring"), ("POST", "/api/keyring/rotation")}


def test_every_operation_has_a_case_and_stands_in_the_document() -> None:
    assert declared().keys() == CASES.keys()
    documented = {(each.method, each.path) for section in sections() for each in section.operations}
    assert declared().keys() <= documented


@pytest.fixture(scope="module")
async def planted(product: Product) -> Planted:
    """A person who wrote to the first tenant, and was answered."""
    channel = await product.connect()
    phone = new_phone()
    status, _ = await product.post_webhook(channel, webhook(channel, text_message(phone, TEXT)))
    assert status == 200
    (interaction,) = await eventually(lambda: interactions_known(product, phone))
    user = await product.get(f"/api/users/{phone}")
    async with product.client() as client:
        key = await client.keys.create("the first tenant's")
    return Planted(channel, phone, user["id"], interaction["id"], key.id)


def filled(planted: Planted, value: Any) -> Any:
    """``value`` with the first tenant's ids in it."""
    if isinstance(value, dict):
        return {name: filled(planted, part) for name, part in value.items()}
    if not isinstance(value, str):
        return value
    return value.format(
        channel=planted.channel.id,
        phone=planted.phone,
        user=planted.user,
        interaction=planted.interaction,
        key=planted.key,
    )


async def called(
    product: Product, planted: Planted, operation: tuple[str, str], key: str
) -> tuple[int, str]:
    """Status and text of the answer to its case."""
    case = CASES[operation]
    async with product.http.request(
        operation[0],
        product.base_url + filled(planted, case.path),
        json=filled(planted, case.body),
        headers={"X-API-Key": key},
    ) as answer:
        return answer.status, await answer.text()


async def seen_by_its_owner(product: Product, planted: Planted) -> list[Any]:
    """What must be the same before and after somebody else's calls."""
    return [
        await product.get(path)
        for path in (
            f"/api/channels/{planted.channel.id}",
            f"/api/users/{planted.user}/interactions",
            f"/api/users/{planted.user}/memories",
            f"/api/users/{planted.user}/messages",
            f"/api/interactions/{planted.interaction}",
            f"/api/sdk/history/{planted.phone}",
        )
    ]


@pytest.mark.timeout(120)
async def test_a_tenant_sees_its_own_data_only(product: Product, planted: Planted) -> None:
    async with product.client() as client:
        rival = await client.keys.create("rival", scopes=["admin"], tenant="rival")
    assert rival.key is not None
    product.planted |= {rival.key, CREATE["access_token"], CREATE["app_secret"]}

    async def settled() -> bool:
        found = await product.get(f"/api/interactions/{planted.interaction}")
        return bool(found["reply"]["deliveries"])

    await eventually(settled)
    before = await seen_by_its_owner(product, planted)
    for operation, case in CASES.items():
        status, text = await called(product, planted, operation, rival.key)
        # What the caller itself sent may come back; nothing else of the first tenant's.
        sent = f"{filled(planted, case.path)} {filled(planted, case.body)}"
        shown = {secret for secret in planted.secrets() if secret in text and secret not in sent}
        assert shown == set(), (operation, text)
        if operation in OPERATORS:
            assert status == 403, operation
        elif case.own:
            assert 200 <= status < 300, (operation, text)
        else:
            assert status == 404, (operation, text)
    assert await seen_by_its_owner(product, planted) == before


@pytest.mark.timeout(180)
async def test_a_key_goes_no_further_than_its_scopes(product: Product, planted: Planted) -> None:
    keys: dict[frozenset[Scope], str] = {}
    async with product.client() as client:
        narrow: list[set[Scope]] = [{scope} for scope in SCOPES]
        narrow += [set(SCOPES) - {"admin", scope} for scope in SCOPES]
        for scopes in narrow:
            made = await client.keys.create("narrow", scopes=sorted(scopes), tenant="narrow")
            assert made.key is not None
            keys[frozenset(scopes)] = made.key
    product.planted |= set(keys.values())
    for operation, declaration in declared().items():
        for allowing, key in keys.items():
            status, text = await called(product, planted, operation, key)
            allowed = declaration.scope in allowing or "admin" in allowing
            if operation == ("DELETE", "/api/keys/{id}"):
                # A key may revoke itself; this is another's.
                allowed = "admin" in allowing
            elif declaration.scope is None:
                allowed = True
            refused = '"urn:platform:problem:scope-missing"' in text
            assert refused is not allowed, (operation, allowing, status, text)
            if refused:
                assert status == 403
