"""The published contracts are current, old events still parse, and nothing private is on the stream."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from shared.bus.memory import topic_matches
from shared.bus.topology import INTERACTIONS, TOPOLOGY, QueueKind
from shared.contracts import PAYLOADS, PRIVATE_FIELDS, Envelope, Payload, UserCreated
from shared.contracts import export as published
from shared.contracts.routes import ROUTES, Route

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*/v*/*.json"))
NAMES = [str(path.relative_to(path.parents[2])) for path in SAMPLES]

PERSONAL = (
    "text",
    "body",
    "caption",
    "message",
    "phone",
    "wa",
    "contact",
    "recipient",
    "name",
    "key",
)
"""Words that no field of a public event may have in its name: what people wrote, who they are.

``message`` also keeps out the provider's message ids, which are base64 that holds a phone number.
"""


def run(command: str, docs: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shared.contracts", command, "--docs", str(docs)],
        capture_output=True,
        check=False,
        text=True,
    )


def schema(event_type: str) -> Draft202012Validator:
    document = json.loads((DOCS / "schemas" / f"{event_type}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document, format_checker=FormatChecker())


def test_the_committed_documents_are_current() -> None:
    assert published.differences(DOCS) == [], "run: python -m shared.contracts export"


def test_the_command_finds_drift_and_mends_it(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(DOCS / "schemas", docs / "schemas")
    for name in ("asyncapi.yaml", "errors.md"):
        shutil.copy(DOCS / name, docs)
    assert run("check", docs).returncode == 0
    changed, retired = docs / "schemas" / "user.created.v1.json", docs / "schemas" / "old.v1.json"
    changed.write_text("{}", encoding="utf-8")
    retired.write_text("{}", encoding="utf-8")
    (docs / "asyncapi.yaml").unlink()
    found = run("check", docs)
    assert found.returncode == 1
    for name in ("asyncapi.yaml", "old.v1.json", "user.created.v1.json"):
        assert name in found.stdout
    assert changed.read_text(encoding="utf-8") == "{}"
    assert run("export", docs).returncode == 0
    assert not retired.exists()
    assert run("check", docs).returncode == 0


def test_every_type_has_a_sample_and_every_sample_a_type() -> None:
    sampled = {f"{path.parents[1].name}.{path.parent.name}" for path in SAMPLES}
    assert sampled >= PAYLOADS.keys()


@pytest.mark.parametrize("path", SAMPLES, ids=NAMES)
def test_every_event_ever_published_still_parses(path: Path) -> None:
    envelope = Envelope.decode(path.read_bytes())
    assert envelope.type == f"{path.parents[1].name}.{path.parent.name}"
    envelope.payload(PAYLOADS[envelope.type])
    schema(envelope.type).validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SAMPLES, ids=NAMES)
def test_what_we_write_again_fits_the_schema(path: Path) -> None:
    old = Envelope.decode(path.read_bytes())
    payload = old.payload(PAYLOADS[old.type])
    new = Envelope.of(payload, source=old.source, subject=old.subject, tenant=old.tenant)
    schema(old.type).validate(json.loads(new.encode()))


@pytest.mark.parametrize("path", SAMPLES, ids=NAMES)
def test_writers_forbid_and_readers_ignore_what_is_unknown(path: Path) -> None:
    wire = json.loads(path.read_text(encoding="utf-8"))
    wire["data"]["unheard_of"] = 1
    model = PAYLOADS[wire["type"]]
    Envelope.decode(json.dumps(wire).encode()).payload(model)
    with pytest.raises(ValidationError, match="extra_forbidden"):
        model.model_validate(wire["data"])
    assert not schema(wire["type"]).is_valid(wire)


@pytest.mark.parametrize("path", SAMPLES, ids=NAMES)
def test_a_dead_letter_has_no_private_value(path: Path) -> None:
    envelope = Envelope.decode(path.read_bytes())
    private = [envelope.data[name] for name in PRIVATE_FIELDS[envelope.type] & envelope.data.keys()]
    letter = envelope.redacted(PRIVATE_FIELDS).encode().decode()
    leaves = {leaf for value in private for leaf in strings_in(value) if len(leaf) > 4}
    assert not {leaf for leaf in leaves if leaf in letter}


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from strings_in(item)
    elif isinstance(value, str):
        yield value


def test_every_type_has_one_route() -> None:
    assert sorted(route.payload.TYPE for route in ROUTES) == sorted(PAYLOADS)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.payload.TYPE)
def test_every_route_leads_to_a_queue_or_a_broadcast(route: Route) -> None:
    exchange = next(e for e in TOPOLOGY.exchanges if e.name == route.address.exchange)
    bound = [queue for queue in TOPOLOGY.queues if queue.exchange == exchange.name]
    if exchange.broadcast:
        assert bound == []
        assert route.subscribers
        return
    for key in routing_keys(route):
        matches = [q for q in bound if any(topic_matches(p, key) for p in q.patterns)]
        assert matches, key
        services = {q.name.split(".")[0] for q in matches if q.kind is QueueKind.WORK}
        assert services == set(route.subscribers)


def routing_keys(route: Route) -> list[str]:
    key = route.address.routing_key
    if route.address.lanes:
        return [key.replace("{lane}", f"p{n:02d}") for n in range(route.address.lanes)]
    return [key.replace("{channel}", "whatsapp")]


def test_the_manual_names_every_exchange_and_queue() -> None:
    manual = (DOCS / "messaging.md").read_text(encoding="utf-8")
    names = {exchange.name for exchange in TOPOLOGY.exchanges}
    names |= {queue.name for queue in TOPOLOGY.queues if not queue.single_active}
    names |= {queue.name for queue in TOPOLOGY.queues if queue.name.endswith(".p00")}
    assert not {name for name in names if f"`{name}`" not in manual}


def test_every_lane_of_the_topology_is_used() -> None:
    keys = {(r.address.exchange, key) for r in ROUTES for key in routing_keys(r)}
    lanes = [queue for queue in TOPOLOGY.queues if queue.single_active]
    assert all((lane.exchange, lane.patterns[0]) in keys for lane in lanes)


def properties_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for item in node.values():
            yield from properties_in(item)


PUBLIC = [route.payload for route in ROUTES if route.address.exchange == INTERACTIONS]


@pytest.mark.parametrize("model", PUBLIC, ids=lambda model: model.TYPE)
def test_a_public_event_has_no_place_for_text_or_a_phone_number(model: type[Payload]) -> None:
    document = model.model_json_schema()
    names = set(properties_in(document))
    assert names >= model.model_fields.keys()
    assert not {name for name in names if set(PERSONAL) & set(name.split("_"))}
    assert not model.PRIVATE
    # Nothing free-form either, where anything could be put.
    assert '"additionalProperties": true' not in json.dumps(document)


@pytest.mark.parametrize("model", PAYLOADS.values(), ids=lambda model: model.TYPE)
def test_private_fields_exist(model: type[Payload]) -> None:
    assert model.model_fields.keys() >= model.PRIVATE


@pytest.mark.parametrize("model", PAYLOADS.values(), ids=lambda model: model.TYPE)
def test_a_conversation_key_is_always_private(model: type[Payload]) -> None:
    assert ("conversation_key" in model.model_fields) == ("conversation_key" in model.PRIVATE)


def test_references_of_the_asyncapi_document_lead_somewhere() -> None:
    document = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    references = list(references_in(document))
    assert references
    for reference in references:
        if reference.startswith("#/"):
            node: Any = document
            for step in reference[2:].split("/"):
                node = node[step]
        else:
            assert (DOCS / reference).is_file(), reference


def references_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references_in(value)
    elif isinstance(node, list):
        for item in node:
            yield from references_in(item)


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=50)
@given(event_id=TEXT.filter(bool), tenant=TEXT, user_id=TEXT)
def test_any_event_of_ours_survives_the_wire(event_id: str, tenant: str, user_id: str) -> None:
    payload = UserCreated(user_id=user_id, channel="sdk")
    sent = Envelope.of(payload, source="brain", subject="s", tenant=tenant, id=event_id)
    received = Envelope.decode(sent.encode())
    assert received == sent
    assert received.payload(UserCreated) == payload
