"""Where brain is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp

from brain.adapters.alert_store import AlertStore
from brain.adapters.collections import ERASURES, INDEXES, INTERACTIONS, OUTGOING
from brain.adapters.endpoint import Endpoint
from brain.adapters.erasure_store import ErasureStore
from brain.adapters.file_store import FileStore
from brain.adapters.interaction_store import InteractionStore
from brain.adapters.media_files import MediaFiles
from brain.adapters.media_reading import OpenAIMediaReader
from brain.adapters.memory_store import MemoryStore
from brain.adapters.notice_store import NoticeStore
from brain.adapters.outgoing_store import OutgoingStore
from brain.adapters.replies import OfflineReplies, OpenAIReplies
from brain.adapters.second_reader import OpenAISecondReader
from brain.adapters.shipped import shipped_pipeline
from brain.adapters.traffic import Traffic
from brain.adapters.user_store import UserStore
from brain.domain.replies import ReplyModel
from brain.domain.safety import SecondReader
from brain.handlers.answering import Answering
from brain.handlers.deliveries import Deliveries
from brain.handlers.erasing import Erasing
from brain.handlers.identities import Identities
from brain.handlers.inbound import Inbound, Messages, conversation_of
from brain.handlers.incoming import Incoming
from brain.handlers.media import Media
from brain.handlers.notices import Notices
from brain.handlers.replying import Replying
from brain.handlers.rewording import Rewording
from brain.handlers.stores import Stores
from brain.handlers.turns import TurnLimits, Turns
from brain.handlers.typing import Typing
from brain.http.alerts import Alerts
from brain.http.limits import RateLimit
from brain.http.media import MediaApi
from brain.http.overview import Overview
from brain.http.people import People
from brain.http.privacy import PrivacyApi
from brain.http.process import Processing
from brain.http.reading import Reading
from brain.settings import Settings
from shared.bus.consumer import Broadcast, Consumer, ConsumerSpec
from shared.bus.outbox import Outbox
from shared.bus.topology import BRAIN_LANES, broadcast_queue
from shared.cache import StaleCache
from shared.contracts import ControlCaughtUp, Envelope, KeyRevoked
from shared.http.internal import InternalApi
from shared.http.keys import require_key
from shared.http.operations import routes_of
from shared.http.outages import outages
from shared.http.server import application
from shared.http.throttle import throttle_of
from shared.principal import Principal
from shared.runtime import HttpEdge, Resources, Service

ANSWERING_MARGIN_S = 30.0
"""Beyond two tries of the reply model: then whoever was answering a person is gone."""


@asynccontextmanager
async def build(settings: Settings, resources: Resources) -> AsyncIterator[Service]:
    """Brain's service: inbound lanes, ``/api/sdk`` and the read API."""
    clock, metrics, database = resources.clock, resources.metrics, resources.database
    users = UserStore(database)
    memories = MemoryStore(
        database, clock, window=settings.recall_window, cached=settings.memory_cache
    )
    interactions = InteractionStore(database, clock)
    outbox = Outbox(database[INTERACTIONS], resources.bus, clock, metrics)
    endpoint = _endpoint(settings)
    model = _model(settings, endpoint)
    pipeline = shipped_pipeline(metrics, time_box_s=settings.reading_time_box_ms / 1000)
    outgoing = OutgoingStore(database, clock)
    outgoing_outbox = Outbox(database[OUTGOING], resources.bus, clock, metrics)
    alerts = AlertStore(database, clock)
    stores = Stores(users, interactions, memories, outgoing, outbox)
    files = FileStore(database)
    erasures = ErasureStore(database, files, clock)
    erasure_outbox = Outbox(database[ERASURES], resources.bus, clock, metrics)
    erasing = Erasing(erasures, memories, erasure_outbox, clock)
    reader = _media_reader(settings, endpoint)

    def reads(incoming: Incoming) -> bool:
        content = incoming.content
        return reader is not None and content.media is not None and reader.reads(content.kind)

    def fetches(incoming: Incoming) -> bool:
        kept = settings.media_eager and incoming.content.media is not None
        return kept or reads(incoming)

    replying = Replying(pipeline, model, settings.reply_delay_cap_ms, clock, metrics, reads)
    identities = Identities(stores)
    turns = Turns(
        stores,
        pipeline,
        replying,
        TurnLimits(settings.memory_cap, settings.hurry_after_s),
        clock,
        metrics,
        identities,
        _second_reader(settings, endpoint),
        fetches,
    )
    rewording = Rewording(stores, turns, clock)
    notices = Notices(
        stores, NoticeStore(database, clock), files, identities, turns, rewording, clock
    )
    typing = Typing(resources.bus, clock)
    answering = Answering(
        stores,
        turns,
        replying,
        typing,
        clock,
        patience=timedelta(seconds=ANSWERING_MARGIN_S + 2 * settings.llm_timeout_s),
    )
    async with aiohttp.ClientSession() as session, _opened(endpoint):
        internal = InternalApi(session, settings.internal_api_url, settings.internal_api_token)
        source = MediaFiles(session, settings.media_api_url, settings.internal_api_token)
        media = Media(
            stores,
            files,
            source,
            reader,
            rewording,
            answering,
            clock,
            eager=settings.media_eager,
        )
        inbound = Inbound(
            interactions,
            messages=Messages(turns, notices, answering, media, typing).handle,
            notices=notices.handle,
            deliveries=Deliveries(interactions, outgoing).handle,
            was_erased=erasures.was_erased,
        )
        principals: StaleCache[Principal] = StaleCache("keys", internal.principal, metrics)
        app = application(metrics)
        app.middlewares.extend((require_key(principals.get, clock, throttle_of(settings)), outages))
        limit = RateLimit(settings.process_rate_per_minute)
        operations = (
            *Processing(turns, users, interactions, outgoing, limit, clock).operations(),
            *Reading(users, interactions, memories, clock, pipeline.embedder).operations(),
            *MediaApi(interactions, files, source).operations(),
            *PrivacyApi(
                users, interactions, memories, outgoing, erasures, erasing, clock
            ).operations(),
            *Alerts(alerts, outbox, clock).operations(),
            *Overview(Traffic(database), alerts, clock).operations(),
            *People(users, outgoing, outgoing_outbox, clock).operations(),
        )
        app.add_routes(routes_of(operations))
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
                outgoing_outbox,
                erasure_outbox,
                erasing.loop,
                answering.loop,
                media.loop,
                _key_listener(settings, resources, principals),
                Consumer(lanes, resources.bus, metrics, settings.instance),
            ),
            indexes=INDEXES,
        )


