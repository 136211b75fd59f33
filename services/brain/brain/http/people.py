"""A human takes over: ``PATCH /api/users/{id}`` and ``/api/users/{id}/messages``."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import uuid4

import orjson
from aiohttp import web
from bson import encode
from bson.errors import BSONError
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from brain.adapters.outgoing_store import Outgoing, OutgoingStore
from brain.adapters.user_store import EndUser, UserStore
from brain.domain.people import Route
from brain.domain.pii import scan_pii
from brain.domain.state import decay
from brain.handlers.emissions import operator_command
from brain.http.shapes import (
    OutgoingPage,
    OutgoingShape,
    UserShape,
    outgoing_shape,
    user_shape,
)
from shared.bus.outbox import Outbox
from shared.clock import Clock
from shared.contracts import Template
from shared.http.idempotency import IDEMPOTENCY_KEY, KEY_REUSED, idempotency_key, key_reused
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.pages import PageQuery, page_of
from shared.http.problem import (
    WHOLE,
    Problem,
    json_response,
    not_found,
    read_model,
    read_query,
)
from shared.ids import derived_id

WINDOW = timedelta(hours=23, minutes=55)
"""Meta allows free text for 24 hours after the person's last message; five minutes are kept clear."""
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
TRIES = 10


class PausedUntil(BaseModel):
    """A pause with an end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paused_until: AwareDatetime


class UpdateUser(BaseModel):
    """The body of ``PATCH /api/users/{id}``."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"auto_reply": "paused"}]}
    )

    auto_reply: Literal["on", "paused"] | PausedUntil = Field(
        description="paused: until it is switched on again. A cry for help is answered all the same."
    )

    def held_until(self) -> datetime | None:
        """Until when the machine is silent; None: it is not."""
        if isinstance(self.auto_reply, PausedUntil):
            return self.auto_reply.paused_until.astimezone(UTC)
        return FOR_EVER if self.auto_reply == "paused" else None


