"""``client.keyring``: what needs which key, and how far a rotation is."""

from humane_ai import KeyRotation, KeyVersion
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.wire import Wire


async def test_the_status_names_each_version_and_what_needs_it(call: Caller, wire: Wire) -> None:
    ring = await call(lambda c: c.keyring.status())
    assert (wire.seen[0].method, wire.seen[0].path) == ("GET", "/api/keyring")
    assert (ring.current, ring.rotation) == ("2", None)
    assert ring.versions == (KeyVersion("1", 4), KeyVersion("2", 0))


async def test_a_rotation_is_begun_and_followed(call: Caller, wire: Wire) -> None:
    begun: KeyRotation = await call(lambda c: c.keyring.rotate())
    assert (wire.seen[0].method, wire.seen[0].path) == ("POST", "/api/keyring/rotation")
    assert (begun.state, begun.done, begun.total, begun.started_by) == (
        "running",
        0,
        2,
        "first key",
    )
    states = [(await call(lambda c: c.keyring.status())).rotation.state for _ in range(2)]
    assert states == ["running", "done"]
