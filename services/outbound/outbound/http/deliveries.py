"""``GET /api/deliveries``: what became of the replies of an interaction."""

from typing import Any

from aiohttp import web

from outbound.adapters.delivery_store import DeliveryStore
from outbound.domain.deliveries import Delivery
from shared.http.keys import PRINCIPAL
from shared.http.problem import Problem, json_response


class Deliveries:
    """Handlers of the deliveries API, for the tenant whose key it is."""

    def __init__(self, store: DeliveryStore) -> None:
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [web.get("/api/deliveries", self.of_interaction)]

    async def of_interaction(self, request: web.Request) -> web.Response:
        """``?interaction_id=``, the parts of its reply; none for an unknown one."""
        interaction_id = request.query.get("interaction_id")
        if not interaction_id:
            raise Problem(422, "invalid-request", "interaction_id is required.")
        found = await self._store.of_interaction(request[PRINCIPAL].tenant, interaction_id)
        return json_response({"deliveries": [delivery_shape(delivery) for delivery in found]})


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
        "text": delivery.text,
        "created_at": delivery.created_at,
        "updated_at": delivery.updated_at,
        "history": [{"state": step.state.value, "at": step.at} for step in delivery.history],
    }
