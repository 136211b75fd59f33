"""Inbound lanes: one effect for each message, whatever is repeated, raced, or cut short."""

import asyncio
from datetime import UTC, datetime

import pytest

from shared.bus.topology import DEAD, OUTBOUND
from shared.contracts import Envelope, InteractionProcessed, SendReply, UserCreated
from tests.integration.brain.world import (
    PHONE,
    TENANT,
    Brain,
    Database,
    World,
    commands,
    settled,
    whatsapp,
)
from tests.support.eventually import eventually
from tests.support.model_double import ModelDouble

REFUSE_ALL = {"_id": {"$exists": False}}


async def refuse_writes(database: Database, refused: bool = True) -> None:
    """The database itself refuses every interaction: what a crash before the insert looks like."""
    await database.command("collMod", "interactions", validator=REFUSE_ALL if refused else {})


async def only(database: Database, collection: str) -> dict:
    rows = await database[collection].find({}).to_list()
    assert len(rows) == 1, (collection, len(rows))
    return rows[0]


def numbers(row: dict) -> tuple:
    return row["user"], row["analysis"], row["memory"], row["timing"], row["context"]


async def test_the_same_message_again_and_again_has_one_effect(world: World):
    message = whatsapp("I feel wonderful today")
    async with world.brain() as brain:
        await brain.deliver(message, message, message)
        await brain.interaction(message)
        await brain.idle()
        assert len({reply.id for reply in brain.bus.replies}) == 1
        assert len(brain.bus.of_type(InteractionProcessed.TYPE)) == 1
        first = brain.bus.replies[0].payload(SendReply)
    async with world.brain() as brain:
        await brain.deliver(message)
        await brain.idle()
        assert brain.bus.replies == []
    row = await only(world.database, "interactions")
    assert row["_id"] == first.interaction_id == message.id
    assert first.delivery_id == f"{message.id}:0"
    assert (first.to_phone, first.text) == (PHONE, row["reply"]["text"])
    assert first.context_message_id == row["provider_message_id"]
    user = await only(world.database, "end_users")
    assert (user["state"]["interaction_count"], user["version"]) == (1, 1)
    await only(world.database, "memories")


async def test_two_brains_race_for_one_message(world: World):
    message = whatsapp("I feel wonderful today")
    async with world.brain() as one, world.brain() as two:
        await asyncio.gather(one.deliver(message), two.deliver(message))
        await one.interaction(message)
        await one.idle()
        await two.idle()
        sent = [*one.bus.replies, *two.bus.replies]
        created = [*one.bus.of_type(UserCreated.TYPE), *two.bus.of_type(UserCreated.TYPE)]
    assert len({reply.id for reply in sent}) == 1
    assert len({event.id for event in created}) == 1
    await only(world.database, "interactions")
    user = await only(world.database, "end_users")
    assert (user["state"]["interaction_count"], user["version"]) == (1, 1)


async def test_two_brains_race_to_meet_one_person(world: World):
    messages = [whatsapp(f"hello number {n}") for n in range(6)]
    async with world.brain() as one, world.brain() as two:
        await asyncio.gather(one.deliver(*messages[:3]), two.deliver(*messages[3:]))
        for message in messages:
            await one.interaction(message)
        created = [*one.bus.of_type(UserCreated.TYPE), *two.bus.of_type(UserCreated.TYPE)]
    assert len(created) == 1
    user = await only(world.database, "end_users")
    assert user["state"]["interaction_count"] == 6
    counts = [
        row["user"]["interaction_count"] async for row in world.database["interactions"].find({})
    ]
    assert sorted(counts) == [1, 2, 3, 4, 5, 6]


