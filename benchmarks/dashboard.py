"""How long the dashboard's pages take with many people in the house: `python -m benchmarks.dashboard`.

Starts the product in one process on a real mongod, has it understand a few messages, and copies what
it stored until there are 10,000 people and 200,000 interactions over 30 days. Then every page is
asked for in turn. The floor is the page that asks no other service (Settings), measured in the same
turns; the goal is a median of 150 ms.
"""

import argparse
import asyncio
import os
import random
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pymongo import AsyncMongoClient

from devstack.app import stack
from devstack.info import Info
from devstack.mongod import embedded_mongod
from humane_ai import AsyncHumaneClient
from shared.telemetry.logging import configure_logging

GOAL_MS = 150.0
SPAN = timedelta(days=30)
BATCH = 2_000
SAID = (
    "I finally got the job, I am so happy!",
    "soooo tired today, nothing works",
    "Can you tell me when you open?",
    "I am really angry, nobody called me back",
    "I want to end my life",
    "My name is Sarah and I work at TechCorp.",
    "thanks",
)


async def seed(database: Any, tenant: str, people: int, interactions: int) -> None:
    """Copies of what is there, with ids and times of their own."""
    users = await database.end_users.find({"tenant": tenant}).to_list()
    rows = await database.interactions.find({"tenant": tenant}).to_list()
    now = datetime.now(UTC)
    numbers = random.Random(7)

    def person(number: int) -> dict[str, Any]:
        made = deepcopy(users[number % len(users)])
        phone = f"1555{number:07d}"
        made["_id"] = f"eu_bench{number:08d}"
        made |= {"external_id": phone, "aliases": [f"phone:{phone}"], "channel": "whatsapp"}
        made |= {"name": f"Person {number}", "search": ["person", str(number), phone]}
        made["last_seen"] = now - SPAN * numbers.random()
        made["state"]["human"]["mood"] = numbers.random()
        return made

    def interaction(number: int) -> dict[str, Any]:
        made = deepcopy(rows[number % len(rows)])
        of = number % people
        at = now - SPAN * numbers.random()
        made |= {"_id": f"bench-{number:08d}", "user_id": f"eu_bench{of:08d}", "at": at}
        made |= {"external_id": f"1555{of:07d}", "channel": "whatsapp"}
        made["reply"]["at"] = at + timedelta(seconds=numbers.random() * 5)
        if "alert" in made:
            # Most were attended to long ago.
            made["alert"] |= {"raised_at": at, "open": numbers.random() < 0.01}
        return made

    for collection, make, count in (
        (database.end_users, person, people),
        (database.interactions, interaction, interactions),
    ):
        for batch in batches(count):
            await collection.insert_many([make(number) for number in batch], ordered=False)
        print(f"  {count:,} {collection.name}")


def batches(count: int) -> Iterator[range]:
    for start in range(0, count, BATCH):
        yield range(start, min(start + BATCH, count))


async def signed_in(http: aiohttp.ClientSession, base_url: str, api_key: str) -> None:
    async with http.post(f"{base_url}/app/sign-in", data={"key": api_key}) as answer:
        assert answer.status == 200, await answer.text()


async def pages(http: aiohttp.ClientSession, base_url: str, api_key: str) -> list[str]:
    headers = {"X-API-Key": api_key}
    async with http.get(f"{base_url}/api/users?limit=1&q=1555", headers=headers) as answer:
        user = (await answer.json())["users"][0]["id"]
    async with http.get(f"{base_url}/api/interactions?limit=1", headers=headers) as answer:
        row = (await answer.json())["interactions"][0]["id"]
    async with http.get(f"{base_url}/api/channels", headers=headers) as answer:
        channel = (await answer.json())["channels"][0]["id"]
    return [
        "/app/settings",
        "/app",
        "/app?hours=720",
        "/app/safety",
        "/app/safety?state=all",
        "/app/users",
        "/app/users?q=person 4",
        "/app/users?mood=low",
        "/app/users?action=BLOCK&mood=good",
        "/app/interactions",
        "/app/interactions?action=BLOCK",
        f"/app/interactions?channel_id={channel}",
        f"/app/interactions/{row}",
        f"/app/users/{user}",
        f"/app/channels/{channel}",
        "/app/channels",
        "/app/keys",
        "/app/audit",
    ]


async def measured(people: int, interactions: int, turns: int) -> bool:
    """Whether every page keeps the goal."""
    configure_logging("WARNING", "benchmark")
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_mongod(Path(folder) / "mongod") as uri:
            os.environ["MONGODB_URI"] = uri
            async with stack(Path(folder), 0, 0) as info:
                times, sizes = await asked(info, uri, people, interactions, turns)
    return told(times, sizes)


async def asked(
    info: Info, uri: str, people: int, interactions: int, turns: int
) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Milliseconds of every turn, and bytes, by page."""
    async with AsyncHumaneClient(api_key=info.api_key, base_url=info.base_url) as client:
        for number, text in enumerate(SAID):
            await client.process(f"seed-{number % 3}", text)
    print("Seeding…")
    async with AsyncMongoClient[dict[str, Any]](uri, tz_aware=True) as mongo:
        tenant = (await mongo["platform"]["end_users"].find_one({}))["tenant"]
        await seed(mongo["platform"], tenant, people, interactions)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        await signed_in(http, info.base_url, info.api_key)
        paths = await pages(http, info.base_url, info.api_key)
        times: dict[str, list[float]] = {path: [] for path in paths}
        sizes: dict[str, int] = {}
        for turn in range(turns + 1):
            for path in paths:
                began = perf_counter()
                async with http.get(info.base_url + path) as answer:
                    body = await answer.read()
                    assert answer.status == 200, (path, answer.status)
                    assert b"data-missing" not in body, path
                if turn:  # the first fills caches
                    times[path].append((perf_counter() - began) * 1000)
                sizes[path] = len(body)
    return times, sizes


def told(times: dict[str, list[float]], sizes: dict[str, int]) -> bool:
    """Print the table; whether every page keeps the goal."""
    floor = median(times["/app/settings"])
    print(f"\n{'page':44} {'median':>9} {'p95':>9} {'floors':>7} {'kB':>6}")
    kept = True
    for path, taken in times.items():
        middle, p95 = median(taken), quantiles(taken, n=20)[-1]
        kept = kept and middle < GOAL_MS
        shown = urlsplit(path)
        name = shown.path.split("/eu_")[0] + (f"?{shown.query[:24]}" if shown.query else "")
        mark = "" if middle < GOAL_MS else "  above the goal"
        print(
            f"{name[:44]:44} {middle:6.1f} ms {p95:6.1f} ms {middle / floor:7.1f} "
            f"{sizes[path] / 1000:6.1f}{mark}"
        )
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--interactions", type=int, default=200_000)
    parser.add_argument("--turns", type=int, default=20)
    arguments = parser.parse_args()
    kept = asyncio.run(measured(arguments.people, arguments.interactions, arguments.turns))
    print(f"\nGoal: a median below {GOAL_MS:.0f} ms. " + ("Kept." if kept else "Missed."))
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
