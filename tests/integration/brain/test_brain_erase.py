"""Promise 9, brain's part: erase means gone, also for what Meta sends once more."""

from typing import Any

from brain.adapters.erasure_store import ErasureStore
from brain.adapters.file_store import FileStore
from brain.adapters.interaction_store import InteractionStore
from brain.adapters.user_store import UserStore
from brain.handlers.emissions import forget_commands
from shared.clock import utc_now
from shared.contracts import Envelope, ForgetConversation, UserErased
from tests.integration.brain.world import CHANNEL, PHONE, TENANT, Brain, World, notice, whatsapp
from tests.support.eventually import eventually

TEXT = "my name is Sarah and this is a sentence nobody may find again"
ERASE = f"/api/privacy/erase/{PHONE}"


async def dump(brain: Brain) -> str:
    found = []
    for name in await brain.database.list_collection_names():
        found += [repr(row) async for row in brain.database[name].find({})]
    return "\n".join(found)


async def wrote(brain: Brain, text: str = TEXT, **message: Any) -> Any:
    envelope = whatsapp(text, **message)
    await brain.deliver(envelope)
    await brain.interaction(envelope)
    return envelope


def edit(of: Envelope, text: str) -> Envelope:
    body = {
        "original_message_id": of.data["provider_message_id"],
        "message": {"type": "text", "text": {"body": text}},
    }
    return notice("edit", body)


def reaction_to(of: Envelope) -> Envelope:
    return notice("reaction", {"message_id": of.data["provider_message_id"], "emoji": "x"})


async def test_nothing_is_left_and_nothing_comes_back(world: World):
    async with world.brain() as brain:
        envelope = await wrote(brain)
        await brain.call("POST", f"/api/users/{PHONE}/messages", json={"text": "Ann here, Sarah."})
        user = await brain.get(f"/api/users/{PHONE}")
        erased = await brain.call("DELETE", ERASE)
        assert erased.status == 200
        assert erased.json["complete"] is True
        assert erased.json["erased"] == {
            "users": 1,
            "interactions": 1,
            "memories": 1,
            "messages": 1,
        }
        (forget,) = brain.bus.of_type(ForgetConversation.TYPE)
        assert forget.payload(ForgetConversation).conversation_key == f"{CHANNEL}:{PHONE}"
        (told,) = brain.bus.of_type(UserErased.TYPE)
        assert (told.payload(UserErased).user_id, PHONE in told.encode().decode()) == (
            user["id"],
            False,
        )
        for path in (f"/api/users/{PHONE}", f"/api/users/{user['id']}/memories"):
            assert (await brain.call("GET", path)).status == 404
        # By our id a repeat is the same; nobody is left who had the phone.
        assert (await brain.call("DELETE", f"/api/privacy/erase/{user['id']}")).json["erased"]
        assert (await brain.call("DELETE", ERASE)).status == 404

        await brain.deliver(envelope)
        await brain.idle()
        assert (await brain.call("GET", f"/api/users/{PHONE}")).status == 404

        world.clock.advance(61)

        async def over() -> bool:
            row = await brain.database["erasures"].find_one({"_id": user["id"]})
            return row is not None and "settles_at" not in row and not row["emits_pending"]

        await eventually(over)
        written = await dump(brain)
        for planted in (TEXT, "Sarah", "Ann here", PHONE):
            assert planted not in written, planted

        again = await wrote(brain, "a new beginning")
        assert (await brain.interaction(again))["user"]["interaction_count"] == 1


async def test_an_edit_of_an_erased_message_does_not_bring_it_back(brain: Brain):
    envelope = await wrote(brain)
    await brain.call("DELETE", ERASE)
    await brain.deliver(edit(envelope, TEXT), reaction_to(envelope))
    await brain.idle()
    assert TEXT not in await dump(brain)


async def test_what_a_crash_left_is_erased_by_the_second_round(world: World):
    async with world.brain() as brain:
        await wrote(brain)
        user = await brain.get(f"/api/users/{PHONE}")
        users = UserStore(brain.database)
        found = await users.get(TENANT, user["id"])
        assert found is not None
        store = ErasureStore(brain.database, FileStore(brain.database), world.clock)
        await store.begin(found, "somebody", forget_commands(found, world.clock()))
    world.clock.advance(61)
    async with world.brain() as brain:

        async def gone() -> bool:
            return TEXT not in await dump(brain)

        await eventually(gone)
        await eventually(lambda: brain.bus.of_type(UserErased.TYPE))
        await eventually(lambda: brain.bus.of_type(ForgetConversation.TYPE))


async def test_what_could_not_be_handled_goes_too_and_a_strangers_stays(brain: Brain):
    broken, other = (whatsapp(TEXT, phone=phone) for phone in (PHONE, "15550009999"))
    await wrote(brain, "hello")
    interactions = InteractionStore(brain.database, utc_now)
    for envelope in (broken, other):
        await interactions.keep_unprocessed(envelope.id, TENANT, "test", envelope.encode())
    erased = await brain.call("DELETE", ERASE)
    assert erased.json["erased"]["unprocessed"] == 1
    rows = [row["_id"] async for row in brain.database["unprocessed"].find({})]
    assert rows == [other.id]


async def test_nobody_is_not_erased(brain: Brain):
    assert (await brain.call("DELETE", "/api/privacy/erase/nobody")).status == 404
