"""``/api/keyring``: which key-encryption keys are needed, and the change to another one."""

from dataclasses import asdict
from typing import Any

import structlog
from aiohttp import web

from channels_api.adapters.keyring_store import KeyringStore
from channels_api.domain.rotation import Rotation
from channels_api.handlers.rewrapping import Rewrapping
from shared.clock import Clock
from shared.crypto.sealing import Keyring
from shared.http.keys import PRINCIPAL, demand
from shared.http.problem import Problem, json_response

log = structlog.get_logger()


class KeyringApi:
    """Handlers of ``/api/keyring``, for the operator of the house: the first key's tenant."""

    def __init__(
        self,
        store: KeyringStore,
        keyring: Keyring,
        rewrapping: Rewrapping,
        clock: Clock,
        operator: str,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._rewrapping = rewrapping
        self._clock = clock
        self._operator = operator

    def routes(self) -> list[web.RouteDef]:
        """Every route under ``/api/keyring``."""
        return [
            web.get("/api/keyring", self.status),
            web.post("/api/keyring/rotation", self.rotate),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """Versions that are configured and needed, and how far the rotation is."""
        self._operators_only(request)
        needed, rotation = await self._store.versions(), await self._store.rotation()
        versions = {*self._keyring.keys.versions, *needed}
        return json_response(
            {
                "current": self._keyring.keys.current,
                "versions": [
                    {"version": version, "secrets": needed[version]} for version in sorted(versions)
                ],
                "rotation": None if rotation is None else rotation_shape(rotation),
            }
        )

    async def rotate(self, request: web.Request) -> web.Response:
        """202: what older versions wrap is wrapped by the current one from now on. Harmless twice."""
        self._operators_only(request)
        current, caller = self._keyring.keys.current, request[PRINCIPAL]
        rotation = await self._store.begin(current, caller.label, self._clock())
        self._rewrapping.wake()
        log.info("keyring_rotation", to_version=current, key=caller.key_hash[:12])
        return json_response(rotation_shape(rotation), status=202)

    def _operators_only(self, request: web.Request) -> None:
        demand(request, "admin")
        if request[PRINCIPAL].tenant != self._operator:
            raise Problem(
                403, "operator-only", "Only the operator's own tenant may see to the key ring."
            )


def rotation_shape(rotation: Rotation) -> dict[str, Any]:
    """A rotation as the API shows it."""
    return asdict(rotation)
