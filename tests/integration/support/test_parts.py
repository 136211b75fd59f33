"""The parts that every other test stands on."""

from pathlib import Path
from typing import Any

import aio_pika
import pytest
from pymongo import AsyncMongoClient

from devstack.mongod import MongodUnavailableError, embedded_mongod
from tests.support.rabbit import RabbitNode


async def test_a_broker_node_keeps_durable_messages_over_a_restart(tmp_path: Path) -> None:
    node = RabbitNode(tmp_path)
    try:
        await node.start()
        async with await aio_pika.connect(node.uri("/")) as connection:
            channel = await connection.channel()
            await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
            message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, "kept")
        await node.restart()
        async with await aio_pika.connect(node.uri("/")) as connection:
            channel = await connection.channel()
            queue = await channel.get_queue("kept")
            found = await queue.get(timeout=10)
            assert found.body == b"kept"
            await found.ack()
    finally:
        await node.close()


async def test_a_database_folder_reopens_on_another_port(tmp_path: Path) -> None:
    async with embedded_mongod(tmp_path) as uri, AsyncMongoClient[Any](uri) as client:
        await client["kept"]["things"].insert_one({"_id": 1})
    async with embedded_mongod(tmp_path) as other, AsyncMongoClient[Any](other) as client:
        assert await client["kept"]["things"].find_one({"_id": 1})
        with pytest.raises(MongodUnavailableError, match="another mongod uses"):
            async with embedded_mongod(tmp_path):
                pass
