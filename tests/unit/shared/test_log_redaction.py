"""Nothing secret and nothing that people wrote reaches a log line, however it is passed."""

import json
import subprocess
import sys
from typing import Any

import pytest

from shared.ids import new_api_key, new_channel_id, new_verify_token
from shared.telemetry.logging import REDACTED, redact

ACCESS_TOKEN = "EAAG" + "Bx9" * 30
SIGNATURE = "sha256=" + "ab" * 32


def redacted(**event: Any) -> dict[str, Any]:
    return dict(redact(None, "info", dict(event)))


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "verify_token",
        "app_secret",
        "Password",
        "authorization",
        "api_key",
        "apikey",
        "credentials",
        "signature",
        "text",
        "body",
        "message",
        "caption",
        "phone",
        "to_phone",
        "from",
        "to",
        "wa_id",
        "recipient",
        "contact",
        "conversation_key",
        "subject",
    ],
)
def test_fields_are_hidden_by_their_name(name: str) -> None:
    assert redacted(**{name: "planted"}) == {name: REDACTED}


@pytest.mark.parametrize(
    "secret",
    [
        new_api_key(),
        new_verify_token(),
        ACCESS_TOKEN,
        SIGNATURE,
        "Bearer abc.def",
        "//user:pass@",
        ":491701234567",
        "wamid.HBgMNDkxNzAxMjM0NTY3FQIAEhgg",
    ],
)
def test_secrets_are_hidden_by_their_form_wherever_they_stand(secret: str) -> None:
    channel = new_channel_id()
    for value in (f"{channel}{secret}", f"cannot reach {channel}{secret} now"):
        event = redacted(reason=value, nested={"deep": [{"reason": value}]})
        assert secret not in json.dumps(event)
        assert channel in event["reason"]


def test_nested_fields_are_hidden_by_their_name() -> None:
    event = redacted(request={"headers": [{"Authorization": "planted"}], "to": "planted", "n": 1})
    assert "planted" not in json.dumps(event)
    assert event["request"]["n"] == 1


def test_what_is_no_secret_stays() -> None:
    kept = {
        "event": "channel_created",
        "channel_id": new_channel_id(),
        "tokens": 12,
        "has_secret": False,
        "token": None,
        "ports": {"public": 8080},
        "at": "12:30:01",
    }
    assert redacted(**kept) == kept


PROGRAM = """
import asyncio, logging, warnings
from dataclasses import dataclass, field
import structlog
from pydantic import BaseModel
from shared.telemetry.logging import configure_logging

@dataclass
class Channel:
    access_token: str = field(repr=False)

class Message(BaseModel):
    text: str

configure_logging("INFO", "sample")
log = structlog.get_logger()
log.debug("below_the_level")
log.info("object", channel=Channel("PLANTED"), message_model=Message(text="PLANTED"), raw=b"PLANTED")
log.info("problem", error=ValueError("PLANTED"))
logging.getLogger("library").warning("cannot connect to amqp://user:PLANTED@host/")
logging.getLogger("library").info("below the bridge")
try:
    raise ValueError("PLANTED")
except ValueError:
    logging.getLogger("library").exception("failed")

async def dies():
    raise ValueError("PLANTED")

async def main():
    task = asyncio.create_task(dies())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task

asyncio.run(main())
"""


def test_a_whole_process_logs_json_lines_without_what_was_planted() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True
    )
    assert "PLANTED" not in done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["service"] for line in lines} == {"sample"}
    assert [line["event"] for line in lines[:2]] == ["object", "problem"]
    assert lines[0]["channel"] == "<Channel>"
    assert [line["logger"] for line in lines[2:]] == ["library", "library", "asyncio"]
    assert lines[3]["error"] == "ValueError"
