"""``/api/keyring``: which key-encryption keys are needed, and the change to another one."""

import structlog
from aiohttp import web

from channels_api.adapters.keyring_store import KeyringStore
from channels_api.domain.rotation import Rotation
from channels_api.handlers.rewrapping import Rewrapping
from channels_api.http.operator import OPERATOR_ONLY, only_operator
from channels_api.http.shapes import KeyringShape
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
            Operation(
                *("GET", "/api/keyring", self.status, "admin"),
                answer=KeyringShape,
                problems=(OPERATOR_ONLY,),
            ),
            Operation(
                *("POST", "/api/keyring/rotation", self.rotate, "admin"),
                answer=Rotation,
                status=202,
                problems=(OPERATOR_ONLY,),
            ),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """Which key-encryption keys there are and are needed, and how far a rotation is."""
        only_operator(request, self._operator)
        needed, rotation = await self._store.versions(), await self._store.rotation()
        versions = {*self._keyring.keys.versions, *needed}
        return json_response(
            KeyringShape(
                current=self._keyring.keys.current,
                versions=[
                    {"version": version, "secrets": needed[version]} for version in sorted(versions)
                ],
                rotation=rotation,
            )
        )

    async def rotate(self, request: web.Request) -> web.Response:
        """Wrap what older keys wrap by the current one.

        202: it goes on by itself; safe to repeat.
        """
        only_operator(request, self._operator)
        current, caller = self._keyring.keys.current, request[PRINCIPAL]
        rotation = await self._store.begin(current, caller.label, self._clock())
        self._rewrapping.wake()
        log.info("keyring_rotation", to_version=current, key=caller.key_hash[:12])
        return json_response(rotation, status=202)
