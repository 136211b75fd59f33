"""The OpenAPI document is what the code declares, and what the edges answer is all in it."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from openapi_spec_validator import validate

from channels_api.http.page import page, policy_of
from devstack import openapi
from devstack.gateway import ROUTES
from shared.contracts.problems import PROBLEMS

DOCUMENT: dict[str, Any] = json.loads(openapi.FILE.read_text(encoding="utf-8"))
CALLS = [
    (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
INTERNAL = {"service-token", "wrong-caller", "bad-request", "no-route", "method-not-allowed"}
"""Of internal ports, and of what is no operation."""


def test_the_file_is_current() -> None:
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.text(), "run `make contracts`"


def test_it_is_openapi() -> None:
    validate(DOCUMENT)
    names = [operation["operationId"] for _, _, operation in CALLS]
    assert len(set(names)) == len(names)


def test_every_error_belongs_to_an_operation() -> None:
    named = {slug for name in DOCUMENT["components"]["responses"] for slug in name.split(".")[1:]}
    assert named == PROBLEMS.keys() - INTERNAL
    for name in DOCUMENT["components"]["responses"]:
        status, *slugs = name.split(".")
        assert all(int(status) in PROBLEMS[slug].statuses for slug in slugs), name


@pytest.mark.parametrize(("method", "path", "operation"), CALLS)
def test_an_operation_tells_what_a_caller_needs(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert "``" not in json.dumps(operation)
    for parameter in operation["parameters"]:
        # Meta's own names say what they are.
        assert parameter["description"] or parameter["name"].startswith("hub."), parameter["name"]
    if operation.get("security") != []:
        assert {"401", "429", "503"} <= operation["responses"].keys()
    assert any(path.startswith(prefix) for prefix, _ in ROUTES)


class Page(HTMLParser):
    """Anchors, and where links go."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect."""
        given = dict(attrs)
        self.tags.add(tag)
        self.ids |= {given["id"]} if given.get("id") else set()
        self.links |= {given["href"]} if given.get("href") else set()


def test_the_page_has_every_operation_and_no_dead_link() -> None:
    html = page(DOCUMENT)
    found = Page()
    found.feed(html)
    assert {operation["operationId"] for _, _, operation in CALLS} <= found.ids
    assert DOCUMENT["components"]["schemas"].keys() <= found.ids
    inner = {link.removeprefix("#") for link in found.links if link.startswith("#")}
    assert inner <= found.ids
    assert not {link for link in found.links if "//" in link}, "it needs nothing from elsewhere"
    assert not {"script", "img", "link", "iframe"} & found.tags
    assert 'style="' not in html
    assert "sha256-" in policy_of(html)
