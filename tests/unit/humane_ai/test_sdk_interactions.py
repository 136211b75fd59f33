"""``client.interactions`` and ``client.deliveries``: what was said and what became of it."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import humane_ai
from humane_ai import (
    Delivery,
    DeliveryError,
    DeliveryStep,
    DeliverySummary,
    Interaction,
    MediaFile,
    Message,
    MessageVersion,
    Reaction,
    Reply,
)
from humane_ai._media import harmless_name
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import Wire, broken, refused
from tests.unit.humane_ai.wire_records import DELIVERY, FILE, INTERACTION

AT = datetime(2026, 3, 1, 10, 0, 0, 250000, tzinfo=timezone.utc)
THUMB = Reaction("\U0001f44d", AT)


async def test_an_interaction_is_read_field_by_field(call: Caller, wire: Wire) -> None:
    found: Interaction = await call(lambda c: c.interactions.get("i-1"))
    assert (wire.seen[0].method, wire.seen[0].path) == ("GET", "/api/interactions/i-1")
    assert (found.id, found.user_id, found.external_id) == ("i-1", "u-1", "sarah")
    assert (found.channel, found.channel_id) == ("whatsapp", "mc_1")
    assert (found.provider_message_id, found.at) == ("wamid.1", AT)
    assert found.sent_at == datetime(2026, 3, 1, 9, 59, 59, tzinfo=timezone.utc)
    assert found.message == Message(
        type="document",
        text="[document: letter.pdf] my number is [PHONE]",
        pii=("PHONE",),
        content=INTERACTION["message"]["content"],
        reaction=THUMB,
        edited_at=AT,
        revoked_at=None,
        versions=(MessageVersion("[document: letter.pdf]", AT),),
    )
    assert found.message.has_file
    assert (found.mood, found.energy, found.user.trust) == (0.31, 0.29, 0.71)
    assert (found.safety.action, found.safety.flags) == ("HOLD", ("crisis",))
    assert found.analysis.detected_emotions == ("fear",)
    assert (found.timing.delay_ms, found.context.tone) == (1800, "warm")
    assert found.memory.total_stored == 12
    assert found.reply == Reply(
        status="model",
        text="I am here.",
        model="gpt-x",
        reason="answered",
        at=AT,
        answered_with="i-2",
        reaction=THUMB,
        deliveries=(DeliverySummary("d-1", "failed", AT, 131026, "no_whatsapp"),),
    )
    assert found.raw == INTERACTION


async def test_a_bare_interaction_is_borne(call: Caller, wire: Wire) -> None:
    wire.records.interactions = [{"id": "i-1", "message": None, "reply": {"deliveries": None}}]
    found = await call(lambda c: c.interactions.get("i-1"))
    assert found == Interaction(id="i-1")
    assert not found.message.has_file
    assert found.safety.action == "HOLD"


async def test_an_unknown_interaction(call: Caller) -> None:
    with pytest.raises(humane_ai.NotFoundError, match="None such"):
        await call(lambda c: c.interactions.get("i-9"))


async def test_a_file_comes_with_its_type_and_name(call: Caller, wire: Wire) -> None:
    file = await call(lambda c: c.interactions.media("i-1"))
    (seen,) = wire.seen
    assert (seen.method, seen.path) == ("GET", "/api/interactions/i-1/media")
    assert seen.headers["accept"] == "*/*"
    assert file == MediaFile(FILE, "application/pdf", "letter \u20ac.pdf")
    assert "PDF" not in repr(file)


async def test_a_file_without_name_and_type(call: Caller, wire: Wire) -> None:
    wire.records.media_headers = {}
    file = await call(lambda c: c.interactions.media("i-1"))
    assert file == MediaFile(FILE, "application/octet-stream", "file")


async def test_a_file_is_asked_for_again_when_the_connection_breaks(
    call: Caller, wire: Wire
) -> None:
    wire.faults.extend([broken, refused(503, "media-unavailable")])
    assert (await call(lambda c: c.interactions.media("i-1"))).content == FILE


@pytest.mark.parametrize(
    ("status", "slug", "kind"),
    [
        (404, "media-gone", humane_ai.NotFoundError),
        (413, "media-too-large", humane_ai.ValidationError),
    ],
)
async def test_a_file_that_cannot_be_had(
    call: Caller, wire: Wire, status: int, slug: str, kind: type[humane_ai.APIError]
) -> None:
    wire.faults.append(refused(status, slug))
    with pytest.raises(kind) as caught:
        await call(lambda c: c.interactions.media("i-1"))
    assert caught.value.slug == slug
    assert len(wire.seen) == 1


def test_a_file_is_saved_where_you_say(tmp_path: Path) -> None:
    file = MediaFile(FILE, "application/pdf", "letter.pdf")
    place = tmp_path / "mine.bin"
    for _ in range(2):
        assert file.save(str(place)) == place
    assert place.read_bytes() == FILE


def test_in_a_folder_nothing_is_replaced(tmp_path: Path) -> None:
    file = MediaFile(FILE, "application/pdf", "letter.pdf")
    assert file.save(tmp_path) == tmp_path / "letter.pdf"
    assert (tmp_path / "letter.pdf").read_bytes() == FILE
    with pytest.raises(FileExistsError):
        MediaFile(b"other", filename="letter.pdf").save(tmp_path)
    assert (tmp_path / "letter.pdf").read_bytes() == FILE


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("letter.pdf", "letter.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\evil.exe", "evil.exe"),
        ("C:evil", "C_evil"),
        (".bashrc", "bashrc"),
        ("..", "file"),
        ("", "file"),
        ("a/", "file"),
        ("in\u202efdp.exe", "infdp.exe"),
        ("a\x00b\nc.txt", "abc.txt"),
        ("trailing. ", "trailing"),
        ("Caf\u00e9 \u4e2d.pdf", "Caf\u00e9 \u4e2d.pdf"),
        ("\u4e2d" * 120 + ".pdf", "\u4e2d" * 65 + ".pdf"),
        ("a." + "b" * 300, "a." + "b" * 19),
    ],
)
def test_a_strangers_name_is_made_harmless(sent: str, kept: str) -> None:
    assert harmless_name(sent) == kept


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename*=UTF-8''..%2F..%2Fup.txt", "up.txt"),
        ('attachment; filename="plain.txt"', "plain.txt"),
        ("attachment", "file"),
    ],
)
async def test_the_name_in_the_header(call: Caller, wire: Wire, header: str, name: str) -> None:
    wire.records.media_headers = {"Content-Disposition": header}
    assert (await call(lambda c: c.interactions.media("i-1"))).filename == name


async def test_the_deliveries_of_an_interaction(call: Caller, wire: Wire) -> None:
    (found,) = await call(lambda c: c.deliveries.of("i 1"))
    assert (wire.seen[0].method, wire.seen[0].path) == (
        "GET",
        "/api/deliveries?interaction_id=i+1",
    )
    expected: dict[str, Any] = {
        **DELIVERY,
        "next_attempt_at": AT,
        "created_at": AT,
        "updated_at": AT,
        "error": DeliveryError("transient", 131016, "meta_away", "AX"),
        "history": (DeliveryStep("queued", AT),),
    }
    assert found == Delivery(**expected)
    assert found.raw == DELIVERY


async def test_a_delivery_without_trouble(call: Caller, wire: Wire) -> None:
    wire.records.deliveries = [{"id": "d-1", "state": "a_state_of_tomorrow", "error": None}]
    assert await call(lambda c: c.deliveries.of("i-1")) == [
        Delivery(id="d-1", state="a_state_of_tomorrow")
    ]
