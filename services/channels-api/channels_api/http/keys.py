"""``/api/keys``."""

import structlog
from aiohttp import web

from channels_api.adapters.key_store import KeyStore
from channels_api.domain.keys import may_revoke
from channels_api.handlers.announce import revocation
from channels_api.http.requests import CreateKey
from channels_api.http.shapes import key_shape
from shared.bus.outbox import Outbox
from shared.http.keys import PRINCIPAL
from shared.http.problem import Problem, json_response, not_found, read_model
from shared.ids import new_api_key

log = structlog.get_logger()


class Keys:
    """Handlers of ``/api/keys``."""

    def __init__(self, store: KeyStore, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    def routes(self) -> list[web.RouteDef]:
        """Every route under ``/api/keys``."""
        return [
            web.post("/api/keys", self.create),
            web.get("/api/keys", self.list),
            web.delete("/api/keys/{id}", self.revoke),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """201 with the key, this once."""
        asked = await read_model(request, CreateKey)
        key = new_api_key()
        added = await self._store.add(key, tenant=request[PRINCIPAL].tenant, label=asked.label)
        log.info("key_created", key_id=added.id)
        return json_response({**key_shape(added), "key": key}, status=201)

    async def list(self, request: web.Request) -> web.Response:
        """Keys that work, oldest first."""
        keys = await self._store.of_tenant(request[PRINCIPAL].tenant)
        return json_response({"keys": [key_shape(key) for key in keys]})

    async def revoke(self, request: web.Request) -> web.Response:
        """Refused everywhere within two seconds. The last key stays, or nobody gets in again."""
        tenant = request[PRINCIPAL].tenant
        key = await self._store.find(tenant, request.match_info["id"])
        if key is None:
            raise not_found("key")
        if not may_revoke(key, await self._store.of_tenant(tenant)):
            raise Problem(
                409, "last-key", "This is the last key. Create another one before revoking it."
            )
        events = [revocation(key.key_hash, tenant)]
        if await self._store.revoke(key, events):
            await self._outbox.flush(key.key_hash, events)
            log.info("key_revoked", key_id=key.id)
        return web.Response(status=204)