async def test_a_refused_insert_is_repeated_with_the_same_numbers(brain: Brain):
    message = whatsapp("I am sad, my dog died yesterday")
    await refuse_writes(brain.database)
    await brain.deliver(message)
    moved = await eventually(lambda: brain.database["end_users"].find_one({"version": 1}))
    await refuse_writes(brain.database, refused=False)
    row = await brain.interaction(message)
    user = await only(brain.database, "end_users")
    assert user["state"] == moved["state"]
    assert user["version"] == 1
    assert row["user"]["mood"] == round(user["state"]["human"]["mood"], 4)
    assert row["user"]["interaction_count"] == 1
    assert row["analysis"]["mood_delta"] == round(
        user["state"]["human"]["mood"] - user["applied"][0]["before"]["human"]["mood"], 4
    )
    assert [e.data["user_id"] for e in brain.bus.of_type(UserCreated.TYPE)] == [user["_id"]]


async def test_a_brain_that_died_before_the_insert_is_continued_by_another(world: World):
    before = whatsapp("I work at TechCorp")
    message = whatsapp("I am sad, where do I work?")
    untouched = "447700900999"
    async with world.brain() as brain:
        await brain.deliver(before)
        await brain.interaction(before)
        await refuse_writes(world.database)
        await brain.deliver(message)
        await eventually(lambda: world.database["end_users"].find_one({"version": 2}))
    await refuse_writes(world.database, refused=False)
    world.clock.advance(3600)
    async with world.brain() as brain:
        await brain.deliver(message)
        row = await brain.interaction(message)
        # The same two messages, by somebody for whom nothing went wrong.
        world.clock.advance(-3600)
        twins = [
            whatsapp(text, phone=untouched, wamid=f"twin{n}")
            for n, text in enumerate(("I work at TechCorp", "I am sad, where do I work?"))
        ]
        await brain.deliver(*twins)
        twin = await brain.interaction(twins[1])
    user = await world.database["end_users"].find_one({"aliases": f"phone:{PHONE}"})
    assert (user["state"]["interaction_count"], user["version"]) == (2, 2)
    assert row["analysis"]["mood_delta"] == pytest.approx(twin["analysis"]["mood_delta"], abs=1e-3)
    assert row["user"]["mood"] == pytest.approx(twin["user"]["mood"], abs=1e-3)
    assert row["memory"]["total_stored"] == 2
    assert [hit["text"] for hit in row["memory"]["relevant_memories"]] == ["I work at TechCorp"]


async def test_the_ring_on_the_person_stops_a_second_move(world: World):
    async with world.brain() as brain:
        message = whatsapp("I feel wonderful today")
        await brain.deliver(message)
        row = await brain.interaction(message)
        await world.database["interactions"].delete_one({"_id": message.id})
        world.clock.advance(7200)
        await brain.deliver(message)
        again = await brain.interaction(message)
    assert numbers(again) == numbers(row)
    assert again["at"] == row["at"]
    user = await only(world.database, "end_users")
    assert (user["state"]["interaction_count"], user["version"]) == (1, 1)


async def test_a_reply_that_was_cut_short_is_finished_by_the_redelivery(
    world: World, model: ModelDouble
):
    message = whatsapp("I feel lonely")
    model.behaviour = "hang"
    async with world.brain(**model.settings(shutdown_s=0.4)) as brain:
        await brain.deliver(message)
        await eventually(lambda: model.prompts)
        assert brain.bus.replies == []
    left = await only(world.database, "interactions")
    assert left["reply"] == {"status": "pending"}
    model.behaviour = "normal"
    async with world.brain(**model.settings()) as brain:
        await brain.deliver(message)
        row = await brain.interaction(message)
        await brain.idle()
        assert [reply.data["text"] for reply in brain.bus.replies] == [model.text]
        assert brain.bus.of_type(InteractionProcessed.TYPE) == []
    assert row["reply"]["model"] == "double-1"
    assert numbers(row) == numbers(left)
    user = await only(world.database, "end_users")
    assert (user["state"]["interaction_count"], user["version"]) == (1, 1)
    # The prompt of the second attempt was made from the same state and the same words.
    assert model.prompts[0] == model.prompts[-1]


