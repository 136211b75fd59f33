"""``DeliveryStatusReceived``: the provider's word on what became of a message."""

from datetime import datetime
from functools import partial

import structlog

from outbound.adapters.delivery_store import DeliveryStore
from outbound.domain.deliveries import Delivery, Trouble, with_status
from outbound.domain.graph_codes import rule_for
from outbound.domain.lattice import State, reported
from outbound.handlers.ledger import Ledger
from outbound.handlers.problems import ProblemReports
from shared.clock import Clock
from shared.contracts import DeliveryStatusReceived, Envelope

log = structlog.get_logger()


class Statuses:
    """Handles ``DeliveryStatusReceived``. Safe to repeat and in any order."""

    def __init__(
        self, store: DeliveryStore, ledger: Ledger, problems: ProblemReports, clock: Clock
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._problems = problems
        self._clock = clock

    async def handle(self, envelope: Envelope) -> None:
        """Join it into the delivery; one about a message that is not ours is passed over."""
        event = envelope.payload(DeliveryStatusReceived)
        state = reported(event.status)
        if state is None:
            return
        delivery = await self._store.reported(
            envelope.tenant,
            event.channel_id,
            delivery_id=event.delivery_id,
            wamid=event.provider_message_id,
        )
        if delivery is None:
            log.debug("status_of_unknown_message", channel_id=event.channel_id)
            return
        now = self._clock()
        change = partial(_joined, event=event, status=state, now=now)
        await self._ledger.update(delivery, change)
        problem = rule_for(400, event.error_codes[0]).problem if event.error_codes else None
        if state is State.FAILED and problem is not None:
            await self._problems.report(delivery, problem, event.error_codes[0], now)


def _joined(
    delivery: Delivery, *, event: DeliveryStatusReceived, status: State, now: datetime
) -> Delivery | None:
    return with_status(
        delivery,
        status,
        event.provider_timestamp or now,
        wamid=event.provider_message_id,
        error=_trouble(event.error_codes) if status is State.FAILED else None,
    )


def _trouble(codes: tuple[int, ...]) -> Trouble:
    """Why a message failed after it was accepted. It is final: the provider does not try again."""
    if not codes:
        return Trouble("permanent", "failed_without_code")
    rule = rule_for(400, codes[0])
    return Trouble(rule.handling, rule.detail, codes[0])
