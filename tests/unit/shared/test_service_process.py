"""A service as a real process: signals, exit codes, what it prints."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

SETTINGS = """
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TINY_")

    stops: str = "at once"
    needed: SecretStr
"""

APP = """
import asyncio
from contextlib import asynccontextmanager

import structlog

from shared.runtime import Service


class Part:
    def __init__(self, stops):
        self.stops = stops

    async def start(self):
        if self.stops == "before it started":
            structlog.get_logger().info("starting")
            await asyncio.Event().wait()

    async def stop(self, timeout_s):
        if self.stops == "never":
            await asyncio.Event().wait()
        return self.stops != "cut short"


@asynccontextmanager
async def build(settings, resources):
    yield Service(parts=[Part(settings.stops)])
"""

MAIN = """
from shared.runtime import main

from tiny.app import build
from tiny.settings import Settings

raise SystemExit(main(Settings, build))
"""

SECONDS = 20


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    package = tmp_path / "tiny"
    package.mkdir()
    for name, text in (("settings", SETTINGS), ("app", APP), ("__main__", MAIN)):
        (package / f"{name}.py").write_text(text)
    return tmp_path


@asynccontextmanager
async def running(folder: Path, **environment: str) -> AsyncIterator[Process]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tiny"),
        cwd=folder,
        env={**kept, "TINY_ADMIN_HOST": "127.0.0.1", "TINY_ADMIN_PORT": "0", **environment},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line_with(process: Process, event: str) -> dict[str, Any]:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        entry: dict[str, Any] = json.loads(line)
        if entry["event"] == event:
            return entry
    raise AssertionError(f"{event} was never logged")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_and_exits_well(tiny: Path, number: signal.Signals) -> None:
    async with running(tiny, TINY_NEEDED="x") as process:
        ready = await line_with(process, "service_ready")
        assert (ready["service"], ready["level"]) == ("tiny", "info")
        process.send_signal(number)
        assert (await line_with(process, "service_stopped"))["drained"] is True
        assert await process.wait() == 0


async def test_a_stop_that_was_cut_short_is_told_by_the_exit_code(tiny: Path) -> None:
    async with running(tiny, TINY_NEEDED="x", TINY_STOPS="cut short") as process:
        await line_with(process, "service_ready")
        process.send_signal(signal.SIGTERM)
        assert (await line_with(process, "service_stopped"))["drained"] is False
        assert await process.wait() == 1


async def test_a_second_signal_skips_the_wait(tiny: Path) -> None:
    async with running(tiny, TINY_NEEDED="x", TINY_STOPS="never") as process:
        await line_with(process, "service_ready")
        process.send_signal(signal.SIGTERM)
        await line_with(process, "service_draining")
        process.send_signal(signal.SIGTERM)
        await line_with(process, "service_cut_short")
        assert await process.wait() == 1


async def test_a_signal_during_the_start_ends_it(tiny: Path) -> None:
    async with running(tiny, TINY_NEEDED="x", TINY_STOPS="before it started") as process:
        await line_with(process, "starting")
        process.send_signal(signal.SIGTERM)
        await line_with(process, "service_cut_short")
        assert await process.wait() == 1


async def test_settings_that_do_not_stand_are_listed_and_nothing_starts(tiny: Path) -> None:
    async with running(tiny, TINY_PROT="planted", TINY_LOG_LEVEL="planted") as process:
        output, errors = await process.communicate()
    assert process.returncode == 2
    assert output == b""
    listed = errors.decode().splitlines()
    assert listed[0] == "tiny cannot start, its settings do not stand:"
    assert [line.split(":")[0] for line in listed[1:]] == [
        "  - TINY_LOG_LEVEL",
        "  - TINY_NEEDED",
        "  - TINY_PROT",
    ]
    assert b"planted" not in errors
