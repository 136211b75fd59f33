"""``/api/sdk/*``: the pipeline for any program, and the conversation as it was."""

import json
from asyncio import gather
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from typing_extensions import TypedDict

from brain.adapters.interaction_store import SAID, InteractionFilter, InteractionStore
from brain.adapters.outgoing_store import OutgoingStore
from brain.adapters.user_store import UserStore
from brain.domain.wire import described
from brain.handlers.incoming import ApiRequest, Incoming, incoming_from_api
from brain.handlers.turns import Turns, Understood
from brain.http.limits import RateLimit
from brain.http.shapes import Entry, ProcessResult, entry, history_shape, process_shape
from shared.clock import Clock
from shared.http.idempotency import IDEMPOTENCY_KEY, KEY_REUSED, idempotency_key, key_reused
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.pages import Query
from shared.http.problem import Problem, json_response, read_model, read_query

log = structlog.get_logger()

HISTORY_TURNS = 20
STILL_RUNNING_S = 60.0
"""A reply that is pending for longer was interrupted: the repeat goes on with it."""
PIECE_CHARACTERS = 24
"""Of a checked reply that is sent as tokens: text leaves only after its safety check."""

ALLOWANCE: web.RequestKey[dict[str, str]] = web.RequestKey("allowance", dict)
"""Headers that tell the caller how many calls are left."""
Told = tuple[str, Mapping[str, Any]]
"""An event of a stream: its type and its data."""
PROBLEMS = ((429, "rate-limited"), (409, "still-running"), KEY_REUSED)
NOT_BLANK = Field(json_schema_extra={"pattern": r"\S"})
UserId = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256), NOT_BLANK
]


class HistoryTurn(BaseModel):
    """One earlier turn, as the caller remembers it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: Literal["user", "assistant"]
    content: str = Field(max_length=16_000)


class ProcessRequest(BaseModel):
    """The body of ``POST /api/sdk/process``."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"user_id": "customer-42", "message": "Is anybody there? I feel so alone."}
            ]
        },
    )

    user_id: UserId
    message: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=16_000), NOT_BLANK
    ]
    conversation_history: tuple[HistoryTurn, ...] | None = None
    channel: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = "api"
    metadata: dict[str, Any] | None = None
    respond: bool = True
    """False: understand only; no model writes, a reviewed text of the safety check comes all the same."""

    def canonical(self) -> bytes:
        """What makes two calls the same. ``respond`` is named only where it departs from the rule."""
        told = self.model_dump(mode="json", exclude={"respond"} if self.respond else None)
        # Not orjson: ``metadata`` may hold a number of more than 64 bits.
        return json.dumps(told, sort_keys=True).encode()


@described
class StreamEvent(TypedDict):
    """One server-sent event."""

    event: Literal["message"]
    data: str
    """JSON of `type` and `data`: `metadata` first, then `token` by `token` the text, or `blocked`;
    `error`; `final` with the whole answer. The last one is `[DONE]`."""


class HistoryQuery(Query):
    """Of a conversation."""

    limit: int = Field(default=200, ge=1, le=1000, description="Lines at most, the newest ones.")


