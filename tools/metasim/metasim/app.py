"""Puts the parts together."""

from pathlib import Path

from aiohttp import web

from metasim.account import Account
from metasim.coexistence import Coexistence
from metasim.config import SimConfig
from metasim.control import Control
from metasim.edge import command_errors, graph_edge
from metasim.faults import Faults
from metasim.graph import GraphApi
from metasim.identity import Identity
from metasim.marks import Marks
from metasim.media_api import MediaApi
from metasim.numbers import Numbers
from metasim.phone import Phone
from metasim.raw import RawWebhooks
from metasim.sending import Sender
from metasim.standing import StandingControl
from metasim.tasks import Background
from metasim.webhooks import Courier
from metasim.world import World
from metasim.writing import Writing

PAGE = Path(__file__).with_name("page.html")

BODY_MAX = 32 * 1024 * 1024
"""Bytes of a command: a batch for the receiver's 3 MiB limit must pass here, escaped or not."""


def build_app(config: SimConfig | None = None) -> web.Application:
    """A simulator with a world of its own; run it once, by any aiohttp runner.

    At shutdown held requests and long polls are let go, and deliveries that still run are
    cancelled.
    """
    config = config or SimConfig()
    world = World(config)
    background = Background()
    courier = Courier(world, config, background)
    faults = Faults(world.stopping, config.hang_s)
    media = MediaApi(world, config.media_path)
    writing = Writing(world, courier)
    sender = Sender(world, courier, background, config)

    async def page(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE)

    async def let_go(_app: web.Application) -> None:
        world.stopping.set()
        await world.announce()

    app = web.Application(
        client_max_size=BODY_MAX,
        middlewares=[command_errors, graph_edge(world, faults, config.newest_graph_version)],
    )
    app.add_routes([web.get("/", page)])
    app.add_routes(Numbers(world, courier).routes())
    app.add_routes(StandingControl(world).routes())
    app.add_routes(Phone(world, writing).routes())
    app.add_routes(Marks(world, writing).routes())
    app.add_routes(Identity(world, courier).routes())
    app.add_routes(Coexistence(world, courier, writing).routes())
    app.add_routes(Account(world, courier).routes())
    app.add_routes(RawWebhooks(world, courier, escape=config.escape_unicode).routes())
    app.add_routes(Control(world, courier, faults, background).routes())
    app.add_routes(media.routes())
    app.add_routes(GraphApi(world, courier, sender, media).routes())
    app.cleanup_ctx.append(courier.open)
    app.on_shutdown.append(let_go)
    return app
