"""The whole product in one process of its own, as ``make up`` starts it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]
SERVICES_PYTHON = "SERVICES_PYTHON"
"""Names the interpreter of the services, where the tests run in another one."""


@asynccontextmanager
async def devstack(
    folder: Path, port: int, **environment: str
) -> AsyncIterator[tuple[dict[str, Any], list[str]]]:
    """Run it until the caller leaves; then Ctrl-C. Yields ``info.json`` and the printed text."""
    process = await asyncio.create_subprocess_exec(
        os.environ.get(SERVICES_PYTHON, sys.executable),
        "-m",
        "devstack",
        "--folder",
        str(folder),
        "--port",
        str(port),
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith(("LLM_", "MONGODB", "AMQP"))}
        | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed: list[str] = []

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            printed.append(line.decode())  # noqa: PERF401 - read while it runs, not at its end

    reading = asyncio.create_task(read())
    info_file = folder / "info.json"
    await eventually(lambda: info_file.exists() or process.returncode is not None, timeout_s=30)
    assert process.returncode is None, "".join(printed)
    try:
        yield json.loads(info_file.read_text()), printed
    finally:
        process.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(process.wait(), 30)
        await reading
        assert code == 0, "".join(printed)
        assert "Traceback" not in "".join(printed)
