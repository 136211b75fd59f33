"""The broker and the processes that every other test stands on."""

from pathlib import Path

import aio_pika
import pytest
from aiormq.exceptions import InvalidFrameError
from yarl import URL

from tests.support.mongod import fresh_database_name
from tests.support.ports import find_free_port
from tests.support.processes import ServiceProcess
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


async def test_a_virtual_host_comes_and_goes(rabbit: RabbitNode) -> None:
    name = fresh_database_name()
    await rabbit.create_vhost(name)
    async with await aio_pika.connect(rabbit.uri(name)) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await channel.default_exchange.publish(aio_pika.Message(b"here"), queue.name)
        assert (await queue.get(no_ack=True)).body == b"here"
    await rabbit.delete_vhost(name)
    # Not aio_pika.connect: it leaves the connection that failed without an owner.
    async with aio_pika.Connection(URL(rabbit.uri(name))) as connection:
        # The broker answers Open with Close, which aiormq reports as a frame out of turn.
        with pytest.raises(InvalidFrameError, match=r"Connection\.Close"):
            await connection.connect()


async def test_a_process_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    # Any module will do that ends by itself with a complaint.
    process = ServiceProcess(
        "json.tool", env={}, log_path=tmp_path / "log", arguments=("no-such-file",)
    )
    await process.start()
    with pytest.raises(AssertionError, match=r"(?s)json\.tool ended:.*no-such-file"):
        await process.wait_ready(find_free_port())
    assert await process.terminate() != 0
