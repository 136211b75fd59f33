"""How a change of a delivery becomes true: one write, its events, and whoever waited for it."""

from collections.abc import Callable
from dataclasses import replace

import structlog

from outbound.adapters.delivery_store import DeliveryStore
from outbound.domain.deliveries import Delivery
from outbound.domain.graph_codes import code_label
from outbound.domain.lattice import State
from outbound.handlers.emissions import events_between
from shared.bus.outbox import Outbox
from shared.clock import Clock
from shared.telemetry.metrics import Metrics

log = structlog.get_logger()

Change = Callable[[Delivery], Delivery | None]
"""From what a delivery is to what it becomes; None leaves it alone. Must be pure."""


class Ledger:
    """Records changes. ``wake`` is called whenever an open delivery may have fallen due."""

    def __init__(
        self,
        store: DeliveryStore,
        outbox: Outbox,
        wake: Callable[[], None],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._wake = wake
        self._clock = clock
        self._metrics = metrics

    async def open(self, delivery: Delivery) -> bool:
        """Keep a new delivery; False when it is known. It is sent from here on, come what may."""
        new = await self._store.insert(delivery)
        self._wake()
        return new

    async def record(self, before: Delivery, after: Delivery) -> Delivery | None:
        """Write ``after``, and return it as written; None when somebody was faster than us."""
        publications = events_between(before, after)
        if not await self._store.replace(after, publications):
            return None
        if after.state is not before.state:
            code = after.error.code if after.error else None
            self._metrics.deliveries.labels(after.state.value, code_label(code)).inc()
            _log(after)
        if before.open and not after.open:
            await self._store.release_next(after.conversation_key, self._clock())
        self._wake()
        await self._outbox.flush(after.id, publications)
        return replace(after, version=after.version + 1)

    async def update(self, delivery: Delivery, change: Change) -> None:
        """Apply ``change`` to the delivery as it is now, however often others are faster."""
        current: Delivery | None = delivery
        while current is not None:
            after = change(current)
            if after is None or await self.record(current, after):
                return
            current = await self._store.get(delivery.id)


def _log(delivery: Delivery) -> None:
    error = delivery.error
    troubled = delivery.state in {State.FAILED, State.UNKNOWN}
    say = log.warning if troubled else log.debug if delivery.state is State.SENDING else log.info
    say(
        "delivery_changed",
        delivery_id=delivery.id,
        channel_id=delivery.channel_id,
        state=delivery.state.value,
        attempts=delivery.attempts,
        resent=delivery.resent,
        detail=error.detail if error else None,
        code=error.code if error else None,
        fbtrace_id=error.fbtrace_id if error else None,
    )
