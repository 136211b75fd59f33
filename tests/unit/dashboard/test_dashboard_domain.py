"""Sessions, words, the conversation and charts: no browser, no service."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet, MultiFernet

from dashboard.domain import words
from dashboard.domain.charts import moods, traffic
from dashboard.domain.conversation import conversation
from dashboard.domain.session import Session, Sessions
from dashboard.http.sign_in import inside

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
OLD, NEW = Fernet(Fernet.generate_key()), Fernet(Fernet.generate_key())
SESSION = Session("hx_secret", "tn", "Ana", ("read",))


def test_a_session_opens_until_it_is_over(monkeypatch):
    sessions = Sessions(MultiFernet([OLD]), 60)
    cookie = sessions.sealed(SESSION)
    assert sessions.opened(cookie) == SESSION
    assert "hx_secret" not in cookie
    assert "hx_secret" not in repr(SESSION)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert sessions.opened(cookie) is None


@pytest.mark.parametrize("cookie", ["", "x", "gAAAA" * 20, "é"])
def test_what_is_no_session_of_ours_opens_nothing(cookie):
    assert Sessions(MultiFernet([OLD]), 60).opened(cookie) is None


def test_a_changed_key_still_opens_old_sessions_until_it_is_taken_away():
    cookie = Sessions(MultiFernet([OLD]), 60).sealed(SESSION)
    assert Sessions(MultiFernet([NEW, OLD]), 60).opened(cookie) == SESSION
    assert Sessions(MultiFernet([NEW]), 60).opened(cookie) is None


def test_a_form_needs_the_sessions_own_token():
    assert SESSION.allows(SESSION.csrf)
    assert not SESSION.allows("")
    assert not SESSION.allows(Session("k", "t", "l", ()).csrf)
    assert SESSION.may("read")
    assert not SESSION.may("process")
    assert Session("k", "t", "l", ("admin",)).may("process")


@pytest.mark.parametrize(
    ("target", "led"),
    [
        ("/app/users?q=x", "/app/users?q=x"),
        ("/app", "/app"),
        (None, "/app"),
        ("", "/app"),
        ("https://evil.example/app", "/app"),
        ("//evil.example/app", "/app"),
        ("/\\evil.example", "/app"),
        ("/application", "/app"),
        ("javascript:alert(1)", "/app"),
    ],
)
def test_nobody_is_led_elsewhere_after_signing_in(target, led):
    assert inside(target) == led


def test_words():
    assert words.mood(0.349) == "low"
    assert words.mood(0.35) == words.mood(0.65) == "even"
    assert words.energy(0.651) == "lively"
    assert words.span(999) == "999 ms"
    assert words.span(1_500) == "1.5 s"
    assert words.span(120_000) == "2 min"
    # A verdict of tomorrow asks for a look rather than passing for fine.
    assert words.action("QUARANTINE").tone == "warn"
    assert words.action(None).tone == "warn"


def row(number: int, *, reply: dict[str, Any] | None = None) -> dict[str, Any]:
    at = (NOW + timedelta(minutes=number)).isoformat()
    nothing = {"text": None, "status": "none", "reason": None, "at": None, "deliveries": []}
    return {
        "id": f"i{number}",
        "at": at,
        "mood": 0.5,
        "energy": number / 10,
        "message": {"text": f"message {number}"},
        "reply": {**nothing, **(reply or {})},
    }


def test_a_conversation_is_one_line_of_time():
    answered_at = (NOW + timedelta(minutes=1, seconds=5)).isoformat()
    sent = {"id": "d", "state": "sent"}
    reply = {"text": "Hi", "status": "model", "at": answered_at, "deliveries": [sent]}
    human = {
        "id": "o1",
        "at": (NOW + timedelta(minutes=3)).isoformat(),
        "text": "",
        "template": "hello",
        "deliveries": [],
    }
    rows = [row(4, reply={"status": "pending"}), row(2), row(1, reply=reply)]
    ticks = [{"interaction_id": "i1", "state": "read"}]
    lines = conversation(rows, [human], ticks)
    assert [(line.side, line.text or line.note) for line in lines] == [
        ("person", "message 1"),
        ("machine", "Hi"),
        ("person", "message 2"),
        ("machine", "not answered"),
        ("human", "Template hello"),
        ("person", "message 4"),
        ("machine", "an answer is being written"),
    ]
    # What outbound knows is later than what the interaction was told.
    assert [one["state"] for one in lines[1].deliveries] == ["read"]
    assert [one["state"] for one in conversation(rows, [], [])[1].deliveries] == ["sent"]


def test_charts_lie_within_their_frames():
    assert moods([row(1)]) is None
    plot = moods([row(3), row(1), row(2)])
    assert [round(p.y, 1) for p in plot.lines["energy"]] == [144.0, 128.0, 112.0]
    assert [p.x for p in plot.lines["mood"]] == [0.0, 320.0, 640.0]
    assert plot.path("mood").startswith("M0.0 80.0 L320.0")
    bars = traffic([{"received": 0, "answered": 0}, {"received": 4, "answered": 2}])
    assert [(bar.received, bar.answered) for bar in bars] == [(0, 0), (120, 60)]
    assert traffic([]) == []
