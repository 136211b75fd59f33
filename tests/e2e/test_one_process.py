"""``make up`` as a newcomer meets it: one process, a second start, a clean stop."""

from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
from aiohttp import web
from pymongo import AsyncMongoClient

from devstack.demo import DEMO_NUMBER_ID
from humane_ai import AsyncHumaneClient
from tests.e2e.conftest import with_database
from tests.e2e.one_process import devstack
from tests.support.eventually import eventually
from tests.support.model_double import ModelDouble, listening
from tests.support.mongod import fresh_database_name
from tests.support.ports import find_free_port
from tests.support.rabbit import RabbitNode


async def test_up_serves_keeps_and_stops(tmp_path: Path) -> None:
    port = find_free_port()
    async with devstack(tmp_path, port) as (info, printed):
        assert info["base_url"] == f"http://127.0.0.1:{port}"
        async with AsyncHumaneClient(api_key=info["api_key"], base_url=info["base_url"]) as client:
            result = await client.process("sarah", "My name is Sarah and I work at TechCorp.")
            assert result.response
            channel = await client.channels.create_whatsapp(
                phone_number_id="1158201444",
                access_token="EAAtoken",
                app_secret="0123456789abcdef" * 2,
                label="Care line",
                auto_reply=True,
            )
        await eventually(lambda: info["api_key"] in "".join(printed))
        async with (
            aiohttp.ClientSession() as http,
            http.get(info["base_url"]) as page,
            http.get(info["simulator_url"]) as phone,
        ):
            assert (page.status, phone.status) == (200, 200)
        first = info
    async with devstack(tmp_path, port) as (info, _):
        assert info["api_key"] == first["api_key"]
        async with AsyncHumaneClient(api_key=info["api_key"], base_url=info["base_url"]) as client:
            assert channel.id in [c.id for c in await client.channels.list()]
            result = await client.process("sarah", "Do you remember where I work?")
            assert "TechCorp" in result.memory.relevant_memories[0].text
            assert result.user.interaction_count == 2


async def test_the_demo_channel_closes_the_loop(tmp_path: Path) -> None:
    async with (
        devstack(tmp_path, find_free_port()) as (info, _),
        aiohttp.ClientSession() as http,
    ):
        simulator = info["simulator_url"]
        async with http.get(f"{simulator}/sim/numbers") as answer:
            number = (await answer.json())["numbers"][0]["phone_number_id"]
        message = {"phone_number_id": number, "from": "+15550001111", "text": "Hello, anybody?"}
        async with http.post(f"{simulator}/sim/phone/messages", json=message) as answer:
            assert (await answer.json())["status_code"] == 200

        async def replied() -> bool:
            url = f"{simulator}/sim/phone/15550001111/messages?phone_number_id={number}"
            async with http.get(url) as answer:
                shown = (await answer.json())["messages"]
            return any("offline demo reply" in m["text"] for m in shown)

        await eventually(replied, timeout_s=10)


async def test_it_uses_the_broker_database_graph_and_model_that_it_is_given(
    tmp_path: Path, rabbit: RabbitNode, mongodb_uri: str
) -> None:
    vhost, database = fresh_database_name(), fresh_database_name()
    await rabbit.create_vhost(vhost)
    seen: list[str] = []

    async def graph(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.json_response({"messaging_product": "whatsapp", "messages": [{"id": "wamid.x"}]})

    app = web.Application()
    app.router.add_post("/{path:.*}", graph)
    double = ModelDouble()
    async with listening(app) as graph_url, double.running():
        given = {
            "AMQP_URL": rabbit.uri(vhost),
            "MONGODB_URI": with_database(mongodb_uri, database),
            "OUTBOUND_GRAPH_BASE_URL": graph_url,
            "LLM_BASE_URL": double.url,
            "LLM_MODEL": "double-1",
        }
        async with devstack(tmp_path, find_free_port(), **given) as (info, _):
            client = AsyncHumaneClient(api_key=info["api_key"], base_url=info["base_url"])
            async with client:
                result = await client.process("sarah", "It was a long day.")
            assert (result.response, result.model) == (double.text, "double-1")
            async with aiohttp.ClientSession() as http:
                message = {"phone_number_id": DEMO_NUMBER_ID, "from": "+15550002222", "text": "Hi!"}
                url = f"{info['simulator_url']}/sim/phone/messages"
                async with http.post(url, json=message) as answer:
                    assert (await answer.json())["status_code"] == 200
            await eventually(lambda: f"/v25.0/{DEMO_NUMBER_ID}/messages" in seen)
    assert not (tmp_path / "mongod").exists()
    async with AsyncMongoClient[Any](mongodb_uri) as mongo:
        assert await mongo[database]["interactions"].count_documents({}) == 2
    async with await aio_pika.connect(rabbit.uri(vhost)) as connection:
        channel = await connection.channel()
        assert await channel.get_queue("brain.inbound.v1.p00")
