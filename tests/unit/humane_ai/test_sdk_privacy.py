"""``client.memories`` and ``client.privacy``, and a message that is only to be understood."""

import pytest

from humane_ai import Erasure, InvalidArgumentError, NotFoundError
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import Wire, says
from tests.unit.humane_ai.wire_records import MEMORY


async def test_memories_are_listed_and_searched(call: Caller, wire: Wire) -> None:
    newest = await call(lambda c: c.memories.list("sarah"))
    found = await call(lambda c: c.memories.search("sarah", "her exam", limit=3))
    assert [memory.text for memory in newest] == [MEMORY["text"]]
    assert found.memories[0].similarity == 0.83
    path = "/api/users/sarah/memories"
    assert [seen.path for seen in wire.seen] == [f"{path}?limit=20", f"{path}?q=her+exam&limit=3"]


async def test_a_search_for_nothing_is_refused(call: Caller, wire: Wire) -> None:
    with pytest.raises(InvalidArgumentError, match="words to look for"):
        await call(lambda c: c.memories.search("sarah", "  "))
    assert wire.seen == []


async def test_all_that_is_kept_of_a_person_is_handed_out(call: Caller, wire: Wire) -> None:
    document = await call(lambda c: c.privacy.export("sarah"))
    assert document["user"]["external_id"] == "sarah"
    assert wire.seen[0].path == "/api/privacy/export/sarah"


async def test_a_person_is_erased(call: Caller, wire: Wire) -> None:
    erasure = await call(lambda c: c.privacy.erase("+1 555"))
    assert erasure == Erasure(complete=True, erased={"interactions": 7, "memories": 3})
    assert (wire.seen[0].method, wire.seen[0].path) == ("DELETE", "/api/privacy/erase/%2B1%20555")
    with pytest.raises(NotFoundError):
        await call(lambda c: c.privacy.erase("+1 555"))


async def test_an_export_that_is_none_is_not_handed_out(call: Caller, wire: Wire) -> None:
    wire.faults.append(says("[]", content_type="application/json"))
    with pytest.raises(Exception, match="Unreadable answer"):
        await call(lambda c: c.privacy.export("sarah"))


async def test_who_wants_no_reply_says_so(call: Caller, wire: Wire) -> None:
    await call(lambda c: c.process("u", "hi", respond=False))
    await call(lambda c: c.process("u", "hi"))
    assert [seen.body for seen in wire.seen] == [
        {"user_id": "u", "message": "hi", "respond": False},
        {"user_id": "u", "message": "hi"},
    ]
