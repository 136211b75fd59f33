"""Tells channels-api what happens at a webhook. Best effort: never delays or fails an answer."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from time import monotonic

import structlog

from ingress.domain.handshake import Outcome
from ingress.domain.signature import Refusal
from ingress.domain.split import Split
from shared.bus.port import Bus, BusError
from shared.bus.topology import ACTIVITY
from shared.contracts import (
    ChannelDeliveryObserved,
    ChannelHandshakeAstray,
    ChannelHandshakeAttempted,
    ChannelProblemDetected,
    Envelope,
    Payload,
)
from shared.http.internal import ChannelForIngress

log = structlog.get_logger()

MOST_PENDING = 1000
"""Activity is news, not truth: beyond this it is dropped."""
DELIVERY_EVERY_S = 1.0
PROBLEM_EVERY_S = 60.0
ASTRAY_EVERY_S = 0.5
"""Anybody can send such a token to any address; more often than this it is no operator."""
NOBODY = "nobody"
"""Tenant of what is not known to be anybody's."""
PUBLISH_TIMEOUT_S = 5.0


@dataclass(slots=True)
class _Counts:
    channel: ChannelForIngress
    messages: int = 0
    statuses: int = 0
    ignored: int = 0
    foreign: int = 0


class Activity:
    """A part of the service: publishes in the background, deliveries summed up per second."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts: dict[str, _Counts] = {}
        self._problem_told_at: dict[str, float] = {}
        self._astray_told_at = -ASTRAY_EVERY_S
        self._stopping = asyncio.Event()

    def handshake(self, channel: ChannelForIngress, outcome: Outcome) -> None:
        """Somebody pressed "Verify and save"."""
        attempted = ChannelHandshakeAttempted(channel_id=channel.channel_id, outcome=outcome.value)
        self._publish(channel, "channel.handshake", attempted)

    def astray(self, token_hash: str) -> None:
        """A token that may be ours came to an address it does not belong to. Told now and then."""
        now = monotonic()
        if now - self._astray_told_at < ASTRAY_EVERY_S or len(self._tasks) >= MOST_PENDING:
            return
        self._astray_told_at = now
        envelope = Envelope.of(
            ChannelHandshakeAstray(token_hash=token_hash),
            source="ingress",
            subject=NOBODY,
            tenant=NOBODY,
        )
        self._start(self._publish_one("channel.handshake_astray", envelope))

    def delivery(self, channel: ChannelForIngress, found: Split) -> None:
        """A signed webhook was taken."""
        counts = self._counts.setdefault(channel.channel_id, _Counts(channel))
        counts.messages += len(found.messages)
        counts.statuses += len(found.statuses)
        counts.ignored += found.ignored
        counts.foreign += found.foreign

    def bad_signature(self, channel: ChannelForIngress, refusal: Refusal) -> None:
        """Told once a minute: either the app secret is wrong, or somebody tries."""
        now = monotonic()
        if now - self._problem_told_at.get(channel.channel_id, -PROBLEM_EVERY_S) < PROBLEM_EVERY_S:
            return
        self._problem_told_at[channel.channel_id] = now
        detected = ChannelProblemDetected(
            channel_id=channel.channel_id,
            problem="bad_signature",
            detail=(
                f"A webhook was refused ({refusal.value}). If messages are missing, compare the "
                "app secret with App settings > Basic at Meta; otherwise nothing is to be done."
            ),
        )
        self._publish(channel, "channel.problem", detected)

    async def start(self) -> None:
        """Begin to publish sums."""
        self._start(self._sums_for_ever())

    async def stop(self, timeout_s: float) -> bool:
        """Publish what is left, within ``timeout_s``."""
        self._stopping.set()
        self._publish_sums()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        for task in tuple(self._tasks):
            task.cancel()
        return True

    async def _sums_for_ever(self) -> None:
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(DELIVERY_EVERY_S):
                    await self._stopping.wait()
            except TimeoutError:
                self._publish_sums()

    def _publish_sums(self) -> None:
        counts, self._counts = self._counts, {}
        for sums in counts.values():
            observed = ChannelDeliveryObserved(
                channel_id=sums.channel.channel_id,
                messages=sums.messages,
                statuses=sums.statuses,
                ignored=sums.ignored,
                foreign=sums.foreign,
            )
            self._publish(sums.channel, "channel.delivery", observed)

    def _publish(self, channel: ChannelForIngress, routing_key: str, payload: Payload) -> None:
        if len(self._tasks) >= MOST_PENDING:
            return
        envelope = Envelope.of(
            payload, source="ingress", subject=channel.channel_id, tenant=channel.tenant
        )
        self._start(self._publish_one(routing_key, envelope))

    async def _publish_one(self, routing_key: str, envelope: Envelope) -> None:
        try:
            await self._bus.publish(ACTIVITY, routing_key, envelope, timeout_s=PUBLISH_TIMEOUT_S)
        except BusError as error:
            log.warning("activity_dropped", kind=envelope.type, error=type(error).__name__)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
