"""``GET /api/overview``: whether everything is well, in numbers."""

from asyncio import gather
from collections import OrderedDict
from datetime import datetime, timedelta
from statistics import median, quantiles

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from brain.adapters.alert_store import AlertStore
from brain.adapters.traffic import Counts, Traffic
from brain.domain.wire import described
from shared.clock import Clock
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.pages import Query
from shared.http.problem import json_response, read_query

OVERDUE = timedelta(minutes=1)
LONG_H = 48
"""A longer span costs more to count than a page may take, and changes little in a minute."""
KEPT_FOR = timedelta(minutes=1)
MOST_KEPT = 1_000


class OverviewQuery(Query):
    """Of the overview."""

    hours: int = Field(default=24, ge=1, le=744, description="How far back.")


class Bucket(TypedDict):
    """What happened from ``at`` on."""

    at: datetime
    received: int
    answered: int
    held: int
    blocked: int


class Latency(TypedDict):
    """From a message to its answer, milliseconds; of the newest 2,000 answers."""

    median: float
    p95: float


@described
class OverviewShape(TypedDict):
    """The last hours in numbers."""

    since: datetime
    until: datetime
    bucket_s: int
    buckets: list[Bucket]
    """All of the span, those without a message too."""
    received: int
    answered: int
    people: int
    """Who wrote in that time."""
    open_alerts: int
    """Counted up to 1,000."""
    waiting: int
    """Answers that are more than a minute overdue now."""
    latency_ms: Latency | None
    """None: nothing was answered."""


class Overview:
    """Handler of the overview."""

    def __init__(self, traffic: Traffic, alerts: AlertStore, clock: Clock) -> None:
        self._traffic = traffic
        self._alerts = alerts
        self._clock = clock
        self._kept: OrderedDict[tuple[str, int], OverviewShape] = OrderedDict()

    def operations(self) -> list[Operation]:
        """Every route."""
        return [
            Operation(
                *("GET", "/api/overview", self.get, "read"),
                answer=OverviewShape,
                query=OverviewQuery,
            )
        ]

    async def get(self, request: web.Request) -> web.Response:
        """Messages, answers, alerts and how long people waited, over the last hours.

        `until` says as of when: the numbers of more than two days may be a minute old.
        """
        hours = read_query(request, OverviewQuery).hours
        tenant = request[PRINCIPAL].tenant
        if hours <= LONG_H:
            return json_response(await self._counted(tenant, hours))
        kept = self._kept.get((tenant, hours))
        if kept is None or kept["until"] + KEPT_FOR <= self._clock():
            kept = self._kept[tenant, hours] = await self._counted(tenant, hours)
            self._kept.move_to_end((tenant, hours))
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return json_response(kept)

    async def _counted(self, tenant: str, hours: int) -> OverviewShape:
        until = self._clock()
        bucket = bucket_for(hours)
        since = until - timedelta(hours=hours)
        counts, people, latencies, alerts, waiting = await gather(
            self._traffic.counts(tenant, since, bucket),
            self._traffic.people(tenant, since),
            self._traffic.latencies_ms(tenant, since),
            self._alerts.count_open(tenant),
            self._traffic.overdue(tenant, until - OVERDUE),
        )
        rows = [
            _bucket(since + number * bucket, counts.get(number, Counts()))
            for number in range(-(-timedelta(hours=hours) // bucket))
        ]
        return OverviewShape(
            since=since,
            until=until,
            bucket_s=int(bucket.total_seconds()),
            buckets=rows,
            received=sum(row["received"] for row in rows),
            answered=sum(row["answered"] for row in rows),
            people=people,
            open_alerts=alerts,
            waiting=waiting,
            latency_ms=_latency(latencies),
        )


def bucket_for(hours: int) -> timedelta:
    """So long that a chart has 24 to 168 bars."""
    if hours <= 2:
        return timedelta(minutes=5)
    return timedelta(hours=1) if hours <= 168 else timedelta(days=1)


def _bucket(at: datetime, counts: Counts) -> Bucket:
    return Bucket(
        at=at,
        received=counts.received,
        answered=counts.answered,
        held=counts.held,
        blocked=counts.blocked,
    )


def _latency(latencies: list[float]) -> Latency | None:
    if not latencies:
        return None
    p95 = quantiles(latencies, n=20)[-1] if len(latencies) > 1 else latencies[0]
    return Latency(median=median(latencies), p95=p95)