def _storable(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    try:
        encode({"components": components})
    except (BSONError, OverflowError):
        raise ValueError("a number has more than 64 bits, or a name has a NUL") from None
    return components


class TemplateMessage(BaseModel):
    """A message that Meta approved; may be sent at any time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_]{1,512}$")
    language: str = Field(default="en_US", pattern=r"^[a-z]{2,3}(_[A-Za-z]{2,4})?$")
    components: Annotated[list[dict[str, Any]], AfterValidator(_storable)] = Field(
        default_factory=list, max_length=10
    )


class SendMessage(BaseModel):
    """The body of ``POST /api/users/{id}/messages``: a text or a template."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        json_schema_extra={
            "oneOf": [
                {
                    "required": ["text"],
                    "properties": {"text": {"type": "string"}, "template": {"type": "null"}},
                },
                {
                    "required": ["template"],
                    "properties": {"text": {"type": "null"}, "template": {"type": "object"}},
                },
            ],
            "examples": [{"text": "A colleague will call you in ten minutes.", "pause_s": 1800}],
        },
    )

    text: (
        Annotated[str, Field(min_length=1, max_length=20_000, json_schema_extra={"pattern": r"\S"})]
        | None
    ) = None
    template: TemplateMessage | None = None
    channel_id: str | None = Field(
        default=None, description="Default: where the person wrote last."
    )
    pause_s: Annotated[int, Field(ge=0, le=7 * 86_400), WHOLE] = Field(
        default=3600, description="How long the machine is silent afterwards."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "SendMessage":
        if (self.text is None) == (self.template is None):
            raise ValueError("give text or template, one of them")
        return self


class People:
    """Handlers for those who talk to people themselves."""

    def __init__(
        self, users: UserStore, outgoing: OutgoingStore, outbox: Outbox, clock: Clock
    ) -> None:
        self._users = users
        self._outgoing = outgoing
        self._outbox = outbox
        self._clock = clock

    def operations(self) -> list[Operation]:
        """Every route."""
        return [
            Operation(
                *("PATCH", "/api/users/{id}", self.update, "process"),
                answer=UserShape,
                body=UpdateUser,
                problems=((409, "changed-meanwhile"),),
            ),
            Operation(
                *("POST", "/api/users/{id}/messages", self.send, "process"),
                answer=OutgoingShape,
                status=202,
                body=SendMessage,
                headers=(IDEMPOTENCY_KEY,),
                problems=(
                    (409, "window-closed"),
                    (409, "no-conversation"),
                    (409, "changed-meanwhile"),
                    KEY_REUSED,
                ),
            ),
            Operation(
                *("GET", "/api/users/{id}/messages", self.list_messages, "read"),
                answer=OutgoingPage,
                query=PageQuery,
            ),
        ]

    async def update(self, request: web.Request) -> web.Response:
        """Hand the conversation to a human, or back to the machine.

        A cry for help is answered all the same.
        """
        asked = await read_model(request, UpdateUser)
        user = await self._held(request, asked.held_until())
        return json_response(user_shape(user, decay(user.state, self._clock())))

    async def send(self, request: web.Request) -> web.Response:
        """Write to the person yourself.

        202: the message is on its way; `deliveries` will tell how it fares. The machine is silent
        for a while afterwards. Free text only within 24 hours of the person's last message.
        """
        asked = await read_model(request, SendMessage)
        user = await self._user(request)
        channel_id, route = _route(user, asked.channel_id)
        now = self._clock()
        if asked.text is not None and now >= route.wrote_at + WINDOW:
            raise Problem(
                409,
                "window-closed",
                f"The person wrote last at {route.wrote_at:%Y-%m-%d %H:%M} UTC, more than 24 hours "
                "ago: Meta takes only a template. Send one, or wait until they write.",
            )
        message = self._message(request, asked, user, channel_id, now)
        command = operator_command(
            message, route, text=asked.text or "", template=_template(asked.template)
        )
        if asked.pause_s:
            await self._held(request, now + timedelta(seconds=asked.pause_s), at_least=True)
        if await self._outgoing.insert(message, [command]):
            await self._outbox.flush(message.id, [command])
        kept = await self._outgoing.get(user.tenant, message.id)
        if kept is None or kept["fingerprint"] != message.fingerprint:
            raise key_reused()
        return json_response(outgoing_shape(kept), status=202)

    async def list_messages(self, request: web.Request) -> web.Response:
        """What humans wrote to the person, newest first."""
        asked = read_query(request, PageQuery)
        user = await self._user(request)
        rows = await self._outgoing.page(
            user.tenant, user.id, limit=asked.limit + 1, after=asked.cursor
        )
        shown, cursor = page_of(rows, asked.limit, lambda row: (row["at"], row["_id"]))
        messages = [outgoing_shape(row) for row in shown]
        return json_response({"messages": messages, "next_cursor": cursor})

    def _message(
        self,
        request: web.Request,
        asked: SendMessage,
        user: EndUser,
        channel_id: str,
        now: datetime,
    ) -> Outgoing:
        key = idempotency_key(request)
        said = orjson.dumps([user.id, asked.model_dump(mode="json")])
        return Outgoing(
            id=str(uuid4()) if key is None else derived_id("message", user.tenant, key),
            tenant=user.tenant,
            user_id=user.id,
            channel_id=channel_id,
            author="operator",
            text=scan_pii(asked.text).masked_text if asked.text else "",
            template=asked.template.name if asked.template else None,
            at=now,
            fingerprint=sha256(said).hexdigest(),
        )

    async def _user(self, request: web.Request) -> EndUser:
        user = await self._users.named(request[PRINCIPAL].tenant, request.match_info["id"])
        if user is None:
            raise not_found("user")
        return user

    async def _held(
        self, request: web.Request, until: datetime | None, *, at_least: bool = False
    ) -> EndUser:
        """The person, with the machine silent until then; ``at_least``: or longer, as it is."""
        for _ in range(TRIES):
            user = await self._user(request)
            held = user.state.held_until
            if at_least and until is not None and held is not None and held >= until:
                return user
            if await self._users.hold(user, until):
                return await self._user(request)
        raise Problem(409, "changed-meanwhile", "The person is writing just now. Try again.")


def _route(user: EndUser, channel_id: str | None) -> tuple[str, Route]:
    """Where to write to the person: the channel asked for, else the one they wrote on last."""
    if channel_id is not None:
        if channel_id in user.routes:
            return channel_id, user.routes[channel_id]
    elif user.routes:
        return max(user.routes.items(), key=lambda item: item[1].wrote_at)
    raise Problem(
        409,
        "no-conversation",
        "This person never wrote on that channel, so there is no conversation to answer in.",
    )


def _template(asked: TemplateMessage | None) -> Template | None:
    if asked is None:
        return None
    return Template(name=asked.name, language=asked.language, components=tuple(asked.components))
