"""``client.alerts``: reading the safety inbox, and what is sent when somebody attends to it."""

from dataclasses import asdict
from datetime import datetime, timezone

import pytest

from humane_ai import Alert, AlertEntry, InvalidArgumentError, NotFoundError
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import Wire
from tests.unit.humane_ai.wire_records import ALERT

AT = datetime(2026, 3, 1, 10, 0, 0, 250000, tzinfo=timezone.utc)


async def test_an_alert_is_read_field_by_field(call: Caller, wire: Wire) -> None:
    alert: Alert = await call(lambda c: c.alerts.get("i-1"))
    assert (wire.seen[0].method, wire.seen[0].path) == ("GET", "/api/alerts/i-1")
    shown = asdict(alert)
    plain = {k: v for k, v in ALERT.items() if k not in ("raised_at", "history", "flags")}
    assert {name: shown[name] for name in plain} == plain
    assert (alert.raised_at, alert.flags) == (AT, ("self_harm",))
    assert alert.history == (AlertEntry(AT, "safety", "raised", None),)


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"acknowledged": True}, {"acknowledged": True}),
        ({"acknowledged": False, "note": "Again."}, {"acknowledged": False, "note": "Again."}),
        ({"assignee": "Ana"}, {"assignee": "Ana"}),
        ({"unassign": True}, {"assignee": None}),
    ],
)
async def test_only_what_was_asked_for_is_sent(call: Caller, wire: Wire, asked, sent) -> None:
    await call(lambda c: c.alerts.update("i-1", **asked))
    assert (wire.seen[0].method, wire.seen[0].body) == ("PATCH", sent)


async def test_what_is_not_there_is_not_found(call: Caller) -> None:
    with pytest.raises(NotFoundError):
        await call(lambda c: c.alerts.update("i-9", acknowledged=True))
    with pytest.raises(InvalidArgumentError):
        await call(lambda c: c.alerts.get(""))