def _endpoint(settings: Settings) -> Endpoint | None:
    if settings.llm_base_url is None:
        return None
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none"
    return Endpoint(base_url=settings.llm_base_url, api_key=key, timeout_s=settings.llm_timeout_s)


def _model(settings: Settings, endpoint: Endpoint | None) -> ReplyModel | None:
    if endpoint is not None and settings.llm_model:
        return OpenAIReplies(endpoint, model=settings.llm_model, timeout_s=settings.llm_timeout_s)
    return OfflineReplies() if settings.offline_replies else None


def _second_reader(settings: Settings, endpoint: Endpoint | None) -> SecondReader | None:
    if endpoint is None or not settings.llm_safety_model:
        return None
    return OpenAISecondReader(
        endpoint, model=settings.llm_safety_model, timeout_s=settings.llm_safety_timeout_s
    )


def _media_reader(settings: Settings, endpoint: Endpoint | None) -> OpenAIMediaReader | None:
    if endpoint is None or not (settings.llm_transcribe_model or settings.llm_vision_model):
        return None
    return OpenAIMediaReader(
        endpoint,
        transcribe_model=settings.llm_transcribe_model,
        vision_model=settings.llm_vision_model,
        timeout_s=settings.llm_timeout_s,
    )


@asynccontextmanager
async def _opened(endpoint: Endpoint | None) -> AsyncIterator[None]:
    """Ready before the first person writes; closed at the end."""
    if endpoint is None:
        yield
        return
    await endpoint.warm()
    try:
        yield
    finally:
        await endpoint.close()


def _key_listener(
    settings: Settings, resources: Resources, principals: StaleCache[Principal]
) -> Broadcast:
    def heard(envelope: Envelope) -> None:
        if envelope.type == ControlCaughtUp.TYPE:
            principals.told(envelope.payload(ControlCaughtUp).as_of, resources.clock())
            return
        principals.forget(envelope.payload(KeyRevoked).key_hash)

    queue = broadcast_queue(f"brain.{settings.instance}", ("key.revoked", "control.caught_up"))
    return Broadcast(resources.bus, queue, heard, principals.expire_all)