async def test_the_sweeper_publishes_what_the_broker_did_not_take(world: World):
    message = whatsapp("I feel wonderful today")
    async with world.brain() as brain:
        brain.bus.down = True
        await brain.deliver(message)
        rows = world.database["interactions"]
        row = await eventually(lambda: rows.find_one({"reply.status": "model"}))
        assert row["emits_pending"] is True
        assert brain.bus.on(OUTBOUND) == []
        brain.bus.down = False
        world.clock.advance(6)
        await settled(world.database, message.id)
        assert len(brain.bus.replies) == 1
        assert len(brain.bus.of_type(InteractionProcessed.TYPE)) == 1
        assert len(brain.bus.of_type(UserCreated.TYPE)) == 1


async def test_a_restarted_brain_publishes_what_a_crash_left(world: World):
    message = whatsapp("I feel wonderful today")
    async with world.brain() as brain:
        brain.bus.down = True
        await brain.deliver(message)
        await brain.idle()
    world.clock.advance(6)
    async with world.brain() as brain:
        await settled(world.database, message.id)
        assert len(brain.bus.replies) == 1


async def test_a_slow_model_holds_its_own_conversation_only(world: World, model: ModelDouble):
    model.held_word = "slowly"
    slow, behind = whatsapp("answer slowly please"), whatsapp("and this one after it")
    other = whatsapp("hello from elsewhere", phone="447700900222")
    async with world.brain(**model.settings()) as brain:
        await brain.deliver(slow, behind)
        await eventually(lambda: model.prompts)
        await brain.deliver(other)
        await brain.interaction(other)
        left = await world.database["interactions"].find_one({"_id": slow.id})
        assert left["reply"] == {"status": "pending"}
        assert await world.database["interactions"].find_one({"_id": behind.id}) is None
        model.release.set()
        await brain.interaction(behind)
        answered = [reply.data["interaction_id"] for reply in brain.bus.replies]
    assert answered == [other.id, slow.id, behind.id]


async def test_the_order_of_a_conversation_is_kept_also_within_one_webhook(brain: Brain):
    moment = datetime.now(UTC)
    words = [f"part {n}" for n in range(12)]
    messages = [whatsapp(text, received_at=moment) for text in words]
    await brain.deliver(*messages)
    await brain.interaction(messages[-1])
    history = await brain.get(f"/api/sdk/history/{PHONE}")
    assert [turn["content"] for turn in history if turn["role"] == "user"] == words
    rows = await brain.get(f"/api/users/{PHONE}/interactions")
    assert [row["message"]["text"] for row in rows["interactions"]] == words[::-1]


async def test_a_sender_without_a_phone_is_answered_by_their_id(brain: Brain):
    message = whatsapp("hello there", phone=None, user_id="GB.123")
    await brain.deliver(message)
    await brain.interaction(message)
    reply = brain.bus.replies[0].payload(SendReply)
    assert (reply.to_phone, reply.to_user_id) == (None, "GB.123")
    user = await brain.get("/api/users/GB.123")
    assert (user["external_id"], user["name"]) == ("GB.123", "Sarah")


async def test_a_sender_with_two_names_stays_one_person(brain: Brain):
    messages = [
        whatsapp("I work at TechCorp", user_id="GB.123"),
        whatsapp("hello again"),
        whatsapp("where do I work?", phone=None, user_id="GB.123"),
        whatsapp("hello once more", user_id="GB.123"),
    ]
    for message in messages:
        await brain.deliver(message)
        await brain.interaction(message)
    user = await only(brain.database, "end_users")
    assert set(user["aliases"]) == {"bsuid:GB.123", f"phone:{PHONE}"}
    assert user["state"]["interaction_count"] == 4
    asked = await brain.interaction(messages[2])
    assert asked["memory"]["relevant_memories"]
    assert asked["user"]["id"] == PHONE


