import asyncio
import json
import os
import socket
import subprocess
import sys

import aiohttp

from tests.support.eventually import eventually


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_the_command_serves_logs_json_and_stops_on_a_signal() -> None:
    port = free_port()
    arguments = ("-m", "metasim", "--port", str(port), "--status-delays-ms", "")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        async with aiohttp.ClientSession() as session:

            async def page() -> str:
                async with session.get(f"http://127.0.0.1:{port}/") as answer:
                    return await answer.text()

            assert "Simulated phone" in await eventually(page)
    finally:
        process.terminate()
        output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    lines = [json.loads(line) for line in output.splitlines()]
    assert lines[0]["event"] == "simulator_started"
    assert lines[0]["port"] == port


def test_help_says_how_to_begin() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "metasim", "--help"], capture_output=True, text=True, check=True
    )
    assert "--port" in done.stdout
    assert "/sim/phone/messages" in done.stdout


def test_a_setting_out_of_range_is_one_readable_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "metasim", "--pair-burst", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pair_burst" in done.stderr
    assert "Traceback" not in done.stderr
