"""Where brain is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from brain.adapters.collections import INDEXES, INTERACTIONS
from brain.adapters.interaction_store import InteractionStore
from brain.adapters.memory_store import MemoryStore
from brain.adapters.replies import OfflineReplies, OpenAIReplies
from brain.adapters.sentiment import LexiconAnalyser
from brain.adapters.user_store import UserStore
from brain.domain.crisis import load_crisis_book
from brain.domain.replies import ReplyModel
from brain.domain.safety_rules import RuleSafetyCheck, load_rules
from brain.domain.turn import Pipeline
from brain.handlers.inbound import Inbound, conversation_of
from brain.handlers.replying import Replying
from brain.handlers.turns import Stores, TurnLimits, Turns
from brain.http.limits import RateLimit
from brain.http.process import Processing
from brain.http.reading import Reading
from brain.settings import Settings
from shared.bus.consumer import Broadcast, Consumer, ConsumerSpec
from shared.bus.outbox import Outbox
from shared.bus.topology import BRAIN_LANES, broadcast_queue
from shared.cache import StaleCache
from shared.contracts import Envelope, KeyRevoked
from shared.http.internal import InternalApi, Principal
from shared.http.keys import require_key
from shared.http.outages import outages
from shared.http.server import application
from shared.runtime import HttpEdge, Resources, Service


@asynccontextmanager
async def build(settings: Settings, resources: Resources) -> AsyncIterator[Service]:
    """Brain's service: inbound lanes, ``/api/sdk`` and the read API."""
    clock, metrics, database = resources.clock, resources.metrics, resources.database
    users, memories = UserStore(database), MemoryStore(database)
    interactions = InteractionStore(database, clock)
    outbox = Outbox(database[INTERACTIONS], resources.bus, clock, metrics)
    model = _model(settings)
    pipeline = Pipeline(LexiconAnalyser(), RuleSafetyCheck(load_rules()), load_crisis_book())
    turns = Turns(
        Stores(users, interactions, memories, outbox),
        pipeline,
        Replying(pipeline, model, settings.reply_delay_cap_ms, clock, metrics),
        TurnLimits(settings.recall_window, settings.memory_cap),
        clock,
        metrics,
    )
    inbound = Inbound(turns, interactions)
    async with aiohttp.ClientSession() as session, _opened(model):
        internal = InternalApi(session, settings.internal_api_url, settings.internal_api_token)
        principals: StaleCache[Principal] = StaleCache("keys", internal.principal, metrics)
        app = application(metrics)
        app.middlewares.extend((require_key(principals.get), outages))
        limit = RateLimit(settings.process_rate_per_minute)
        app.add_routes(Processing(turns, users, interactions, limit, clock).routes())
        app.add_routes(
            Reading(users, interactions, memories, clock, settings.recall_window).routes()
        )
        lanes = ConsumerSpec(
            name="inbound",
            queues=BRAIN_LANES,
            handle=inbound.handle,
            key_of=conversation_of,
            probe=resources.probe,
            on_dead=inbound.keep_dead,
        )
        yield Service(
            http=(HttpEdge("public", app, settings.host, settings.port),),
            parts=(
                outbox,
                _key_listener(settings, resources, principals),
                Consumer(lanes, resources.bus, metrics, settings.instance),
            ),
            indexes=INDEXES,
        )


def _model(settings: Settings) -> ReplyModel | None:
    if settings.llm_base_url and settings.llm_model:
        key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none"
        return OpenAIReplies(
            base_url=settings.llm_base_url,
            api_key=key,
            model=settings.llm_model,
            timeout_s=settings.llm_timeout_s,
        )
    return OfflineReplies() if settings.offline_replies else None


@asynccontextmanager
async def _opened(model: ReplyModel | None) -> AsyncIterator[None]:
    """Ready before the first person writes; closed at the end."""
    if not isinstance(model, OpenAIReplies):
        yield
        return
    await model.warm()
    try:
        yield
    finally:
        await model.close()


def _key_listener(
    settings: Settings, resources: Resources, principals: StaleCache[Principal]
) -> Broadcast:
    def revoked(envelope: Envelope) -> None:
        principals.forget(envelope.payload(KeyRevoked).key_hash)

    queue = broadcast_queue(f"brain.{settings.instance}", ("key.revoked",))
    return Broadcast(resources.bus, queue, revoked, principals.expire_all)
