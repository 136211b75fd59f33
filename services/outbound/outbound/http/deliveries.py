"""``GET /api/deliveries``: what became of the replies of an interaction, or which are in a state."""

from typing import Any

from aiohttp import web

from outbound.adapters.delivery_store import DeliveryStore
from outbound.domain.deliveries import Delivery
from outbound.domain.lattice import State
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.pages import cursor_of, limit_of, page_of
from shared.http.problem import Problem, json_response

STATES = tuple(state.value for state in State)


class Deliveries:
    """Handlers of the deliveries API, for the tenant whose key it is."""

    def __init__(self, store: DeliveryStore) -> None:
        self._store = store

    def operations(self) -> list[Operation]:
        """Every route."""
        return [Operation("GET", "/api/deliveries", self.list, "read")]

    async def list(self, request: web.Request) -> web.Response:
        """``?interaction_id=``: the parts of its reply; or ``?state=&limit=&cursor=``."""
        interaction_id, state = request.query.get("interaction_id"), request.query.get("state")
        if interaction_id:
            found = await self._store.of_interaction(request[PRINCIPAL].tenant, interaction_id)
            return json_response({"deliveries": [delivery_shape(delivery) for delivery in found]})
        if state not in STATES:
            detail = f"interaction_id is required, or a state: {', '.join(STATES)}."
            raise Problem(422, "invalid-request", detail)
        return await self._page(request, State(state))

    async def _page(self, request: web.Request, state: State) -> web.Response:
        limit = limit_of(request)
        rows = await self._store.page(
            request[PRINCIPAL].tenant, state, limit=limit + 1, after=cursor_of(request)
        )
        shown, cursor = page_of(rows, limit, lambda delivery: (delivery.created_at, delivery.id))
        found = [delivery_shape(delivery) for delivery in shown]
        return json_response({"deliveries": found, "next_cursor": cursor})


def delivery_shape(delivery: Delivery) -> dict[str, Any]:
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
