"""The whole product in one process, on embedded parts: the picture of the system as code."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web

from brain.app import build as build_brain
from brain.settings import Settings as BrainSettings
from channels_api.app import build as build_channels_api
from channels_api.settings import Settings as ChannelsApiSettings
from dashboard.app import build as build_dashboard
from dashboard.settings import Settings as DashboardSettings
from devstack.demo import connect_demo_channel
from devstack.gateway import gateway
from devstack.info import Info, banner
from devstack.kept import keep
from devstack.members import Embedded, member
from devstack.mongod import MongodUnavailableError, embedded_mongod
from ingress.app import build as build_ingress
from ingress.settings import Settings as IngressSettings
from metasim import SimConfig, build_app
from outbound.app import build as build_outbound
from outbound.settings import Settings as OutboundSettings
from shared.settings import SettingsError
from shared.telemetry.logging import configure_logging

LOOPBACK = "127.0.0.1"
EXIT_CONFIGURATION = 2


@asynccontextmanager
async def stack(folder: Path, port: int, simulator_port: int) -> AsyncIterator[Info]:
    """Start every part, yield where it is, stop everything in reverse order."""
    kept_file = folder / "keys.json"
    kept = keep(kept_file)
    async with AsyncExitStack() as parts:
        simulator_url = await parts.enter_async_context(
            _site(build_app(SimConfig()), simulator_port)
        )
        mongodb_uri = os.environ.get("MONGODB_URI")
        if not mongodb_uri:
            mongodb_uri = await parts.enter_async_context(embedded_mongod(folder / "mongod"))
        os.environ.setdefault("CHANNELS_API_GRAPH_BASE_URL", simulator_url)
        os.environ.setdefault("CHANNELS_API_ALLOW_PRIVATE_ADDRESSES", "true")
        embedded = Embedded(mongodb_uri, os.environ.get("AMQP_URL"), kept.internal_token)
        channels = await parts.enter_async_context(
            member(
                "channels-api",
                ChannelsApiSettings,
                build_channels_api,
                embedded,
                internal_host=LOOPBACK,
                internal_port=0,
                ingress_tokens=kept.internal_token,
                brain_tokens=kept.internal_token,
                outbound_tokens=kept.internal_token,
                key_encryption_keys=f'{{"1": "{kept.key_encryption_key}"}}',
                bootstrap_api_key=kept.api_key,
            )
        )
        embedded.internal_api_url = f"http://{LOOPBACK}:{channels['internal']}"
        os.environ.setdefault("OUTBOUND_GRAPH_BASE_URL", simulator_url)
        os.environ.setdefault("OUTBOUND_MEDIA_HOSTS", json.dumps([simulator_url]))
        outbound = await parts.enter_async_context(
            member(
                "outbound",
                OutboundSettings,
                build_outbound,
                embedded,
                internal_host=LOOPBACK,
                internal_port=0,
                internal_tokens=kept.internal_token,
            )
        )
        brain = await parts.enter_async_context(
            member(
                "brain",
                BrainSettings,
                build_brain,
                embedded,
                offline_replies=True,
                media_api_url=f"http://{LOOPBACK}:{outbound['internal']}",
            )
        )
        ingress = await parts.enter_async_context(
            member("ingress", IngressSettings, build_ingress, embedded)
        )
        upstreams = {
            "channels-api": channels["public"],
            "outbound": outbound["public"],
            "brain": brain["public"],
            "ingress": ingress["public"],
        }
        urls = {name: f"http://{LOOPBACK}:{number}" for name, number in upstreams.items()}
        base_url = await parts.enter_async_context(_site(gateway(urls), port))
        dashboard = await parts.enter_async_context(
            member(
                "dashboard",
                DashboardSettings,
                build_dashboard,
                embedded,
                api_url=base_url,
                public_url=base_url,
                phone_url=simulator_url,
                session_keys=kept.session_key,
                secure_cookies=False,
            )
        )
        urls["dashboard"] = f"http://{LOOPBACK}:{dashboard['public']}"
        demo = await connect_demo_channel(base_url, simulator_url, kept)
        kept.save(kept_file)
        yield Info(base_url, kept.api_key, simulator_url, os.getpid(), demo)


@asynccontextmanager
async def _site(app: web.Application, port: int) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _run(folder: Path, port: int, simulator_port: int) -> int:
    loop = asyncio.get_running_loop()
    running = asyncio.current_task()
    assert running is not None  # noqa: S101 - a coroutine always runs in a task
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    info_file = folder / "info.json"
    try:
        async with stack(folder, port, simulator_port) as info:
            info.write(info_file)
            print(banner(info, folder), flush=True)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                running.uncancel()
                print("\nStopping…", flush=True)
            finally:
                info_file.unlink(missing_ok=True)
    except asyncio.CancelledError:
        return 1
    print("Stopped. Everything is kept in", folder)
    return 0


def main() -> int:
    """Parse, run, and say what is wrong in a sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m devstack", description="Runs every service in one process."
    )
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("PORT", "8080")),
        help="where it is served; PORT sets it too",
    )
    parser.add_argument(
        "--simulator-port",
        type=int,
        default=int(os.environ.get("SIMULATOR_PORT", "0")),
        help="0 picks a free one",
    )
    parser.add_argument("--folder", type=Path, default=Path(".devstack"), help="where data is kept")
    arguments = parser.parse_args()
    folder: Path = arguments.folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "info.json").unlink(missing_ok=True)
    with (folder / "log.jsonl").open("ab", buffering=0) as log_file:
        configure_logging(os.environ.get("LOG_LEVEL", "INFO"), "devstack", log_file)
        try:
            return asyncio.run(_run(folder, arguments.port, arguments.simulator_port))
        except SettingsError as error:
            problem = "\n".join(f"  - {line}" for line in error.problems)
            print(f"Cannot start, the settings do not stand:\n{problem}", file=sys.stderr)
        except MongodUnavailableError as error:
            print(f"Cannot start the embedded database: {error}", file=sys.stderr)
        except OSError as error:
            print(
                f"Cannot start: {error.strerror or error}. Is port {arguments.port} taken? "
                "Choose another: PORT=8090 make up",
                file=sys.stderr,
            )
    return EXIT_CONFIGURATION