class Processing:
    """Handlers of ``/api/sdk``."""

    def __init__(
        self,
        turns: Turns,
        users: UserStore,
        interactions: InteractionStore,
        outgoing: OutgoingStore,
        limit: RateLimit,
        clock: Clock,
    ) -> None:
        self._turns = turns
        self._users = users
        self._interactions = interactions
        self._outgoing = outgoing
        self._limit = limit
        self._clock = clock

    def operations(self) -> list[Operation]:
        """Every route under ``/api/sdk``."""
        return [
            Operation(
                *("POST", "/api/sdk/process", self.process, "process"),
                answer=ProcessResult,
                body=ProcessRequest,
                headers=(IDEMPOTENCY_KEY,),
                problems=PROBLEMS,
            ),
            Operation(
                *("POST", "/api/sdk/process/stream", self.stream, "process"),
                answer=StreamEvent,
                media_type="text/event-stream",
                body=ProcessRequest,
                headers=(IDEMPOTENCY_KEY,),
                problems=PROBLEMS,
            ),
            Operation(
                *("GET", "/api/sdk/history/{user_id}", self.history, "process"),
                answer=list[Entry],
                query=HistoryQuery,
            ),
            Operation(
                *("DELETE", "/api/sdk/history/{user_id}", self.clear, "process"),
                answer=None,
                status=204,
            ),
        ]

    async def _accepted(self, request: web.Request) -> ApiRequest:
        principal = request[PRINCIPAL]
        request[ALLOWANCE] = self._limit.count(principal.key_hash)
        body = await read_model(request, ProcessRequest)
        key = idempotency_key(request)
        history = body.conversation_history
        return ApiRequest(
            tenant=principal.tenant,
            user_id=body.user_id,
            message=body.message,
            channel=body.channel,
            history=None
            if history is None
            else tuple((turn.role, turn.content) for turn in history[-HISTORY_TURNS:]),
            idempotency_key=key,
            fingerprint=body.canonical(),
            respond=body.respond,
        )

    async def process(self, request: web.Request) -> web.Response:
        """Understand one message and answer it.

        Nothing is sent anywhere: the answer is yours to show. Personal data is masked before anything
        is kept.
        """
        accepted = await self._accepted(request)
        incoming = incoming_from_api(accepted, self._clock())
        understood = await self._understood(incoming)
        answered = await self._turns.answer(incoming, understood)
        return json_response(process_shape(answered), headers=request[ALLOWANCE])

    async def _understood(self, incoming: Incoming) -> Understood:
        understood = await self._turns.understand(incoming)
        if not understood.is_new:
            _check_repeat(understood.document, incoming)
        return understood

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """The same, told as it becomes known.

        Server-sent events: how the message was understood first, then what to say.
        """
        accepted = await self._accepted(request)
        incoming = incoming_from_api(accepted, self._clock())
        understood = await self._understood(incoming)
        allowance = request[ALLOWANCE]
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-cache",
                **allowance,
            }
        )
        await response.prepare(request)

        whole = process_shape(understood.document)
        metadata = {name: value for name, value in whole.items() if name != "response"}
        # A caller who hung up changes nothing: the interaction is answered all the same.
        with suppress(ConnectionResetError):
            await _send(response, "metadata", metadata)
        try:
            answered = process_shape(await self._turns.answer(incoming, understood))
        except Exception as error:  # noqa: BLE001 - the answer has begun: no status can tell it
            log.error("stream_failed", error=type(error).__name__)
            events: list[Told] = [("error", {"message": "internal_error"})]
        else:
            events = list(_told(answered))
        with suppress(ConnectionResetError):
            for kind, data in events:
                await _send(response, kind, data)
            await response.write(b"data: [DONE]\n\n")
            await response.write_eof()
        return response

    async def history(self, request: web.Request) -> web.Response:
        """The conversation with a person, oldest first; an empty list for a stranger."""
        limit = read_query(request, HistoryQuery).limit
        tenant = request[PRINCIPAL].tenant
        user = await self._users.named(tenant, request.match_info["user_id"])
        if user is None:
            return json_response([])
        since = user.history_cleared_at
        rows, said = await gather(
            self._interactions.page(
                tenant, InteractionFilter(user_id=user.id, since=since), limit=limit, fields=SAID
            ),
            self._outgoing.page(tenant, user.id, limit=limit, since=since),
        )
        entries = [turn for row in reversed(rows) for turn in history_shape(row)]
        entries += [entry("assistant", row["text"], row["at"]) for row in said if row["text"]]
        return json_response(sorted(entries, key=lambda turn: turn["at"])[-limit:])

    async def clear(self, request: web.Request) -> web.Response:
        """Start the conversation anew.

        The interactions stay; `privacy.erase` removes them.
        """
        user = await self._users.named(request[PRINCIPAL].tenant, request.match_info["user_id"])
        if user is not None:
            await self._users.clear_history(user, self._clock())
        return web.Response(status=204)


def _told(answered: ProcessResult) -> Iterator[Told]:
    """What a stream tells after the metadata."""
    text = answered["response"]
    if answered["safety"]["action"] == "BLOCK":
        yield "blocked", {"content": text, "safety": answered["safety"]}
    elif text is not None:
        for start in range(0, len(text), PIECE_CHARACTERS):
            yield "token", {"content": text[start : start + PIECE_CHARACTERS]}
    if answered["error"] is not None:
        yield "error", {"message": answered["error"]}
    yield "final", answered


async def _send(response: web.StreamResponse, kind: str, data: Mapping[str, Any]) -> None:
    event = orjson.dumps({"type": kind, "data": data}, option=orjson.OPT_UTC_Z)
    await response.write(b"data: " + event + b"\n\n")


def _check_repeat(document: dict[str, Any], incoming: Incoming) -> None:
    """A repeat of an idempotency key: the same body, and not while the first call still runs."""
    if document["fingerprint"] != incoming.fingerprint:
        raise key_reused()
    age_s = (incoming.received_at - document["at"]).total_seconds()
    if document["reply"]["status"] == "pending" and age_s < STILL_RUNNING_S:
        raise Problem(
            409,
            "still-running",
            "The first call with this Idempotency-Key has not ended. Ask again in a second.",
            headers={"Retry-After": "1"},
        )
