"""Webhooks by hand under ``/sim``: raw, batched, forged and repeated ones, and the log of all."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from metasim.fields import BadCommandError, Fields, read_fields
from metasim.inbound import record_all
from metasim.numbers import known_number
from metasim.payloads import encode, envelope, messages_of
from metasim.webhooks import Courier, Delivery, outcome
from metasim.world import Number, World

TIMES_MAX = 10_000


class RawWebhooks:
    """Handlers under ``/sim/webhooks`` and ``/sim/deliveries``."""

    def __init__(self, world: World, courier: Courier, *, escape: bool) -> None:
        self._world = world
        self._courier = courier
        self._escape = escape

    def routes(self) -> list[web.RouteDef]:
        """See README for the JSON of each."""
        return [
            web.post("/sim/webhooks", self.send),
            web.post("/sim/webhooks/redeliver", self.redeliver),
            web.get("/sim/deliveries", self.deliveries),
        ]

    async def send(self, request: web.Request) -> web.Response:
        """Deliver any body; answers after one attempt of each. Only ``retry`` makes it go on.

        A body that the app's own secret signs counts as written by its authors; a forged one
        leaves no trace in conversations. With ``times: 0`` it is only remembered, for a test that
        posts it by itself.
        """
        fields = await read_fields(request)
        number = known_number(self._world, fields)
        body, parsed = self._body(fields, number)
        header = fields.value("signature", "") if "signature" in fields else None
        if header is not None and not isinstance(header, str):
            raise BadCommandError("signature: a string or null is needed")
        sign_with = fields.optional_text("sign_with")
        if header is None and sign_with is None:
            record_all(self._world, number, parsed)
            await self._world.announce()
        wamids = frozenset(
            str(message.get("id")) for _, message in messages_of(parsed, number.phone_number_id)
        )
        made = [
            Delivery(number, body, "raw", wamids, sign_with, header) for _ in range(_times(fields))
        ]
        if fields.flag("retry"):
            return await self._perform(made, self._courier.deliver, fields)
        self._courier.log.extend(made)
        return await self._perform(made, self._courier.attempt, fields)

    async def redeliver(self, request: web.Request) -> web.Response:
        """Send the latest webhook about ``wamid`` again, byte for byte, once each time."""
        fields = await read_fields(request)
        found = self._courier.latest(fields.text("wamid"))
        if found is None:
            raise BadCommandError("no webhook was sent about this wamid", 404)
        again = [
            Delivery(
                found.number,
                found.body,
                found.kind,
                found.wamids,
                overridable=found.overridable,
            )
            for _ in range(_times(fields))
        ]
        self._courier.log.extend(again)
        return await self._perform(again, self._courier.attempt, fields)

    async def deliveries(self, request: web.Request) -> web.Response:
        """The log of webhooks, oldest first; ``?wamid=`` narrows it."""
        wamid = request.query.get("wamid")
        shown = [
            {
                "id": item.id,
                "kind": item.kind,
                "phone_number_id": item.number.phone_number_id,
                "wamids": sorted(item.wamids),
                "state": item.state,
                "attempts": [asdict(attempt) for attempt in item.attempts],
            }
            for item in self._courier.log
            if wamid is None or wamid in item.wamids
        ]
        return web.json_response({"deliveries": shown})

    async def _perform(
        self,
        deliveries: list[Delivery],
        send: Callable[[Delivery], Awaitable[object]],
        fields: Fields,
    ) -> web.Response:
        if fields.flag("concurrent"):
            await asyncio.gather(*(send(delivery) for delivery in deliveries))
        else:
            for delivery in deliveries:
                await send(delivery)
        return web.json_response({"results": [outcome(delivery) for delivery in deliveries]})

    def _body(self, fields: Fields, number: Number) -> tuple[bytes, Any]:
        if ("value" in fields) == ("body" in fields):
            raise BadCommandError("one of value and body is needed")
        if "value" in fields:
            field = fields.optional_text("field") or "messages"
            wrapped = envelope(number, fields.value("value", None), field)
            return encode(wrapped, escape=self._escape), wrapped
        body = fields.value("body", None)
        if isinstance(body, str):
            return body.encode(errors="surrogatepass"), _parsed(body)
        return encode(body, escape=self._escape), body


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _times(fields: Fields) -> int:
    times = fields.integer("times", 1)
    if times > TIMES_MAX:
        raise BadCommandError(f"times: at most {TIMES_MAX}")
    return times
