"""Every listing: its path, its filters, all of its pages, and not one more than is read."""

from collections.abc import Callable
from typing import Any

import pytest

import humane_ai
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import Wire, refused, says
from tests.unit.humane_ai.wire_records import numbered

Act = Callable[[Any], Any]
LISTINGS = [
    pytest.param(lambda c: c.users.list(), "users", "/api/users?limit=50", id="users"),
    pytest.param(
        lambda c: c.users.list(channel="whatsapp", limit=7),
        "users",
        "/api/users?channel=whatsapp&limit=7",
        id="users-of-a-channel",
    ),
    pytest.param(
        lambda c: c.users.messages("u-1"),
        "messages",
        "/api/users/u-1/messages?limit=50",
        id="messages",
    ),
    pytest.param(
        lambda c: c.users.interactions("u-1", action="HOLD", limit=1),
        "interactions",
        "/api/users/u-1/interactions?action=HOLD&limit=1",
        id="interactions-of-a-person",
    ),
    pytest.param(
        lambda c: c.interactions.list(channel="api", action="BLOCK"),
        "interactions",
        "/api/interactions?channel=api&action=BLOCK&limit=50",
        id="interactions",
    ),
    pytest.param(
        lambda c: c.deliveries.list("window_closed"),
        "deliveries",
        "/api/deliveries?state=window_closed&limit=50",
        id="deliveries",
    ),
]


def fill(wire: Wire, name: str, count: int) -> list[str]:
    rows = numbered(getattr(wire.records, name)[0], count)
    setattr(wire.records, name, rows)
    return [row["id"] for row in rows]


@pytest.mark.parametrize(("act", "name", "path"), LISTINGS)
async def test_all_of_three_pages(call: Caller, wire: Wire, act: Act, name: str, path: str) -> None:
    ids = fill(wire, name, 5)
    assert [row.id for row in await call(act)] == ids
    assert [seen.path for seen in wire.seen] == [path, f"{path}&cursor=2", f"{path}&cursor=4"]


@pytest.mark.parametrize(("act", "name", "path"), LISTINGS)
async def test_nothing_is_there(call: Caller, wire: Wire, act: Act, name: str, path: str) -> None:
    fill(wire, name, 0)
    assert await call(act) == []
    assert [seen.path for seen in wire.seen] == [path]


@pytest.mark.parametrize(("act", "name", "path"), LISTINGS)
async def test_a_page_is_asked_for_when_it_is_read(
    call: Caller, wire: Wire, act: Act, name: str, path: str
) -> None:
    ids = fill(wire, name, 5)
    assert [row.id for row in await call(act, items=2)] == ids[:2]
    assert [seen.path for seen in wire.seen] == [path]
    wire.seen.clear()
    assert [row.id for row in await call(act, items=3)] == ids[:3]
    assert len(wire.seen) == 2


@pytest.mark.parametrize(("act", "name", "path"), LISTINGS)
async def test_a_page_in_between_is_tried_again(
    call: Caller, wire: Wire, act: Act, name: str, path: str
) -> None:
    ids = fill(wire, name, 5)
    wire.faults.extend([wire.api, refused(503)])
    assert [row.id for row in await call(act)] == ids
    assert [seen.path for seen in wire.seen][1:3] == [f"{path}&cursor=2"] * 2


@pytest.mark.parametrize(("act", "name", "path"), LISTINGS)
async def test_a_refused_page_raises(
    call: Caller, wire: Wire, act: Act, name: str, path: str
) -> None:
    fill(wire, name, 5)
    wire.faults.extend([wire.api, refused(422, "invalid-request", "cursor is not one.")])
    with pytest.raises(humane_ai.ValidationError, match="cursor"):
        await call(act)
    assert len(wire.seen) == 2


@pytest.mark.parametrize("body", ["[]", "{}", '{"users": 7}', '{"users": [7]}'])
async def test_an_answer_that_is_no_listing_says_so(call: Caller, wire: Wire, body: str) -> None:
    wire.faults.append(says(body))
    with pytest.raises(humane_ai.APIError, match="Unreadable answer"):
        await call(lambda c: c.users.list())
