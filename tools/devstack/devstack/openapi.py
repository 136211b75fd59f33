"""Writes or checks the OpenAPI document of all services: ``python -m devstack.openapi export|check``.

channels-api serves it, with a page made from it for people.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from brain.http.alerts import Alerts
from brain.http.media import MediaApi
from brain.http.overview import Overview
from brain.http.people import People
from brain.http.privacy import PrivacyApi
from brain.http.process import Processing
from brain.http.reading import Reading
from channels_api.http import reference
from channels_api.http.channels import Channels
from channels_api.http.checks import Checks
from channels_api.http.keyring import KeyringApi
from channels_api.http.keys import Keys
from ingress.http.webhook import Webhook
from outbound.http.deliveries import Deliveries
from shared.http.openapi import Section, document
from shared.http.operations import Operation, declared_by

FILE = Path(reference.__file__).with_name("openapi.json")
INTRODUCTION = """\
Everything that a business does here, a program can do with an API key in `X-API-Key`.

Ids are opaque. Times are RFC 3339 in UTC. State variables and scores are 0..1. Listings give `next_cursor`, which is null on the last page. \
Fields are added without notice: ignore those you do not know. Personal data is masked before anything is kept.

Every error is `application/problem+json` (RFC 9457) with a stable `type`. What was answered with a 429 or a 503 may be sent again; \
with an `Idempotency-Key` a repeat does nothing twice."""


def sections() -> list[Section]:
    """Every operation of every service, in the order in which people meet them."""
    users, interactions, memories = (
        _reading(name) for name in ("users", "interactions", "memories")
    )
    return [
        Section(
            "sdk",
            "Understand and answer a message from any program, without a channel.",
            "Your own id of the person.",
            declared_by(Processing),
        ),
        Section(
            "users",
            "People, how they are, and taking over from the machine.",
            "Our id of the person, `eu_…`, or your own.",
            [*users, *declared_by(People)],
        ),
        Section(
            "memories",
            "What is remembered of a person.",
            "Our id of the person, or your own.",
            memories,
        ),
        Section(
            "interactions",
            "Messages, how they were understood and what was said in return.",
            "Id of the interaction.",
            [*interactions, *declared_by(MediaApi)],
        ),
        Section(
            "alerts",
            "The safety inbox: whom a human should look at.",
            "Id of the interaction.",
            declared_by(Alerts),
        ),
        Section("overview", "Whether everything is well.", "", declared_by(Overview)),
        Section("deliveries", "What became of what was said.", "", declared_by(Deliveries)),
        Section(
            "privacy",
            "What a person may ask for by law.",
            "Our id of the person, `eu_…`, or your own.",
            declared_by(PrivacyApi),
        ),
        Section(
            "channels",
            "Connected WhatsApp numbers and their credentials.",
            "Id of the channel, `mc_…`.",
            [*declared_by(Channels), *declared_by(Checks)],
        ),
        Section("keys", "API keys.", "Id of the key, `key_…`.", declared_by(Keys)),
        Section(
            "keyring",
            "The keys that seal credentials, for the operator of the house.",
            "",
            declared_by(KeyringApi),
        ),
        Section(
            "ingress",
            "What Meta calls; nobody else does.",
            "Id of the channel, `mc_…`.",
            declared_by(Webhook),
        ),
        Section("contract", "This document.", "", declared_by(reference.Reference)),
    ]


def _reading(name: str) -> list[Operation]:
    def section(operation: Operation) -> str:
        if operation.path.endswith("/memories"):
            return "memories"
        return "interactions" if "interactions" in operation.path else "users"

    return [each for each in declared_by(Reading) if section(each) == name]


def openapi() -> dict[str, Any]:
    """The document."""
    return document("Humane AI", "1", INTRODUCTION, sections())


def text() -> str:
    """The file, as it should be."""
    return json.dumps(openapi(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """0 when the file is current; ``check`` answers 1 when it is not and touches nothing."""
    parser = argparse.ArgumentParser(prog="python -m devstack.openapi", description=__doc__)
    parser.add_argument("command", choices=("export", "check"))
    command = parser.parse_args().command
    wanted = text()
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == wanted:
        return 0
    if command == "export":
        FILE.write_text(wanted, encoding="utf-8")
        print(f"written: {FILE}")
        return 0
    print(f"not current: {FILE}\nRun `make contracts`.")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
