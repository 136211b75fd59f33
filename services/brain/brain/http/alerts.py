"""``/api/alerts``: the safety inbox."""

from datetime import datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from brain.adapters.alert_store import AlertStore
from brain.adapters.interaction_store import Document
from brain.domain.alerts import ACTIONS, What, attended
from brain.domain.pii import scan_pii
from brain.domain.wire import Share, described
from brain.handlers.emissions import changed_event
from shared.bus.outbox import Outbox
from shared.clock import Clock
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.pages import PageQuery, page_of
from shared.http.problem import json_response, not_found, read_model, read_query
from shared.ids import derived_id

State = Literal["open", "acknowledged"]
Told = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class AlertsQuery(PageQuery):
    """Of the safety inbox."""

    state: Literal["open", "acknowledged", "all"] = Field(
        default="open", description="open: nobody has acknowledged it yet."
    )


class UpdateAlert(BaseModel):
    """The body of ``PATCH /api/alerts/{id}``: at least one of them."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "minProperties": 1,
            "examples": [{"acknowledged": True, "note": "I am calling her."}],
        },
    )

    acknowledged: bool | None = Field(default=None, description="false opens it again.")
    assignee: Name | None = Field(default=None, description="Who takes care; null: nobody.")
    note: Told | None = Field(default=None, description="Kept with personal data masked.")

    @model_validator(mode="after")
    def _something(self) -> "UpdateAlert":
        if not self.model_fields_set:
            raise ValueError("give acknowledged, assignee or note")
        return self


@described
class AlertEntry(TypedDict):
    """Something that was done about an alert."""

    at: datetime
    by: str
    """Label of the API key; `safety` for the machine."""
    what: What
    text: str | None
    """A note, or to whom it was assigned."""


@described
class AlertShape(TypedDict):
    """A message that a human should look at."""

    id: str
    """Of the interaction."""
    user_id: str
    external_id: str
    channel: str
    channel_id: str | None
    raised_at: datetime
    action: Literal["HOLD", "BLOCK"]
    """The gravest so far."""
    flags: list[str]
    risk_score: Share
    text: str
    """What the person wrote; personal data masked."""
    reply_status: str
    state: State
    assignee: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    history: list[AlertEntry]


@described
class AlertPage(TypedDict):
    """Alerts, raised last first."""

    alerts: list[AlertShape]
    open: int
    """How many wait to be acknowledged, counted up to 1,000."""
    next_cursor: str | None


class Alerts:
    """Handlers of the safety inbox."""

    def __init__(self, store: AlertStore, outbox: Outbox, clock: Clock) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock

    def operations(self) -> list[Operation]:
        """Every route."""
        return [
            Operation(
                *("GET", "/api/alerts", self.list, "read"), answer=AlertPage, query=AlertsQuery
            ),
            Operation(*("GET", "/api/alerts/{id}", self.get, "read"), answer=AlertShape),
            Operation(
                *("PATCH", "/api/alerts/{id}", self.update, "process"),
                answer=AlertShape,
                body=UpdateAlert,
            ),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Messages that a human should look at: none goes away before it is acknowledged."""
        asked, tenant = read_query(request, AlertsQuery), request[PRINCIPAL].tenant
        is_open = None if asked.state == "all" else asked.state == "open"
        rows = await self._store.page(
            tenant, is_open=is_open, limit=asked.limit + 1, after=asked.cursor
        )
        shown, cursor = page_of(
            rows, asked.limit, lambda row: (row["alert"]["raised_at"], row["_id"])
        )
        return json_response(
            {
                "alerts": [alert_shape(row) for row in shown],
                "open": await self._store.count_open(tenant),
                "next_cursor": cursor,
            }
        )

    async def get(self, request: web.Request) -> web.Response:
        """One alert, by the id of its interaction."""
        found = await self._store.get(request[PRINCIPAL].tenant, request.match_info["id"])
        if found is None:
            raise not_found("alert")
        return json_response(alert_shape(found))

    async def update(self, request: web.Request) -> web.Response:
        """Acknowledge an alert, assign it or add a note; the label of the key says who did."""
        asked = await read_model(request, UpdateAlert)
        caller, alert_id = request[PRINCIPAL], request.match_info["id"]
        found = await self._store.get(caller.tenant, alert_id)
        if found is None:
            raise not_found("alert")
        now = self._clock()
        update = attended(
            caller.label,
            now,
            acknowledged=_changes(asked.acknowledged, found),
            assignee=asked.assignee,
            assigns="assignee" in asked.model_fields_set
            and asked.assignee != found["alert"].get("assignee"),
            note=None if asked.note is None else scan_pii(asked.note).masked_text,
        )
        if update["$push"]["alert.history"]["$each"]:
            cause = derived_id(alert_id, "alert", now.isoformat(), caller.key_hash)
            events = [changed_event(found, "alert", cause, now)]
            await self._store.change(caller.tenant, alert_id, update, events)
            await self._outbox.flush(alert_id, events)
        return await self.get(request)


def _changes(acknowledged: bool | None, row: Document) -> bool | None:
    """Whether it is to be acknowledged or opened; None when it is so already."""
    return (
        None if acknowledged is None or acknowledged is not row["alert"]["open"] else acknowledged
    )


def alert_shape(row: Document) -> AlertShape:
    """An alert as it is shown."""
    alert: dict[str, Any] = row["alert"]
    return {
        "id": row["_id"],
        "user_id": row["user_id"],
        "external_id": row["external_id"],
        "channel": row["channel"],
        "channel_id": row["channel_id"],
        "raised_at": alert["raised_at"],
        "action": ACTIONS[alert["severity"]],
        "flags": alert["flags"],
        "risk_score": alert["risk_score"],
        "text": row["message"]["text"],
        "reply_status": row["reply"]["status"],
        "state": "open" if alert["open"] else "acknowledged",
        "assignee": alert.get("assignee"),
        "acknowledged_at": alert.get("acknowledged_at"),
        "acknowledged_by": alert.get("acknowledged_by"),
        "history": alert["history"],
    }
