"""A whole run of brain in a process of its own, logging as in production, at its most talkative.

``python -m tests.integration.brain.logged_run``; what to say comes as JSON on standard input.
"""

import asyncio
import sys

import orjson
from pymongo import AsyncMongoClient

from shared.telemetry.logging import configure_logging
from tests.integration.brain.world import Keys, World, whatsapp
from tests.support.eventually import eventually
from tests.support.model_double import ModelDouble


async def run(told: dict) -> None:
    client = AsyncMongoClient(told["mongodb_uri"], tz_aware=True)
    database = client[told["database"]]
    async with client, Keys().running() as keys, ModelDouble().running() as model:
        world = World(database, told["mongodb_uri"], keys)
        model.text = told["reply"]
        settings = model.settings(llm_api_key=told["model_key"], log_level="DEBUG")
        async with world.brain(**settings) as brain:
            sender = {"phone": told["phone"], "name": told["name"]}
            messages = [whatsapp(text, **sender) for text in told["texts"]]
            await brain.deliver(*messages, whatsapp(told["texts"][0], phone=None))
            for message in messages:
                await brain.interaction(message)
                await brain.processed(message.data["message"]["text"]["body"], user_id=told["name"])
            await brain.get(f"/api/users/%2B{told['phone']}/memories?q={told['word']}")
            for path in ("/api/sdk/process", "/api/sdk/process/stream"):
                body = {"user_id": told["name"], "message": told["texts"][0]}
                await brain.call("POST", path, json=body)
                await brain.call("POST", path, json=body | {"user_id": {"a": told["word"]}})
            model.behaviour = "error"
            brain.bus.down = True
            failing = whatsapp(told["texts"][0], **sender)
            await brain.deliver(failing)
            rows = database["interactions"]
            await eventually(lambda: rows.find_one({"reply.reason": "reply_unavailable"}))
            brain.bus.down = False
            await database.command("collMod", "interactions", validator={"a": 1})
            refused = await brain.process(told["texts"][0], user_id=told["name"])
            assert refused.status == 503
            await database.command("collMod", "interactions", validator={})
            print(orjson.dumps({"key": brain.key}).decode(), file=sys.stderr)


if __name__ == "__main__":
    configure_logging("DEBUG", "brain")
    asyncio.run(run(orjson.loads(sys.stdin.buffer.read())), debug=True)
