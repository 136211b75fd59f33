"""A service as its own process, its output in a file."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

PR_SET_PDEATHSIG = 1
START_S = 30.0
STOP_S = 60.0

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
"""All that a service gets from us: whatever a developer's shell exports must not decide a test."""


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


BEFORE_EXEC = _end_with_parent if sys.platform == "linux" else None
"""For ``preexec_fn``: the kernel kills the child when we die, however we die (Linux only)."""


class ServiceProcess:
    """``python -m <package>``. Output of every run is appended to ``log_path``."""

    def __init__(
        self,
        package: str,
        *,
        env: Mapping[str, str],
        log_path: Path,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self._package = package
        self._env = {name: os.environ[name] for name in INHERITED if name in os.environ} | {**env}
        self._log_path = log_path
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; does not wait until it is ready."""
        with self._log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._package,
                *self._arguments,
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                preexec_fn=BEFORE_EXEC,
            )

    @property
    def running(self) -> asyncio.subprocess.Process:
        """The process. Raises when it was never started."""
        assert self._process is not None, f"{self._package} was not started"
        return self._process

    async def wait_ready(self, admin_port: int) -> None:
        """Poll ``/readyz``. Raises AssertionError with the log's tail when it dies or takes long."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            try:
                async with asyncio.timeout(START_S):
                    while not await self._is_ready(http, admin_port):
                        assert self.running.returncode is None, self._report("ended")
                        await asyncio.sleep(0.05)
            except TimeoutError:
                raise AssertionError(self._report("was not ready")) from None

    @staticmethod
    async def _is_ready(http: aiohttp.ClientSession, port: int) -> bool:
        try:
            async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def terminate(self) -> int:
        """SIGTERM, and wait; its exit code."""
        if self.running.returncode is None:
            self.running.terminate()
        try:
            return await asyncio.wait_for(self.running.wait(), STOP_S)
        except TimeoutError:
            await self.kill()
            raise AssertionError(self._report("did not stop")) from None

    async def kill(self) -> None:
        """SIGKILL."""
        if self.running.returncode is None:
            self.running.kill()
        await self.running.wait()

    def _report(self, what: str) -> str:
        tail = self._log_path.read_text(errors="replace")[-3000:]
        return f"{self._package} {what}:\n{tail}"
