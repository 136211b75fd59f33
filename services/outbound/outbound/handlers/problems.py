"""Telling the channel's owner that something must be mended, once in a while."""

from datetime import datetime, timedelta

import structlog

from outbound.domain.deliveries import Delivery
from outbound.domain.graph_codes import Problem
from outbound.handlers.emissions import SOURCE
from shared.bus.port import Bus, BusError
from shared.bus.topology import ACTIVITY
from shared.contracts import ChannelProblemDetected, ChannelProblemEnded, Envelope, Payload

log = structlog.get_logger()

TOLD_EVERY = timedelta(minutes=10)


class ProblemReports:
    """Publishes ``ChannelProblemDetected``, at most every 10 minutes for a channel (per replica)."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._told: dict[str, datetime] = {}

    async def report(
        self, delivery: Delivery, problem: Problem, code: int | None, now: datetime
    ) -> None:
        """Tell. Best effort: the next failing reply tells again."""
        told = self._told.get(delivery.channel_id)
        if told is not None and now - told < TOLD_EVERY:
            return
        self._told[delivery.channel_id] = now
        log.warning(
            "channel_problem", channel_id=delivery.channel_id, problem=problem.slug, code=code
        )
        detected = ChannelProblemDetected(
            channel_id=delivery.channel_id,
            problem=problem.slug,
            detail=problem.sentence,
            code=code,
        )
        if not await self._publish(delivery, "channel.problem", detected, now):
            self._told.pop(delivery.channel_id, None)

    async def ended(self, delivery: Delivery, now: datetime) -> None:
        """A reply went out, so that the channel works. Best effort: the next one tells again."""
        self._told.pop(delivery.channel_id, None)
        log.info("channel_problem_ended", channel_id=delivery.channel_id)
        await self._publish(
            delivery,
            "channel.problem_ended",
            ChannelProblemEnded(channel_id=delivery.channel_id),
            now,
        )

    async def _publish(
        self, delivery: Delivery, routing_key: str, payload: Payload, now: datetime
    ) -> bool:
        envelope = Envelope.of(
            payload,
            source=SOURCE,
            subject=delivery.channel_id,
            tenant=delivery.tenant,
            time=now,
            traceparent=delivery.traceparent,
        )
        try:
            await self._bus.publish(ACTIVITY, routing_key, envelope)
        except BusError as error:
            log.warning("problem_report_lost", error=type(error).__name__)
            return False
        return True

    def mended(self, channel_id: str | None) -> None:
        """A channel changed (None: any may have): its next problem is news."""
        if channel_id is None:
            self._told.clear()
        else:
            self._told.pop(channel_id, None)
