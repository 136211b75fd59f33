"""``/api/keyring``: which key-encryption keys are needed, and the change to another one."""

from dataclasses import asdict
from typing import Any

import structlog
from aiohttp import web

from channels_api.adapters.keyring_store import KeyringStore
from channels_api.domain.rotation import Rotation
from channels_api.handlers.rewrapping import Rewrapping
from channels_api.http.operator import only_operator
from shared.clock import Clock
from shared.crypto.sealing import Keyring
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.problem import json_response

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

    def operations(self) -> list[Operation]:
        """Every route under ``/api/keyring``."""
        return [
            Operation("GET", "/api/keyring", self.status, "admin"),
            Operation("POST", "/api/keyring/rotation", self.rotate, "admin"),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """Versions that are configured and needed, and how far the rotation is."""
        only_operator(request, self._operator)
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
        only_operator(request, self._operator)
        current, caller = self._keyring.keys.current, request[PRINCIPAL]
        rotation = await self._store.begin(current, caller.label, self._clock())
        self._rewrapping.wake()
        log.info("keyring_rotation", to_version=current, key=caller.key_hash[:12])
        return json_response(rotation_shape(rotation), status=202)


def rotation_shape(rotation: Rotation) -> dict[str, Any]:
    """A rotation as the API shows it."""
    return asdict(rotation)
