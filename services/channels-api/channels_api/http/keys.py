"""``/api/keys``."""

from datetime import datetime

import structlog
from aiohttp import web
from pydantic import Field

from channels_api.adapters.key_store import KeyStore
from channels_api.domain.keys import ApiKey, may_revoke
from channels_api.handlers.announce import revocation
from channels_api.http.operator import OPERATOR_ONLY, only_operator
from channels_api.http.requests import CreateKey, Tenant
from channels_api.http.shapes import CallerShape, KeyList, NewKeyShape, key_shape
from shared.bus.outbox import Outbox
from shared.clock import Clock
from shared.http.keys import PRINCIPAL, demand
from shared.http.operations import Operation
from shared.http.pages import Query
from shared.http.problem import Problem, json_response, not_found, read_model, read_query
from shared.ids import new_api_key

log = structlog.get_logger()


class KeyQuery(Query):
    """Whose key it is."""

    tenant: Tenant | None = Field(
        default=None, description="Another tenant, for the operator of the house only."
    )


class KeysQuery(KeyQuery):
    """Of the listing of keys."""

    revoked: bool = Field(default=False, description="Those that were revoked too.")


class Keys:
    """Handlers of ``/api/keys``."""

    def __init__(self, store: KeyStore, outbox: Outbox, clock: Clock, operator: str) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._operator = operator

    def operations(self) -> list[Operation]:
        """Every route under ``/api/keys``."""
        return [
            Operation(
                *("POST", "/api/keys", self.create, "admin"),
                answer=NewKeyShape,
                status=201,
                body=CreateKey,
                problems=(OPERATOR_ONLY,),
            ),
            Operation(
                *("GET", "/api/keys", self.list, "admin"),
                answer=KeyList,
                query=KeysQuery,
                problems=(OPERATOR_ONLY,),
            ),
            Operation(*("GET", "/api/caller", self.current, None), answer=CallerShape),
            Operation(
                *("DELETE", "/api/keys/{id}", self.revoke, None),
                answer=None,
                status=204,
                query=KeyQuery,
                problems=((403, "scope-missing"), OPERATOR_ONLY, (409, "last-key")),
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Make an API key. It is shown this once.

        `tenant`: the operator of the house makes another tenant's first one.
        """
        asked = await read_model(request, CreateKey)
        now = self._clock()
        expires_at = asked.ends(now)
        if expires_at is not None and expires_at <= now:
            raise Problem(422, "invalid-request", "expires_at: is over already")
        key = new_api_key()
        added = await self._store.add(
            key,
            tenant=self._tenant(request, asked.tenant),
            label=asked.label,
            scopes=frozenset(asked.scopes),
            expires_at=expires_at,
        )
        log.info("key_created", key_id=added.id, scopes=sorted(added.scopes))
        return json_response(NewKeyShape(**key_shape(added, now), key=key), status=201)

    async def list(self, request: web.Request) -> web.Response:
        """API keys without the keys, oldest first."""
        asked = read_query(request, KeysQuery)
        tenant = self._tenant(request, asked.tenant)
        keys = await self._store.of_tenant(tenant, revoked=asked.revoked)
        now = self._clock()
        return json_response({"keys": [key_shape(key, now) for key in keys]})

    async def current(self, request: web.Request) -> web.Response:
        """The key of this call: whose it is and what it may."""
        caller = request[PRINCIPAL]
        return json_response(
            CallerShape(
                tenant=caller.tenant,
                label=caller.label,
                scopes=sorted(caller.scopes),
                expires_at=caller.expires_at,
            )
        )

    async def revoke(self, request: web.Request) -> web.Response:
        """Revoke an API key: it is refused everywhere within two seconds.

        Without the scope `admin` a key may revoke itself only.
        """
        tenant = self._tenant(request, read_query(request, KeyQuery).tenant)
        key = await self._store.find(tenant, request.match_info["id"])
        if key is None or key.key_hash != request[PRINCIPAL].key_hash:
            demand(request, "admin")
        if key is None:
            raise not_found("key")
        await self._may_go(key, self._clock())
        events = [revocation(key.key_hash, key.tenant)]
        if await self._store.revoke(key, events):
            await self._outbox.flush(key.key_hash, events)
            log.info("key_revoked", key_id=key.id)
        return web.Response(status=204)

    def _tenant(self, request: web.Request, asked: str | None) -> str:
        """Whose keys it is about: another tenant's only for the operator of the house."""
        own = request[PRINCIPAL].tenant
        if asked is None or asked == own:
            return own
        demand(request, "admin")
        only_operator(request, self._operator)
        return asked

    async def _may_go(self, key: ApiKey, now: datetime) -> None:
        if not may_revoke(key, await self._store.of_tenant(key.tenant), now):
            raise Problem(
                409,
                "last-key",
                "This is the last key with the scope admin that does not expire. Create another "
                "one before revoking it.",
            )
