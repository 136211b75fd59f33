"""Finds open deliveries that fell due and has each looked at; the documents are the queue."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog

from outbound.adapters.delivery_store import DeliveryStore
from outbound.domain.deliveries import Delivery
from shared.clock import Clock
from shared.due import DueLoop
from shared.telemetry.trace import continued_trace

log = structlog.get_logger()

ALL_CHANNELS = None


class Dispatcher:
    """Looks at each delivery that is due, those of a channel that changed at once.

    ``step`` looks at one; ``resumed`` is told of a channel before its deliveries are tried again.
    """

    def __init__(
        self,
        store: DeliveryStore,
        step: Callable[[Delivery], Awaitable[None]],
        resumed: Callable[[str | None], Awaitable[None]],
        clock: Clock,
        concurrency: int,
    ) -> None:
        self._store = store
        self._step = step
        self._resumed = resumed
        self._clock = clock
        self._changed: set[str | None] = set()
        self.loop: DueLoop[Delivery] = DueLoop(
            "deliveries",
            find=self._find,
            next_due_at=store.next_due_at,
            key_of=lambda delivery: delivery.id,
            step=self._one,
            clock=clock,
            concurrency=concurrency,
        )
        """To be run by the service."""

    def resume(self, channel_id: str | None) -> None:
        """A channel changed (``ALL_CHANNELS``: any may have): try its waiting replies at once."""
        self._changed.add(channel_id)
        self.loop.wake()

    async def _find(self, now: datetime, limit: int) -> Sequence[Delivery]:
        for channel_id in tuple(self._changed):
            await self._resumed(channel_id)
            resumed = await self._store.resume_channel(channel_id, self._clock())
            self._changed.discard(channel_id)
            if resumed:
                log.info("channel_resumed", channel_id=channel_id, deliveries=resumed)
        return await self._store.due(now, limit)

    async def _one(self, delivery: Delivery) -> None:
        with continued_trace(delivery.traceparent, delivery_id=delivery.id):
            await self._step(delivery)
