"""The rest of the control side: status callbacks, the log of Graph calls, faults, reset."""

from dataclasses import asdict

from aiohttp import web

from metasim.config import StatusStep
from metasim.events import log_event
from metasim.faults import Faults, Rule
from metasim.fields import BadCommandError, Fields, read_fields
from metasim.tasks import Background
from metasim.webhooks import Courier
from metasim.world import World


class Control:
    """Handlers under ``/sim`` that concern the simulator itself."""

    def __init__(
        self, world: World, courier: Courier, faults: Faults, background: Background
    ) -> None:
        self._world = world
        self._courier = courier
        self._faults = faults
        self._background = background

    def routes(self) -> list[web.RouteDef]:
        """See README for the JSON of each."""
        return [
            web.put("/sim/statuses", self.set_statuses),
            web.get("/sim/requests", self.calls),
            web.delete("/sim/requests", self.forget_calls),
            web.post("/sim/faults", self.add_fault),
            web.get("/sim/faults", self.list_faults),
            web.delete("/sim/faults", self.clear_faults),
            web.post("/sim/reset", self.reset),
        ]

    async def set_statuses(self, request: web.Request) -> web.Response:
        """Choose the callbacks of messages accepted from now on, until reset."""
        steps = (await read_fields(request)).value("steps", None)
        if not isinstance(steps, list):
            raise BadCommandError("steps: a list is needed")
        self._world.statuses = tuple(_step(Fields(item)) for item in steps)
        return web.json_response({"steps": [asdict(step) for step in self._world.statuses]})

    async def calls(self, _request: web.Request) -> web.Response:
        """Every Graph call, oldest first."""
        shown = [
            {
                "method": call.method,
                "path": call.path,
                "query": call.query,
                "body": call.body,
                "bearer": call.bearer,
                "at": call.at,
                "outcome": {
                    "status": call.status,
                    "code": call.code,
                    "answered": call.answered,
                    "fault": call.fault,
                    "wamid": call.wamid,
                },
            }
            for call in self._world.calls
        ]
        return web.json_response({"requests": shown})

    async def forget_calls(self, _request: web.Request) -> web.Response:
        """Empty the log of calls."""
        self._world.calls.clear()
        return web.Response(status=204)

    async def add_fault(self, request: web.Request) -> web.Response:
        """Set a fault; it stands until it was used ``times`` times."""
        rule = Rule.of(await read_fields(request))
        self._faults.rules.append(rule)
        log_event("fault_set", fault_id=rule.id, type=rule.action.type)
        return web.json_response(asdict(rule), status=201)

    async def list_faults(self, _request: web.Request) -> web.Response:
        """The faults that still stand."""
        return web.json_response({"faults": [asdict(rule) for rule in self._faults.rules]})

    async def clear_faults(self, _request: web.Request) -> web.Response:
        """Remove every fault."""
        self._faults.rules.clear()
        return web.Response(status=204)

    async def reset(self, _request: web.Request) -> web.Response:
        """Forget everything and stop what is still being delivered."""
        await self._background.cancel()
        self._world.reset()
        self._faults.rules.clear()
        self._courier.log.clear()
        await self._world.announce()
        log_event("world_reset")
        return web.Response(status=204)


def _step(fields: Fields) -> StatusStep:
    try:
        return StatusStep(
            status=fields.text("status"),
            delay_ms=fields.number("delay_ms", 0.0),
            code=fields.integer("code", 131026),
        )
    except ValueError as error:
        raise BadCommandError(str(error)) from None
