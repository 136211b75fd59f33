"""A private RabbitMQ node as a plain child process: own ports, own cookie, own Erlang port mapper."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

from tests.support.ports import find_free_port
from tests.support.processes import BEFORE_EXEC

LIB = Path("/usr/lib/rabbitmq/bin")
BOOT_S = 90.0
STOP_S = 30.0
EPMD_S = 10.0


class BrokerMissingError(Exception):
    """No RabbitMQ is installed here."""


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


class RabbitNode:
    """One node. ``stop`` and ``start`` keep its port and its data; ``kill`` gives no warning."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = find_free_port()
        self._environment = self._own_environment()
        self._node: asyncio.subprocess.Process | None = None
        self._epmd: asyncio.subprocess.Process | None = None

    @staticmethod
    def installed() -> bool:
        """Whether the package's scripts are here."""
        return (LIB / "rabbitmq-server").exists() and shutil.which("epmd") is not None

    def uri(self, vhost: str) -> str:
        """AMQP URL of a virtual host."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/{quote(vhost, safe='')}"

    def _own_environment(self) -> dict[str, str]:
        folder = self._folder
        for name in ("home", "mnesia", "log", "config"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        empty = folder / "config" / "empty.conf"
        empty.write_text("")
        advanced = folder / "config" / "advanced.config"
        advanced.write_text("[].")
        plugins = folder / "config" / "enabled_plugins"
        plugins.write_text("[].")
        own = {
            "RABBITMQ_NODENAME": f"t{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(find_free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_CONFIG_FILE": str(empty),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(advanced),
            "RABBITMQ_CONF_ENV_FILE": str(empty),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+sbwt none +sbwtdcpu none +sbwtdio none "
                "-kernel inet_dist_use_interface {127,0,0,1}"
            ),
            "HOME": str(folder / "home"),
            "ERL_EPMD_PORT": str(find_free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith("RABBITMQ_")}
        return kept | own

    async def start(self) -> None:
        """Boot and wait until it speaks AMQP. Raises BrokerMissingError, RuntimeError."""
        if not self.installed():
            raise BrokerMissingError("install RabbitMQ: apt-get install rabbitmq-server")
        if self._epmd is None:
            await self._start_port_mapper()
        with (self._folder / "log" / "console.log").open("ab") as log:
            self._node = await self._spawn(
                str(LIB / "rabbitmq-server"), "-noinput", stdout=log.fileno()
            )
        try:
            async with asyncio.timeout(BOOT_S):
                while not await self._speaks_amqp():
                    if self._node.returncode is not None:
                        raise RuntimeError(f"RabbitMQ did not start: {self._log_tail()}")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            await self.kill()
            raise RuntimeError(f"RabbitMQ was not ready: {self._log_tail()}") from None

    async def _start_port_mapper(self) -> None:
        """Up before the node asks, or Erlang leaves a daemon of its own behind."""
        port = self._environment["ERL_EPMD_PORT"]
        self._epmd = await self._spawn("epmd", "-port", port)
        async with asyncio.timeout(EPMD_S):
            while not await _accepts(int(port)):
                if self._epmd.returncode is not None:
                    raise RuntimeError(f"epmd did not start on port {port}")
                await asyncio.sleep(0.01)

    async def _spawn(
        self, *command: str, stdout: int = asyncio.subprocess.DEVNULL
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=BEFORE_EXEC,
        )

    async def _speaks_amqp(self) -> bool:
        """Send the protocol header, expect Connection.Start: a log line is no signal."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        try:
            writer.write(b"AMQP\x00\x00\x09\x01")
            await writer.drain()
            return await asyncio.wait_for(reader.read(1), 5) == b"\x01"
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def create_vhost(self, name: str) -> None:
        """A virtual host of its own, open to guest."""
        # One call, for each starts an Erlang machine: half a second, more when the computer is busy.
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        definitions = self._folder / "config" / f"{name}.json"
        definitions.write_text(
            json.dumps(
                {
                    "vhosts": [{"name": name}],
                    "permissions": [{"user": "guest", "vhost": name, **everything}],
                }
            )
        )
        await self._ctl("import_definitions", str(definitions))

    async def delete_vhost(self, name: str) -> None:
        """Drop it with all of its queues."""
        await self._ctl("delete_vhost", name)

    async def _ctl(self, *arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            str(LIB / "rabbitmqctl"),
            "-n",
            self._environment["RABBITMQ_NODENAME"],
            *arguments,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), 60)
        if process.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {arguments[0]}: {output.decode()[-500:]}")

    async def stop(self) -> None:
        """SIGTERM, and wait; the port mapper stays for the next start."""
        if self._node is None or self._node.returncode is not None:
            return
        self._node.terminate()
        try:
            await asyncio.wait_for(self._node.wait(), STOP_S)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL to the whole group."""
        if self._node is not None and self._node.returncode is None:
            os.killpg(self._node.pid, signal.SIGKILL)
            await self._node.wait()

    async def restart(self) -> None:
        """Stop and start on the same port with the same data."""
        await self.stop()
        await self.start()

    async def close(self) -> None:
        """Stop the node and its port mapper."""
        await self.stop()
        if self._epmd is not None and self._epmd.returncode is None:
            self._epmd.kill()
            await self._epmd.wait()

    def log_text(self) -> str:
        """All that the node wrote, over restarts."""
        logs = sorted((self._folder / "log").glob("**/*.log"))
        return "\n".join(log.read_text(errors="replace") for log in logs)

    def _log_tail(self) -> str:
        return (self._folder / "log" / "console.log").read_text(errors="replace")[-2000:]
