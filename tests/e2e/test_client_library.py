"""The client library against everything: a person writes, a program looks on and takes over.

Runs on every Python that the library runs on: tools/pythons.sh.
"""

import asyncio
import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI

from humane_ai import (
    AsyncHumaneClient,
    ConflictError,
    Interaction,
    NotFoundError,
    understanding,
    wrap,
)
from tests.e2e.one_process import devstack
from tests.support.eventually import eventually
from tests.support.model_double import ModelDouble
from tests.support.ports import find_free_port

PHONE = "15550007777"
MESSAGES: tuple[dict[str, Any], ...] = (
    {"text": "My name is Sarah and I work at TechCorp."},
    {"text": "My exam is next week and I am so nervous."},
    {"kind": "voice"},
)


async def test_a_program_sees_and_answers_a_person(tmp_path: Path) -> None:
    async with (
        devstack(tmp_path, find_free_port()) as (info, _),
        AsyncHumaneClient(api_key=info["api_key"], base_url=info["base_url"]) as client,
    ):
        await _write(info["simulator_url"])
        newest = await eventually(lambda: _answered(client), timeout_s=30)

        rows = [row async for row in client.users.interactions(PHONE, limit=1)]
        assert len(rows) == len(MESSAGES)
        assert newest.message.type == "audio"
        file = await client.interactions.media(newest.id)
        assert file.content_type.startswith("audio/ogg")
        assert file.content
        assert file.save(tmp_path).read_bytes() == file.content
        with pytest.raises(NotFoundError):
            await client.interactions.media(rows[-1].id)

        (user,) = [user async for user in client.users.list(channel="whatsapp")]
        assert "TechCorp" in [fact.value for fact in user.profile]
        found = await client.users.memories(user.id, query="Where do I work?", limit=1)
        assert "TechCorp" in found.memories[0].text
        assert found.memories[0].similarity > 0
        assert len(await client.users.memories(user.id)) <= found.total_stored

        (same,) = [
            user async for user in client.users.list(q=PHONE[:6], mood=None, action="PROCEED")
        ]
        assert (same.id, same.last_action) == (user.id, "PROCEED")
        long_ago = datetime.now(timezone.utc) + timedelta(hours=1)
        assert [user async for user in client.users.list(seen_since=long_ago)] == []
        await _alerts(client)
        await _taken_over(client, user.id)
        await _keys(client)
        await _in_front_of_a_model(client)
        await _from_a_terminal(info)


async def _alerts(client: AsyncHumaneClient) -> None:
    """A cry for help waits until somebody says that they look after it."""
    result = await client.process("lena", "I want to kill myself")
    (alert,) = [alert async for alert in client.alerts.list()]
    assert (alert.id, alert.action, alert.state) == (result.interaction_id, "BLOCK", "open")
    done = await client.alerts.update(alert.id, acknowledged=True, assignee="Ana", note="Called.")
    assert (done.state, done.assignee, done.history[-1].text) == ("acknowledged", "Ana", "Called.")
    assert [alert async for alert in client.alerts.list()] == []
    assert (await client.alerts.update(alert.id, unassign=True)).assignee is None
    with pytest.raises(NotFoundError):
        await client.alerts.get("nothing")


async def _write(simulator: str) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{simulator}/sim/numbers") as answer:
            (number,) = (await answer.json())["numbers"]
        about = {"phone_number_id": number["phone_number_id"], "from": f"+{PHONE}"}
        for message in MESSAGES:
            url = f"{simulator}/sim/phone/messages"
            async with http.post(url, json={**about, **message}) as answer:
                assert (await answer.json())["status_code"] == 200


async def _answered(client: AsyncHumaneClient) -> Interaction | None:
    """The newest of all messages, once what was said in return has arrived."""
    try:
        rows = [row async for row in client.users.interactions(PHONE)]
    except NotFoundError:
        return None
    told = len(rows) == len(MESSAGES) and rows[0].reply.deliveries
    return rows[0] if told else None


async def _taken_over(client: AsyncHumaneClient, user_id: str) -> None:
    until = datetime.now(timezone.utc) + timedelta(days=2)
    held = (await client.users.pause(user_id, until=until)).held_until
    assert abs(held - until) < timedelta(milliseconds=2)
    assert (await client.users.pause(user_id)).held_until.year == 9999

    one, again = [
        await client.users.send(user_id, text="Ann here.", idempotency_key="ticket-7")
        for _ in range(2)
    ]
    assert one.id == again.id
    assert [message.id async for message in client.users.messages(user_id)] == [one.id]

    async def arrived() -> bool:
        parts = await client.deliveries.of(one.id)
        return bool(parts) and parts[0].state in ("delivered", "read")

    await eventually(arrived, timeout_s=20)
    (part,) = await client.deliveries.of(one.id)
    assert (part.author, part.text, part.error) == ("operator", "Ann here.", None)
    ticked = [
        row.id
        for state in ("delivered", "read")  # one becomes the other at any moment
        async for row in client.deliveries.list(state, limit=1)
    ]
    assert part.id in ticked
    with pytest.raises(ConflictError) as caught:
        await client.users.send(user_id, text="hi", channel_id="mc_elsewhere")
    assert caught.value.slug == "no-conversation"
    assert (await client.users.resume(user_id)).held_until is None


async def _in_front_of_a_model(client: AsyncHumaneClient) -> None:
    await client.process("ann", "My name is Ann and I work at TechCorp.")
    said = "I am so sad and tired, where do I work?", "I want to kill myself tonight"
    async with ModelDouble().running() as model:
        openai = AsyncOpenAI(api_key="sk-x", base_url=model.url)
        async with wrap(openai, humane=client, user_id="ann", time_box_s=10) as wrapped:
            known, danger = [
                await wrapped.chat.completions.create(
                    model="asked-1", messages=[{"role": "user", "content": text}]
                )
                for text in said
            ]
    assert len(model.calls) == 1
    assert "TechCorp" in model.system()
    assert understanding(known).user.interaction_count == 2
    assert understanding(danger).safety.action == "BLOCK"
    assert danger.choices[0].message.content == understanding(danger).response


async def _from_a_terminal(info: dict[str, Any]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from humane_ai._command import main; main()",
        "doctor",
        "--json",
        env={"HUMANE_API_KEY": info["api_key"], "HUMANE_BASE_URL": info["base_url"]},
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    assert {finding["state"] for finding in json.loads(told)} == {"ok"}
    assert process.returncode == 0


async def _keys(client: AsyncHumaneClient) -> None:
    made = await client.keys.create("Night shift")
    assert made.key.endswith(made.last4)
    assert made.id in [key.id for key in await client.keys.list()]
    await client.keys.revoke(made.id)
    for key in await client.keys.list():
        with pytest.raises(ConflictError) as caught:
            await client.keys.revoke(key.id)
        assert caught.value.slug == "last-key"
