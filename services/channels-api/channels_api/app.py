"""Where channels-api is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

from channels_api.adapters.activity_store import ActivityStore
from channels_api.adapters.channel_store import ChannelStore
from channels_api.adapters.collections import API_KEYS, CHANNELS, INDEXES
from channels_api.adapters.graph import GraphClient, GraphSettings
from channels_api.adapters.key_store import KeyStore
from channels_api.adapters.keyring_store import KeyringStore
from channels_api.adapters.outside import Outside
from channels_api.domain.addresses import Policy
from channels_api.domain.pace import Pace
from channels_api.first_start import check_keyring, ensure_first_key
from channels_api.handlers.activity import KeepActivity, channel_of
from channels_api.handlers.caught_up import TellCaughtUp
from channels_api.handlers.examine import Examine
from channels_api.handlers.health import WatchHealth
from channels_api.handlers.rewrapping import Rewrapping
from channels_api.handlers.setup import Setup
from channels_api.http.channels import Channels
from channels_api.http.checks import Checks
from channels_api.http.internal import Internal
from channels_api.http.keyring import KeyringApi
from channels_api.http.keys import Keys
from channels_api.http.reference import Reference
from channels_api.settings import Settings
from shared.bus.consumer import Consumer, ConsumerSpec
from shared.bus.outbox import Outbox
from shared.bus.topology import ACTIVITY_QUEUE
from shared.http.keys import require_key
from shared.http.operations import routes_of
from shared.http.outages import outages
from shared.http.server import application
from shared.http.service_token import Caller, require_service_token
from shared.http.throttle import throttle_of
from shared.runtime import HttpEdge, Resources, Service
from shared.settings import ServiceTokens


@asynccontextmanager
async def build(settings: Settings, resources: Resources) -> AsyncIterator[Service]:
    """The service: a public port, an internal one, the keeper of activity who watches health."""
    clock, metrics, database = resources.clock, resources.metrics, resources.database
    keyring = settings.keyring()
    channels, keys = ChannelStore(database, clock), KeyStore(database, clock)
    activity = ActivityStore(database)
    channel_outbox = Outbox(database[CHANNELS], resources.bus, clock, metrics)
    key_outbox = Outbox(database[API_KEYS], resources.bus, clock, metrics)

    policy = Policy(private=settings.allow_private_addresses)
    graph = GraphClient(
        GraphSettings(settings.graph_base_url, settings.graph_version, settings.graph_timeout_s),
        metrics,
    )
    outside = Outside(policy, settings.probe_timeout_s)
    examine = Examine(graph, outside, activity, policy, clock)
    setup = Setup(graph, examine, clock, settings.setup_wait_s)
    pace = Pace(settings.checks_per_minute, monotonic)
    checks = Checks(channels, channel_outbox, keyring, examine, setup, policy, pace, clock)

    grace = timedelta(seconds=settings.secret_grace_s)
    sealed = KeyringStore(database)
    rewrapping = Rewrapping(sealed, keyring, clock, settings.instance)
    numbers = Channels(channels, activity, channel_outbox, keyring, clock, grace, examine, checks)
    ring = KeyringApi(sealed, keyring, rewrapping, clock, settings.bootstrap_tenant)
    operations = (
        *numbers.operations(),
        *checks.operations(),
        *Keys(keys, key_outbox, clock, settings.bootstrap_tenant).operations(),
        *ring.operations(),
        *Reference().operations(),
    )
    public = application(metrics)
    open_paths = {operation.path for operation in operations if operation.keyless}
    keyed = require_key(keys.principal, clock, throttle_of(settings), open_paths=open_paths)
    public.middlewares.extend((outages, keyed))
    public.add_routes(routes_of(operations))

    internal = application(metrics)
    tokens: dict[Caller, ServiceTokens] = {
        "ingress": settings.ingress_tokens,
        "brain": settings.brain_tokens,
        "outbound": settings.outbound_tokens,
    }
    internal.middlewares.extend((outages, require_service_token(tokens)))
    internal.add_routes(Internal(channels, keys, keyring, clock).routes())

    async def prepare() -> None:
        await check_keyring(sealed, keyring)
        await ensure_first_key(keys, settings)

    keeper = ConsumerSpec(
        name="activity",
        queues=(ACTIVITY_QUEUE,),
        handle=KeepActivity(activity, channels, WatchHealth(channels, channel_outbox)).handle,
        key_of=channel_of,
        probe=resources.probe,
        prefetch=64,
    )
    try:
        yield Service(
            http=(
                HttpEdge("public", public, settings.host, settings.port),
                HttpEdge("internal", internal, settings.internal_host, settings.internal_port),
            ),
            parts=(
                channel_outbox,
                key_outbox,
                rewrapping,
                TellCaughtUp((channel_outbox, key_outbox), resources.bus, clock),
                Consumer(keeper, resources.bus, metrics, settings.instance),
            ),
            indexes=INDEXES,
            prepare=prepare,
        )
    finally:
        await graph.close()
        await outside.close()
