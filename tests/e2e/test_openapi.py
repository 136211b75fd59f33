"""The running product keeps its contract: what the document allows is taken, the rest refused.

schemathesis calls every operation with everything that it can make of the document, valid and not,
in every order that the document allows, and holds each answer against it: all of its checks.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.conftest import with_database
from tests.e2e.product import Product, new_phone, running_product, text_message, webhook
from tests.support.eventually import eventually
from tests.support.mongod import fresh_database_name
from tests.support.rabbit import RabbitNode

EXAMPLES = 25
"""Of an operation in a phase; the coverage phase makes as many as there are boundaries."""
ROOT = Path(__file__).parents[2]
UNHURRIED = {
    **{
        f"{service}_FAILURES_PER_MINUTE": "1000000"
        for service in ("BRAIN", "CHANNELS_API", "INGRESS", "OUTBOUND")
    },
    "CHANNELS_API_CHECKS_PER_MINUTE": "10000",
    # Nothing of Meta's is asked for more than a moment: what is asked is made up.
    "CHANNELS_API_PROBE_TIMEOUT_S": "1",
    "CHANNELS_API_SETUP_WAIT_S": "1",
}
"""One program at one address makes thousands of calls, a good part of them wrong."""


@pytest.fixture
async def own(rabbit: RabbitNode, mongodb_uri: str, tmp_path: Path) -> AsyncIterator[Product]:
    """A product that may be emptied, with limits that nobody reaches."""
    vhost = fresh_database_name()
    await rabbit.create_vhost(vhost)
    uri = with_database(mongodb_uri, fresh_database_name())
    async with running_product(rabbit, rabbit.uri(vhost), uri, tmp_path, UNHURRIED) as running:
        yield running


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """The document where an answer may have no field that it does not name."""
    asked = {
        name
        for methods in document["paths"].values()
        for operation in methods.values()
        for name in names(operation.get("requestBody", {}), document)
    }
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema and name not in asked:
            schema.setdefault("additionalProperties", False)
    return document


def names(node: Any, document: dict[str, Any]) -> Iterator[str]:
    """Schemas that ``node`` refers to, and those that they do."""
    if isinstance(node, list):
        for item in node:
            yield from names(item, document)
    elif isinstance(node, dict):
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            yield name
            yield from names(document["components"]["schemas"].get(name), document)
        for value in node.values():
            yield from names(value, document)


async def person_who_wrote(product: Product) -> str:
    """Somebody who can be answered for a day."""
    channel = await product.connect(auto_reply=False)
    message = text_message(new_phone(), "is anybody there?")
    assert (await product.post_webhook(channel, webhook(channel, message)))[0] == 200

    async def known() -> str | None:
        users = await product.get("/api/users?channel=whatsapp")
        return next((user["id"] for user in users["users"]), None)

    return await eventually(known, timeout_s=20)


@pytest.mark.timeout(300)
async def test_every_operation_keeps_the_contract(own: Product, tmp_path: Path) -> None:
    async with aiohttp.ClientSession(own.base_url) as http:
        async with http.get("/api/docs") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
        async with http.get("/api/openapi.json") as answer:
            document = closed(await answer.json())
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    config = f"""
        [checks.positive_data_acceptance]
        # 409 and 412 depend on what there is, not on what was sent.
        expected-statuses = ["2xx", "401", "403", "404", "409", "412"]

        [[operations]]
        include-path = "/api/users/{{id}}/messages"
        parameters = {{ "path.id" = "{await person_who_wrote(own)}" }}
    """
    (tmp_path / "schemathesis.toml").write_text(config)
    options = {
        "--url": own.base_url,
        "--header": f"X-API-Key: {own.api_key}",
        "--checks": "all",
        "--phases": "examples,coverage,fuzzing,stateful",
        "--max-examples": str(EXAMPLES),
        "--seed": "1",
        "--request-timeout": "20",
    }
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
        *("run", "openapi.json", "--continue-on-failure", "--no-color"),
        *(word for option in options.items() for word in option),
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks",
            "PYTHONPATH": str(ROOT),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await run.communicate())[0].decode()
    assert run.returncode == 0, said
    assert f"Tested: {sum(map(len, document['paths'].values()))}" in said, said
    assert "request_failed" not in own.log_text()


async def test_an_id_of_any_characters_is_found_again(product: Product) -> None:
    person = "a{b}/c?d#e%2F\nf"
    async with product.client() as client:
        await client.process(person, "I am fine, thank you")
        said = await client.get_history(person)
    assert [entry.role for entry in said][:1] == ["user"]
