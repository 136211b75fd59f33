"""Every code that Meta answers with: the state it ends in, how often we ask, and who is not delayed."""

from dataclasses import dataclass

import pytest

from outbound.domain.graph_codes import RULES
from tests.integration.outbound.world import Channel, Outbound, World, reply
from tests.support.eventually import eventually

PERSON, NEIGHBOUR = "447700900201", "447700900202"


@dataclass(frozen=True, slots=True)
class Expected:
    """``state`` when the code comes for ever, after ``requests``; ``once``: it comes once, and the
    reply goes out with the second request. ``holds``: who waits with it."""

    codes: tuple[int, ...]
    state: str
    requests: int
    holds: str
    once: bool = False


TABLE = (
    Expected((2, 131016, 133004), "sent", 2, "reply", once=True),
    Expected((131057, 2494100), "sent", 2, "reply", once=True),
    Expected((1,), "failed", 3, "reply"),
    Expected((131000,), "failed", 5, "reply"),
    Expected((131053,), "failed", 2, "reply"),
    Expected((131056,), "sent", 2, "reply", once=True),
    Expected((130429,), "sent", 2, "number", once=True),
    Expected((80007, 80008), "sent", 2, "account", once=True),
    Expected((4,), "sent", 2, "app", once=True),
    Expected((0, 190), "queued", 1, "number"),
    Expected((3, 10, 200, 299, 131005), "queued", 1, "number"),
    Expected((33,), "queued", 1, "number"),
    Expected((131037, 131045, 133006, 133010), "queued", 1, "number"),
    Expected((133005, 133008, 133009, 133015, 133016), "queued", 1, "number"),
    Expected((368, 131031), "queued", 1, "number"),
    Expected((131042, 131044, 134011), "queued", 1, "number"),
    Expected((131048, 131064), "queued", 1, "number"),
    Expected((131047,), "window_closed", 1, "reply"),
    Expected((100, 131008, 131009, 131021, 131051, 131055, 135000), "failed", 1, "reply"),
    Expected((130497, 130403, 130472, 131026, 131030), "failed", 1, "reply"),
    Expected((131049, 131050, 131052, 131062, 131063), "failed", 1, "reply"),
    Expected((132000, 132001, 132005, 132007, 132012), "failed", 1, "reply"),
    Expected((132015, 132016, 132018, 132068, 132069), "failed", 1, "reply"),
    Expected((134100, 134101, 134102, 137000), "failed", 1, "reply"),
    Expected((131020, 131041, 131059, 131215), "failed", 1, "reply"),
    Expected((147001, 147005), "failed", 1, "reply"),
)


def test_the_table_is_whole() -> None:
    asked = {code for expected in TABLE for code in expected.codes}
    spans = {*range(200, 300), *range(131200, 131300), *range(147001, 147006)}
    assert RULES.keys() - spans == asked - spans


async def neighbours(world: World, expected: Expected) -> Channel:
    """A channel that shares what the code does not reach."""
    shared = {
        "reply": None,
        "number": {"waba_id": "w1", "app_scope": "a1"},
        "account": {"waba_id": "w2", "app_scope": "a1"},
        "app": {"waba_id": "w2", "app_scope": "a2"},
    }[expected.holds]
    return await world.channel(**shared) if shared else await world.channel()


@pytest.mark.parametrize(
    ("expected", "code"),
    [(expected, code) for expected in TABLE for code in expected.codes],
    ids=lambda value: str(value) if isinstance(value, int) else value.state,
)
async def test_a_code_ends_as_documented(
    world: World, outbound: Outbound, expected: Expected, code: int
) -> None:
    channel = await world.channel(waba_id="w1", app_scope="a1")
    other = await neighbours(world, expected) if expected.holds != "reply" else channel
    action = {"type": "error", "code": code}
    times = 1 if expected.once else None
    await world.meta.fault(action, times=times, to=PERSON, phone_number_id=channel.phone_number_id)
    command = reply(channel, phone=PERSON)
    await outbound.deliver(command)
    delivery_id = command.data["delivery_id"]
    await outbound.document(delivery_id, attempts=1)
    await outbound.document(delivery_id, state={"$ne": "sending"})

    beside = reply(other, phone=NEIGHBOUR)
    await outbound.deliver(beside)
    await outbound.document(beside.data["delivery_id"], state="sent")

    async def asked() -> int:
        return sum(
            call["body"]["to"] == f"+{PERSON}"
            and call["path"].endswith(f"/{channel.phone_number_id}/messages")
            for call in await world.meta.requests()
        )

    if expected.state == "queued":
        document = await outbound.document(delivery_id, state="queued", waiting="channel")
        assert document["error"]["code"] == code
        assert await asked() == 1
        return

    async def ended() -> bool:
        found = await outbound.database["deliveries"].find_one({"_id": delivery_id})
        if found["state"] == expected.state:
            return True
        if found["state"] == "queued":
            world.clock.advance(minutes=10)
        return False

    await eventually(ended, timeout_s=20, every_s=0.1, message=expected.state)
    assert await asked() == expected.requests
