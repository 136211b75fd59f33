"""What a person may ask for: all that is kept of them, in one document."""

import pytest

from brain.http import privacy as brain_privacy
from tests.integration.brain.world import PHONE, Brain, whatsapp

EXPORT = f"/api/privacy/export/{PHONE}"


async def wrote(brain: Brain, text: str) -> None:
    envelope = whatsapp(text)
    await brain.deliver(envelope)
    await brain.interaction(envelope)


async def test_an_export_is_everything_that_the_reading_shows(
    brain: Brain, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(brain_privacy, "PAGE", 2)
    said = ["my name is Sarah", "I work at TechCorp", "my exam is on Friday", "ok", "bye"]
    for text in said:
        await wrote(brain, text)
    await brain.call("POST", f"/api/users/{PHONE}/messages", json={"text": "Ann here."})
    answer = await brain.call("GET", EXPORT)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json
    user = await brain.get(f"/api/users/{PHONE}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{user["id"]}.json"'
    assert document.keys() == {"exported_at", "user", "interactions", "memories", "messages"}
    assert document["user"]["id"] == user["id"]
    assert document["user"]["profile"] == user["profile"] != []
    assert PHONE in str(document["user"]["aliases"])
    assert [row["message"]["text"] for row in document["interactions"]] == said[::-1]
    shown = await brain.get(f"/api/users/{PHONE}/interactions?limit=200")
    assert document["interactions"] == shown["interactions"]
    kept = await brain.get(f"/api/users/{PHONE}/memories?limit=200")
    # All of one second: their order is any.
    assert {row["id"]: row for row in document["memories"]} == {
        row["id"]: row for row in kept["memories"]
    }
    assert len(document["memories"]) == len(kept["memories"]) == len(said)
    assert [message["text"] for message in document["messages"]] == ["Ann here."]


async def test_an_export_of_somebody_with_little_is_whole_too(brain: Brain):
    await brain.processed("hi", user_id="p1")
    document = (await brain.call("GET", "/api/privacy/export/p1")).json
    assert (len(document["interactions"]), document["messages"]) == (1, [])


async def test_nobody_is_not_exported(brain: Brain):
    answer = await brain.call("GET", "/api/privacy/export/nobody")
    assert (answer.status, answer.json["type"]) == (404, "urn:platform:problem:not-found")
