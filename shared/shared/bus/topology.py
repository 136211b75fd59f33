"""Every exchange and queue, as data. Arguments that order or safety depend on live here, not in policies.

A name ends in ``.v1`` because a queue's arguments cannot change: another argument is a new name,
bound beside the old one until that is drained. Numbers and reasons: ``docs/messaging.md``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Literal

INBOUND_LANES = 16
"""Lanes of the brain. A constant: changing it moves conversations to other lanes (ADR 0002)."""

OUTBOUND_LANES = 8

DELIVERY_LIMIT = 20
"""Deliveries of one message before it is dead-lettered; a net for a consumer that crashes.

High, because with a prefetch above one a crash charges every message in hand.
"""

INBOUND = "inbound"
INTERACTIONS = "interactions"
OUTBOUND = "outbound"
CONTROL = "control"
ACTIVITY = "activity"
DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange. Without a bound queue, publishing to it fails unless it is a broadcast."""

    name: str
    kind: Literal["direct", "topic"]
    broadcast: bool = False
    """Its listeners come and go with their processes: nobody listening is not an error."""


class QueueKind(StrEnum):
    """What a queue is for."""

    WORK = "work"
    """Replicated, durable, dead-letters at least once."""
    DEAD = "dead"
    """Replicated, durable, kept until somebody looks."""
    LOG = "log"
    """A stream: read many times, from any point."""
    BROADCAST = "broadcast"
    """Of one connection alone, gone with it."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, what it is bound to, and the arguments that follow from its kind."""

    name: str
    exchange: str
    patterns: tuple[str, ...]
    kind: QueueKind = QueueKind.WORK
    dead_letter_key: str | None = None
    single_active: bool = False

    def arguments(self) -> dict[str, str | int | bool]:
        """AMQP arguments. Never passes what some supported broker version refuses."""
        match self.kind:
            case QueueKind.LOG:
                return {"x-queue-type": "stream", "x-stream-max-segment-size-bytes": 100_000_000}
            case QueueKind.BROADCAST:
                return {}
            case QueueKind.DEAD:
                return {"x-queue-type": "quorum"}
            case QueueKind.WORK:
                return self._work_arguments()

    def _work_arguments(self) -> dict[str, str | int | bool]:
        arguments: dict[str, str | int | bool] = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": self.dead_letter_key or self.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        if self.single_active:
            arguments["x-single-active-consumer"] = True
        return arguments


@dataclass(frozen=True, slots=True)
class Topology:
    """A set of exchanges and durable queues."""

    exchanges: tuple[Exchange, ...] = ()
    queues: tuple[Queue, ...] = field(default=())


def partition(conversation_key: str, lanes: int) -> int:
    """The lane of a conversation, 0..lanes-1, the same in every process and for ever.

    BLAKE2b with an 8-byte digest, big-endian, modulo ``lanes``; pinned by golden tests. The
    publisher computes it because the broker's hash exchange moves keys over a restart (ADR 0002).
    """
    digest = blake2b(conversation_key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % lanes


def lane_key(conversation_key: str, lanes: int) -> str:
    """The routing key of a conversation's lane, such as ``p00``."""
    return f"p{partition(conversation_key, lanes):02d}"


def _lanes(service: str, lane: str, exchange: str, count: int) -> tuple[Queue, ...]:
    return tuple(
        Queue(
            name=f"{service}.{lane}.v1.p{number:02d}",
            exchange=exchange,
            patterns=(f"p{number:02d}",),
            dead_letter_key=f"{service}.{lane}",
            single_active=True,
        )
        for number in range(count)
    )


BRAIN_LANES = _lanes("brain", "inbound", INBOUND, INBOUND_LANES)
OUTBOUND_LANE_QUEUES = _lanes("outbound", "replies", OUTBOUND, OUTBOUND_LANES)
ACTIVITY_QUEUE = Queue(
    name="channels-api.activity.v1",
    exchange=ACTIVITY,
    patterns=("#",),
    dead_letter_key="channels-api.activity",
)
INTERACTIONS_LOG = Queue(
    name="interactions.log.v1", exchange=INTERACTIONS, patterns=("#",), kind=QueueKind.LOG
)


def _dead(service: str) -> Queue:
    return Queue(
        name=f"dead.{service}.v1", exchange=DEAD, patterns=(f"{service}.*",), kind=QueueKind.DEAD
    )


TOPOLOGY = Topology(
    exchanges=(
        Exchange(INBOUND, "direct"),
        Exchange(INTERACTIONS, "topic"),
        Exchange(OUTBOUND, "direct"),
        Exchange(CONTROL, "topic", broadcast=True),
        Exchange(ACTIVITY, "topic"),
        Exchange(DEAD, "topic"),
    ),
    queues=(
        *BRAIN_LANES,
        *OUTBOUND_LANE_QUEUES,
        ACTIVITY_QUEUE,
        INTERACTIONS_LOG,
        _dead("brain"),
        _dead("outbound"),
        _dead("channels-api"),
    ),
)
"""All of it. Every service makes or checks the whole: it is small, and a part may start first."""

BROADCASTS = frozenset(exchange.name for exchange in TOPOLOGY.exchanges if exchange.broadcast)


def broadcast_queue(instance: str, patterns: Iterable[str] = ("#",)) -> Queue:
    """The control queue of one replica; ``instance`` must be unique among running replicas."""
    return Queue(
        name=f"control.{instance}",
        exchange=CONTROL,
        patterns=tuple(patterns),
        kind=QueueKind.BROADCAST,
    )
