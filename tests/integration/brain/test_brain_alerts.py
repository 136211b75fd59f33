"""The safety inbox: every safety event leaves an alert, which stays until somebody acknowledges it."""

import asyncio

from tests.integration.brain.world import Brain, whatsapp

CRISIS = "I want to kill myself"


async def test_a_cry_for_help_is_an_alert_once_however_often_it_is_delivered(brain: Brain):
    message = whatsapp(CRISIS)
    await brain.deliver(message, message)
    row = await brain.interaction(message)
    await brain.processed("good morning")
    found = await brain.get("/api/alerts")
    assert [alert["id"] for alert in found["alerts"]] == [row["_id"]]
    assert (found["open"], found["next_cursor"]) == (1, None)
    alert = found["alerts"][0]
    assert (alert["action"], alert["state"], alert["text"]) == ("BLOCK", "open", CRISIS)
    assert alert["flags"][0] == "self_harm"
    assert [line["what"] for line in alert["history"]] == ["raised"]
    assert alert == await brain.get(f"/api/alerts/{row['_id']}")
    kept = await brain.database["interactions"].find_one({"_id": row["_id"]})
    assert kept["alert"]["open"] is True


async def test_whoever_asks_for_a_human_is_an_alert_too(brain: Brain):
    message = whatsapp("let me talk to a real person please")
    await brain.deliver(message)
    row = await brain.interaction(message)
    assert row["safety"]["action"] == "PROCEED"
    alert = await brain.get(f"/api/alerts/{row['_id']}")
    assert (alert["action"], alert["flags"]) == ("HOLD", ["human_requested"])


async def test_an_alert_is_acknowledged_assigned_noted_and_opened_again(brain: Brain):
    row = await brain.processed(CRISIS)
    path = f"/api/alerts/{row['interaction_id']}"
    done = await brain.call(
        "PATCH",
        path,
        json={"acknowledged": True, "note": "Called +44 7700 900123.", "assignee": "Ana"},
    )
    assert done.status == 200
    alert = done.json
    assert (alert["state"], alert["assignee"]) == ("acknowledged", "Ana")
    assert alert["acknowledged_by"] == alert["history"][-1]["by"]
    assert [line["what"] for line in alert["history"]] == [
        *("raised", "acknowledged", "assigned", "note")
    ]
    assert "900123" not in alert["history"][-1]["text"]
    assert (await brain.get("/api/alerts"))["alerts"] == []
    assert len((await brain.get("/api/alerts?state=acknowledged"))["alerts"]) == 1
    assert len((await brain.get("/api/alerts?state=all"))["alerts"]) == 1
    changed = brain.bus.of_type("interaction.changed.v1")
    assert [event.data["change"] for event in changed] == ["alert"]
    # Once more changes nothing and tells nobody.
    again = await brain.call("PATCH", path, json={"acknowledged": True, "assignee": "Ana"})
    assert again.json == alert
    assert len(brain.bus.of_type("interaction.changed.v1")) == 1
    opened = await brain.call("PATCH", path, json={"acknowledged": False, "assignee": None})
    assert (opened.json["state"], opened.json["assignee"]) == ("open", None)
    assert opened.json["acknowledged_at"] is None


async def test_what_is_no_alert_or_no_change_is_refused(brain: Brain):
    row = await brain.processed("good morning")
    path = f"/api/alerts/{row['interaction_id']}"
    for method, asked in (("GET", None), ("PATCH", {"acknowledged": True})):
        assert (await brain.call(method, path, json=asked)).status == 404
    crisis = await brain.processed(CRISIS)
    path = f"/api/alerts/{crisis['interaction_id']}"
    bodies: tuple[dict[str, object], ...] = (
        {},
        {"note": " "},
        {"assignee": ""},
        {"acknowledged": "yes please"},
        {"x": 1},
    )
    for body in bodies:
        assert (await brain.call("PATCH", path, json=body)).status == 422, body


async def test_two_at_once_lose_nothing(brain: Brain):
    row = await brain.processed(CRISIS)
    path = f"/api/alerts/{row['interaction_id']}"
    await asyncio.gather(*(brain.call("PATCH", path, json={"note": f"note {n}"}) for n in range(8)))
    history = (await brain.get(path))["history"]
    assert {line["text"] for line in history[1:]} == {f"note {n}" for n in range(8)}


async def test_alerts_come_raised_last_first_page_by_page(brain: Brain):
    rows = [await brain.processed(CRISIS, user_id=f"p{n}") for n in range(5)]
    first = await brain.get("/api/alerts?limit=3")
    second = await brain.get(f"/api/alerts?limit=3&cursor={first['next_cursor']}")
    ids = [alert["id"] for page in (first, second) for alert in page["alerts"]]
    assert ids == [row["interaction_id"] for row in reversed(rows)]
    assert second["next_cursor"] is None
    assert first["open"] == 5
