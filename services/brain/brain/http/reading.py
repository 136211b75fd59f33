"""``/api/users`` and ``/api/interactions``: what is known, for the tenant whose key it is."""

from typing import Literal

from aiohttp import web
from pydantic import Field

from brain.adapters.interaction_store import InteractionFilter, InteractionStore
from brain.adapters.memory_store import MemoryStore
from brain.adapters.user_store import EndUser, UserFilter, UserStore
from brain.domain.memory import Embedder
from brain.domain.state import decay
from brain.http.shapes import (
    InteractionPage,
    InteractionShape,
    MemoriesShape,
    MemoryShape,
    UserPage,
    UserShape,
    interaction_shape,
    memory_shape,
    user_shape,
)
from shared.clock import Clock
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.pages import LARGEST_LIMIT, Moment, PageQuery, Query, page_of
from shared.http.problem import json_response, not_found, read_query

MOODS = {"low": (0.0, 0.35), "even": (0.35, 0.65), "good": (0.65, 1.0)}
"""Lowest and highest; .35 is where the client library says "frustrated"."""


class UsersQuery(PageQuery):
    """Of a listing of people."""

    channel: str | None = Field(default=None, description="Only those who were met there.")
    q: str = Field(
        default="",
        max_length=200,
        description="Only those of whose names, numbers or ids a word begins so; any case.",
    )
    action: Literal["PROCEED", "HOLD", "BLOCK"] | None = Field(
        default=None, description="Only those whose last message has that verdict."
    )
    mood: Literal["low", "even", "good"] | None = Field(
        default=None,
        description="Mood after the last message: low is below .35, good above .65.",
    )
    seen_since: Moment | None = Field(default=None, description="Only those who wrote since then.")

    def wanted(self) -> UserFilter:
        """What it asks for."""
        return UserFilter(
            channel=self.channel,
            action=self.action,
            mood=MOODS[self.mood] if self.mood else None,
            words=tuple(word.lstrip("@+") for word in self.q.casefold().split()),
            seen_since=self.seen_since,
        )


class InteractionsQuery(PageQuery):
    """Of a listing of interactions."""

    channel: str | None = Field(default=None, description="Only those of that channel.")
    channel_id: str | None = Field(default=None, description="Only those of that number.")
    action: Literal["PROCEED", "HOLD", "BLOCK"] | None = Field(
        default=None, description="Only those with that verdict of the safety check."
    )


class MemoriesQuery(Query):
    """Of what is remembered of a person."""

    q: str = Field(default="", description="Recall as the pipeline would for such a message.")
    limit: int = Field(default=20, ge=1, le=LARGEST_LIMIT, description="Memories at most.")


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
            Operation(
                *("GET", "/api/users", self.list_users, "read"), answer=UserPage, query=UsersQuery
            ),
            Operation(*("GET", "/api/users/{id}", self.get_user, "read"), answer=UserShape),
            Operation(
                *("GET", "/api/users/{id}/interactions", self.list_user_interactions, "read"),
                answer=InteractionPage,
                query=InteractionsQuery,
            ),
            Operation(
                *("GET", "/api/users/{id}/memories", self.list_memories, "read"),
                answer=MemoriesShape,
                query=MemoriesQuery,
            ),
            Operation(
                *("GET", "/api/interactions", self.list_interactions, "read"),
                answer=InteractionPage,
                query=InteractionsQuery,
            ),
            Operation(
                *("GET", "/api/interactions/{id}", self.get_interaction, "read"),
                answer=InteractionShape,
            ),
        ]

    async def list_users(self, request: web.Request) -> web.Response:
        """People, last seen first."""
        asked = read_query(request, UsersQuery)
        rows = await self._users.page(
            request[PRINCIPAL].tenant,
            asked.wanted(),
            limit=asked.limit + 1,
            after=asked.cursor,
        )
        shown, cursor = page_of(rows, asked.limit, lambda user: (user.last_seen, user.id))
        users = [self._shape(user) for user in shown]
        return json_response({"users": users, "next_cursor": cursor})

    def _shape(self, user: EndUser) -> UserShape:
        return user_shape(user, decay(user.state, self._clock()))

    async def _user(self, request: web.Request) -> EndUser:
        user = await self._users.named(request[PRINCIPAL].tenant, request.match_info["id"])
        if user is None:
            raise not_found("user")
        return user

    async def get_user(self, request: web.Request) -> web.Response:
        """One person, with their state at this moment.

        By our id, or by your own.
        """
        return json_response(self._shape(await self._user(request)))

    async def list_user_interactions(self, request: web.Request) -> web.Response:
        """A person's messages and how they were understood and answered, newest first."""
        user = await self._user(request)
        return await self._interaction_page(request, user_id=user.id)

    async def list_interactions(self, request: web.Request) -> web.Response:
        """Messages and how they were understood and answered, newest first."""
        return await self._interaction_page(request, user_id=None)

    async def _interaction_page(self, request: web.Request, *, user_id: str | None) -> web.Response:
        asked = read_query(request, InteractionsQuery)
        rows = await self._interactions.page(
            request[PRINCIPAL].tenant,
            InteractionFilter(
                user_id=user_id,
                channel=asked.channel,
                channel_id=asked.channel_id,
                action=asked.action,
            ),
            limit=asked.limit + 1,
            after=asked.cursor,
        )
        shown, cursor = page_of(rows, asked.limit, lambda row: (row["at"], row["_id"]))
        interactions = [interaction_shape(row) for row in shown]
        return json_response({"interactions": interactions, "next_cursor": cursor})

    async def get_interaction(self, request: web.Request) -> web.Response:
        """One message, how it was understood and what was said in return."""
        found = await self._interactions.get(request[PRINCIPAL].tenant, request.match_info["id"])
        if found is None:
            raise not_found("interaction")
        return json_response(interaction_shape(found))

    async def list_memories(self, request: web.Request) -> web.Response:
        """What is remembered of a person: the newest, or what a message would recall."""
        asked = read_query(request, MemoriesQuery)
        user = await self._user(request)
        query = asked.q.strip()
        archive = await self._memories.archive(user.tenant, user.id)
        if query:
            hits = archive.recall(query, self._clock(), embedder=self._embedder, limit=asked.limit)
            found: list[MemoryShape] = [
                {"id": h.id, "text": h.text, "similarity": h.similarity, "timestamp": h.created_at}
                for h in hits
            ]
        else:
            found = [memory_shape(m) for m in reversed(archive.memories[-asked.limit :])]
        total = await self._memories.count(user.tenant, user.id)
        return json_response({"memories": found, "total_stored": total})
