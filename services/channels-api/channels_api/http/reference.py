"""``GET /api/openapi.json`` and ``GET /api/docs``: the contract, for programs and for people."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from channels_api.http.page import page, policy_of
from shared.http.operations import Operation

FILE = Path(__file__).with_name("openapi.json")
FRESH = "public, max-age=300"


class Reference:
    """Handlers of the contract; the document is made by ``make contracts``."""

    def __init__(self) -> None:
        self._document = FILE.read_bytes()
        self._page = page(json.loads(self._document))

    def operations(self) -> list[Operation]:
        """Both routes."""
        return [
            Operation(
                *("GET", "/api/openapi.json", self.openapi, None),
                answer=dict[str, Any],
                keyless=True,
            ),
            Operation(
                *("GET", "/api/docs", self.docs, None),
                answer=str,
                media_type="text/html",
                keyless=True,
            ),
        ]

    async def openapi(self, _: web.Request) -> web.Response:
        """The contract for programs: this document."""
        return web.Response(
            body=self._document,
            content_type="application/json",
            headers={"Cache-Control": FRESH, "X-Content-Type-Options": "nosniff"},
        )

    async def docs(self, _: web.Request) -> web.Response:
        """The contract for people: a page made from this document."""
        return web.Response(
            text=self._page,
            content_type="text/html",
            headers={
                "Cache-Control": FRESH,
                "Content-Security-Policy": policy_of(self._page),
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
            },
        )