async def test_two_people_who_prove_to_be_one_do_not_stop_the_lane(brain: Brain):
    apart = [whatsapp("by phone"), whatsapp("by id", phone=None, user_id="GB.123")]
    for message in apart:
        await brain.deliver(message)
        await brain.interaction(message)
    assert await brain.database["end_users"].count_documents({}) == 2
    joined = [
        whatsapp("by both", user_id="GB.123"),
        whatsapp("by phone again"),
        whatsapp("by id again", phone=None, user_id="GB.123"),
    ]
    rows = []
    for message in joined:
        await brain.deliver(message)
        rows.append(await brain.interaction(message))
    assert len({row["user_id"] for row in rows}) == 1
    second = await brain.interaction(apart[1])
    assert rows[0]["user_id"] == second["user_id"]
    assert [row["user"]["interaction_count"] for row in rows] == [3, 4, 5]
    assert await brain.database["end_users"].count_documents({}) == 1
    memories = await brain.database["memories"].distinct("user_id")
    assert memories == [second["user_id"]]
    former = await brain.database["former_users"].find_one({})
    assert (await brain.get(f"/api/users/{former['_id']}"))["id"] == former["into"]


async def test_an_image_speaks_by_its_caption(brain: Brain):
    captioned = whatsapp(type="image", image={"id": "m1", "caption": "look how happy we are"})
    bare = whatsapp(type="image", image={"id": "m2"})
    await brain.deliver(captioned, bare)
    row, silent = await brain.interaction(captioned), await brain.interaction(bare)
    assert row["message"]["text"] == "[image] look how happy we are"
    assert row["message"]["content"]["media"]["id"] == "m1"
    assert row["reply"]["status"] == "model"
    assert silent["message"]["text"] == "[image]"
    assert (silent["reply"]["status"], silent["reply"]["reason"]) == ("fixed", "not_seen")
    assert [reply.data["interaction_id"] for reply in brain.bus.replies] == [captioned.id, bare.id]
    assert await brain.database["memories"].count_documents({}) == 1


async def test_a_message_from_nobody_is_kept_and_dead_lettered_without_its_text(brain: Brain):
    message = whatsapp("a planted secret sentence", phone=None)
    await brain.deliver(message)
    await eventually(lambda: brain.bus.on(DEAD))
    dead = brain.bus.on(DEAD)[0]
    assert dead.routing_key == "brain.inbound"
    assert b"planted" not in dead.envelope.encode()
    kept = await only(brain.database, "unprocessed")
    assert (kept["_id"], kept["tenant"], kept["reason"]) == (message.id, TENANT, "no_sender")
    assert Envelope.decode(kept["envelope"]) == message
    assert await brain.database["interactions"].count_documents({}) == 0


async def test_without_auto_reply_it_understands_and_says_nothing(brain: Brain):
    message = whatsapp("I want to kill myself", auto_reply=False)
    await brain.deliver(message)
    row = await brain.interaction(message)
    assert (row["reply"]["status"], row["reply"]["reason"]) == ("none", "auto_reply_off")
    assert commands(brain) == []
    types = [item.envelope.type for item in brain.bus.on("interactions")]
    assert types == ["safety.blocked.v1", UserCreated.TYPE, InteractionProcessed.TYPE]


async def test_a_strange_message_is_understood_all_the_same(brain: Brain):
    messages = [
        whatsapp("far future", timestamp="253402300000"),
        whatsapp("no time at all", timestamp=None),
        whatsapp("zero \x00 byte"),
        whatsapp(
            type="interactive", interactive={"type": "list_reply", "list_reply": {"title": "Yes"}}
        ),
        whatsapp(type="unheard_of", unheard_of=7),
    ]
    await brain.deliver(*messages)
    rows = [await brain.interaction(message) for message in messages]
    assert [row["message"]["text"] for row in rows[3:]] == [
        "Yes",
        "[unsupported message: unheard_of]",
    ]
