"""``GET /api/deliveries``: what became of the replies of an interaction, or which are in a state."""

from datetime import datetime
from typing import Any, NotRequired

from aiohttp import web
from pydantic import Field, with_config
from typing_extensions import TypedDict

from outbound.adapters.delivery_store import DeliveryStore
from outbound.domain.deliveries import Delivery
from outbound.domain.lattice import State
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.pages import PageQuery, page_of
from shared.http.problem import json_response, read_query

described = with_config(use_attribute_docstrings=True)


class DeliveriesQuery(PageQuery):
    """Which deliveries: those of an interaction, or those in a state, or all."""

    interaction_id: str | None = Field(
        default=None,
        description="The parts of its reply, all of them and in order; several ids by commas.",
    )
    state: State | None = Field(default=None, description="Only those that stand there.")


# ``class`` is a word of Python.
DeliveryError = TypedDict(
    "DeliveryError",
    {"class": str, "code": int | None, "detail": str, "fbtrace_id": str | None},
)


class StepShape(TypedDict):
    """A state, and since when."""

    state: str
    at: datetime


@described
class DeliveryShape(TypedDict):
    """One text, or one part of it, on its way to a person."""

    id: str
    interaction_id: str
    channel_id: str
    state: str
    """`unknown`: Meta's answer was lost, so that it may be there."""
    waiting: str | None
    """Why a queued one is not sent now: pace, slot, turn, retry, throttle or channel."""
    attempts: int
    next_attempt_at: datetime | None
    wamid: str | None
    """Meta's id of the message."""
    resent: bool
    """Sent again without knowing what became of the first time."""
    error: DeliveryError | None
    """The last thing that went wrong."""
    author: str
    """`assistant`, or `operator`: a human."""
    text: str
    template: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    history: list[StepShape]


@described
class DeliveryPage(TypedDict):
    """Deliveries."""

    deliveries: list[DeliveryShape]
    next_cursor: NotRequired[str | None]
    """Absent for an interaction: its parts come all at once."""


class Deliveries:
    """Handlers of the deliveries API, for the tenant whose key it is."""

    def __init__(self, store: DeliveryStore) -> None:
        self._store = store

    def operations(self) -> list[Operation]:
        """Every route."""
        return [
            Operation(
                *("GET", "/api/deliveries", self.list, "read"),
                answer=DeliveryPage,
                query=DeliveriesQuery,
            )
        ]

    async def list(self, request: web.Request) -> web.Response:
        """What became of what was said, newest first; of an interaction's reply, in order."""
        asked, tenant = read_query(request, DeliveriesQuery), request[PRINCIPAL].tenant
        if asked.interaction_id is not None:
            found = await self._store.of_interactions(tenant, asked.interaction_id.split(","))
            return json_response({"deliveries": [delivery_shape(delivery) for delivery in found]})
        rows = await self._store.page(
            tenant, asked.state, limit=asked.limit + 1, after=asked.cursor
        )
        shown, cursor = page_of(
            rows, asked.limit, lambda delivery: (delivery.created_at, delivery.id)
        )
        return json_response(
            {"deliveries": [delivery_shape(delivery) for delivery in shown], "next_cursor": cursor}
        )


def delivery_shape(delivery: Delivery) -> DeliveryShape:
    """The public form of a delivery. The text is the tenant's own; the address is left out."""
    error = delivery.error
    return {
        "id": delivery.id,
        "interaction_id": delivery.interaction_id,
        "channel_id": delivery.channel_id,
        "state": delivery.state.value,
        "waiting": delivery.waiting.value if delivery.waiting else None,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.next_attempt_at,
        "wamid": delivery.wamid,
        "resent": delivery.resent,
        "error": None
        if error is None
        else {
            "class": error.kind,
            "code": error.code,
            "detail": error.detail,
            "fbtrace_id": error.fbtrace_id,
        },
        "author": delivery.author,
        "text": delivery.text,
        "template": delivery.template,
        "created_at": delivery.created_at,
        "updated_at": delivery.updated_at,
        "history": [{"state": step.state.value, "at": step.at} for step in delivery.history],
    }
