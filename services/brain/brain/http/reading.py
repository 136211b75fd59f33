"""``/api/users`` and ``/api/interactions``: what is known, for the tenant whose key it is."""

from aiohttp import web

from brain.adapters.interaction_store import InteractionFilter, InteractionStore
from brain.adapters.memory_store import MemoryStore
from brain.adapters.user_store import EndUser, UserStore
from brain.domain.memory import Embedder
from brain.domain.state import decay
from brain.http.shapes import interaction_shape, user_shape
from shared.clock import Clock
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.pages import cursor_of, limit_of, page_of
from shared.http.problem import Problem, json_response, not_found

ACTIONS = ("PROCEED", "HOLD", "BLOCK")


class Reading:
    """Handlers of the read API."""

    def __init__(
        self,
        users: UserStore,
        interactions: InteractionStore,
        memories: MemoryStore,
        clock: Clock,
        embedder: Embedder | None,
    ) -> None:
        self._users = users
        self._interactions = interactions
        self._memories = memories
        self._clock = clock
        self._embedder = embedder

    def operations(self) -> list[Operation]:
        """Every route of the read API."""
        return [
            Operation("GET", "/api/users", self.list_users, "read"),
            Operation("GET", "/api/users/{id}", self.get_user, "read"),
            Operation("GET", "/api/users/{id}/interactions", self.list_user_interactions, "read"),
            Operation("GET", "/api/users/{id}/memories", self.list_memories, "read"),
            Operation("GET", "/api/interactions", self.list_interactions, "read"),
            Operation("GET", "/api/interactions/{id}", self.get_interaction, "read"),
        ]

    async def list_users(self, request: web.Request) -> web.Response:
        """``?channel=&limit=&cursor=``, last seen first."""
        limit = limit_of(request)
        rows = await self._users.page(
            request[PRINCIPAL].tenant,
            channel=request.query.get("channel"),
            limit=limit + 1,
            after=cursor_of(request),
        )
        shown, cursor = page_of(rows, limit, lambda user: (user.last_seen, user.id))
        users = [self._shape(user) for user in shown]
        return json_response({"users": users, "next_cursor": cursor})

    def _shape(self, user: EndUser) -> dict[str, object]:
        return user_shape(user, decay(user.state, self._clock()))

    async def _user(self, request: web.Request) -> EndUser:
        user = await self._users.named(request[PRINCIPAL].tenant, request.match_info["id"])
        if user is None:
            raise not_found("user")
        return user

    async def get_user(self, request: web.Request) -> web.Response:
        """One person, state decayed to now."""
        return json_response(self._shape(await self._user(request)))

    async def list_user_interactions(self, request: web.Request) -> web.Response:
        """Newest first."""
        user = await self._user(request)
        return await self._interaction_page(request, user_id=user.id)

    async def list_interactions(self, request: web.Request) -> web.Response:
        """``?channel=&action=&limit=&cursor=``, newest first."""
        return await self._interaction_page(request, user_id=None)

    async def _interaction_page(self, request: web.Request, *, user_id: str | None) -> web.Response:
        action = request.query.get("action")
        if action is not None and action not in ACTIONS:
            raise Problem(422, "invalid-request", f"action is one of {', '.join(ACTIONS)}.")
        limit = limit_of(request)
        rows = await self._interactions.page(
            request[PRINCIPAL].tenant,
            InteractionFilter(user_id=user_id, channel=request.query.get("channel"), action=action),
            limit=limit + 1,
            after=cursor_of(request),
        )
        shown, cursor = page_of(rows, limit, lambda row: (row["at"], row["_id"]))
        interactions = [interaction_shape(row) for row in shown]
        return json_response({"interactions": interactions, "next_cursor": cursor})

    async def get_interaction(self, request: web.Request) -> web.Response:
        """One interaction."""
        found = await self._interactions.get(request[PRINCIPAL].tenant, request.match_info["id"])
        if found is None:
            raise not_found("interaction")
        return json_response(interaction_shape(found))

    async def list_memories(self, request: web.Request) -> web.Response:
        """``?q=`` recalls as the pipeline would; without it, the newest first."""
        user = await self._user(request)
        limit = limit_of(request, default=20)
        query = request.query.get("q", "").strip()
        archive = await self._memories.archive(user.tenant, user.id)
        if query:
            hits = archive.recall(query, self._clock(), embedder=self._embedder, limit=limit)
            found = [
                {"id": h.id, "text": h.text, "similarity": h.similarity, "timestamp": h.created_at}
                for h in hits
            ]
        else:
            found = [
                {"id": m.id, "text": m.text, "timestamp": m.created_at}
                for m in reversed(archive.memories[-limit:])
            ]
        total = await self._memories.count(user.tenant, user.id)
        return json_response({"memories": found, "total_stored": total})
