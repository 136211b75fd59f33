"""From a delivery to a settled message: decode, keep order per key, retry, dead-letter, drain.

The policy, the same for every service: a handler that returns is acknowledged; one that fails is
classified (``failures``) and its conversation is held in place while others flow. Nothing that may
still succeed is given up while the service's own dependencies are down.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import structlog

from shared.bus.failures import Failure, Outage, Permanent, Throttled, Transient, classify
from shared.bus.keyed import KeyedExecutor
from shared.bus.port import Bus, BusError, Delivery, Subscription
from shared.bus.topology import DEAD, Queue
from shared.contracts import PRIVATE_FIELDS, ContractError, Envelope
from shared.telemetry.metrics import Metrics
from shared.telemetry.trace import continued_trace

log = structlog.get_logger()

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
TRANSIENT_BUDGET_S = 120.0
"""How long one message may hold its conversation while everything else works."""


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """What to consume and how to judge failures."""

    name: str
    queues: Sequence[Queue]
    handle: Callable[[Envelope], Awaitable[None]]
    key_of: Callable[[Envelope], str]
    """Messages with the same key are handled one after another."""
    probe: Callable[[], Awaitable[None]]
    """Raises while the service's dependencies are down: then nothing is dead-lettered."""
    classify: Callable[[Exception], Failure] = classify
    """Decides which of the four failures an exception is."""
    on_dead: Callable[[Envelope, Permanent], Awaitable[None]] | None = None
    """Records a message that will not be handled, before it is dead-lettered without its text."""
    prefetch: int = 16
    concurrency: int = 64
    """Handlers that run at once; a message that waits for its next attempt takes no place."""
    budget_s: float = TRANSIENT_BUDGET_S


@dataclass(frozen=True, slots=True)
class _Lane:
    """One queue: whom it is delivered to, and the conversations in hand."""

    executor: KeyedExecutor
    subscription: Subscription

    async def hand_over(self, timeout_s: float) -> bool:
        """Finish what runs, then give back the rest and let the next replica take the queue.

        In this order, or the next replica would begin with messages that are younger than ours.
        """
        drained = await self.executor.drain(timeout_s)
        await self.executor.cancel()
        await self.subscription.close()
        return drained


class Consumer:
    """Runs one ``ConsumerSpec``. Started and drained by the runtime."""

    def __init__(self, spec: ConsumerSpec, bus: Bus, metrics: Metrics, instance: str) -> None:
        self._spec = spec
        self._bus = bus
        self._metrics = metrics
        self._instance = instance
        self._slots = asyncio.Semaphore(spec.concurrency)
        self._lanes: list[_Lane] = []
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Subscribe to every queue, own favourites first, so that replicas share the lanes."""
        for queue in sorted(self._spec.queues, key=self._priority, reverse=True):
            executor = KeyedExecutor()
            subscription = await self._bus.subscribe(
                queue,
                partial(self._accept, executor),
                prefetch=self._spec.prefetch,
                priority=self._priority(queue),
            )
            self._lanes.append(_Lane(executor, subscription))

    def _priority(self, queue: Queue) -> int:
        # Rendezvous hashing carried out by the broker: each replica is first at some lanes.
        return crc32(f"{self._instance}:{queue.name}".encode()) % 1000

    async def stop(self, timeout_s: float) -> bool:
        """Begin nothing new, finish what runs, give back the rest. False when it was cut short."""
        self._stopping.set()
        drained = await asyncio.gather(*(lane.hand_over(timeout_s) for lane in self._lanes))
        return all(drained)

    def _accept(self, executor: KeyedExecutor, delivery: Delivery) -> None:
        try:
            envelope = Envelope.decode(delivery.message.body)
        except ContractError as error:
            log.error("message_undecodable", id=delivery.message.id, error=str(error))
            executor.submit(delivery.message.id, delivery.reject)
            return
        executor.submit(self._key(envelope), lambda: self._handle(delivery, envelope))

    def _key(self, envelope: Envelope) -> str:
        try:
            return self._spec.key_of(envelope)
        except Exception as error:  # noqa: BLE001 - the handler meets it too, and is judged for it
            log.error("message_without_key", id=envelope.id, error=type(error).__name__)
            return envelope.id

    async def _handle(self, delivery: Delivery, envelope: Envelope) -> None:
        if self._stopping.is_set():
            return
        with continued_trace(envelope.traceparent, event_id=envelope.id, event_type=envelope.type):
            await self._until_settled(delivery, envelope)

    async def _until_settled(self, delivery: Delivery, envelope: Envelope) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        attempt = 0
        while True:
            attempt += 1
            failure = await self._attempt(envelope)
            if failure is None:
                self._metrics.consumed.labels(self._spec.name, "handled").inc()
                await delivery.ack()
                return
            failure = await self._judged(failure, held_s=loop.time() - began)
            log.warning(
                "message_failed",
                consumer=self._spec.name,
                failure=type(failure).__name__.lower(),
                reason=failure.reason,
                attempt=attempt,
            )
            self._metrics.consumed.labels(self._spec.name, type(failure).__name__.lower()).inc()
            if isinstance(failure, Permanent) and await self._bury(envelope, failure):
                await delivery.ack()
                return
            if await self._stopped_within(_delay_s(failure, attempt)):
                return

    async def _attempt(self, envelope: Envelope) -> Failure | None:
        try:
            async with self._slots:
                await self._spec.handle(envelope)
        except Failure as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - classified, never swallowed
            log.info("handler_raised", error=type(error).__name__, at=_where(error))
            return self._classified(error)
        return None

    def _classified(self, error: Exception) -> Failure:
        try:
            return self._spec.classify(error)
        except Exception as fault:  # noqa: BLE001 - a faulty judge condemns nobody
            log.error("classify_failed", error=type(fault).__name__, at=_where(fault))
            return Transient(f"unclassified_{type(error).__name__}")

    async def _judged(self, failure: Failure, *, held_s: float) -> Failure:
        """A message that keeps failing while all else works is at fault itself."""
        if not isinstance(failure, Transient) or held_s < self._spec.budget_s:
            return failure
        try:
            await self._spec.probe()
        except Exception as error:  # noqa: BLE001 - any failing probe means an outage
            return Outage(f"probe_{type(error).__name__}")
        return Permanent(f"exhausted_{failure.reason}")

    async def _bury(self, envelope: Envelope, failure: Permanent) -> bool:
        """Record, then dead-letter without text. False when that failed: try again later."""
        key = self._spec.queues[0].dead_letter_key or self._spec.name
        try:
            if self._spec.on_dead is not None:
                await self._spec.on_dead(envelope, failure)
            await self._bus.publish(DEAD, key, envelope.redacted(PRIVATE_FIELDS))
        except Exception as error:  # noqa: BLE001 - whatever it was, the message is still ours
            log.warning("dead_letter_postponed", error=type(error).__name__)
            return False
        log.error("message_dead", consumer=self._spec.name, reason=failure.reason)
        return True

    async def _stopped_within(self, delay_s: float) -> bool:
        try:
            async with asyncio.timeout(delay_s):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True


def _delay_s(failure: Failure, attempt: int) -> float:
    """Exponential back-off with jitter, 0.5 s doubling to 30 s; what a throttle says, exactly."""
    if isinstance(failure, Throttled):
        return failure.after_s
    backoff_s = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(attempt - 1, 10))
    return backoff_s * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing


def _where(error: Exception) -> str:
    """``module:line`` of the innermost frame: enough to find a bug, no values."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return "unknown"
    return f"{traceback.tb_frame.f_globals.get('__name__', '?')}:{traceback.tb_lineno}"


class Broadcast:
    """Listens to the control exchange: every replica hears every event, none is acknowledged late.

    ``on_event`` must be quick and harmless to repeat. ``on_gap`` is called when events may have
    been missed: after a reconnect, and for an event that cannot be read.
    """

    def __init__(
        self,
        bus: Bus,
        queue: Queue,
        on_event: Callable[[Envelope], None],
        on_gap: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._queue = queue
        self._on_event = on_event
        self._on_gap = on_gap
        self._executor = KeyedExecutor()
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Begin to listen."""

        async def gap() -> None:
            self._on_gap()

        self._bus.on_reconnect(gap)
        self._subscription = await self._bus.subscribe(self._queue, self._accept, prefetch=64)

    async def stop(self, timeout_s: float) -> bool:
        """Stop listening."""
        if self._subscription is not None:
            try:
                await self._subscription.cancel()
            except BusError as error:
                log.info("broadcast_cancel_lost", error=type(error).__name__)
        return await self._executor.drain(timeout_s)

    def _accept(self, delivery: Delivery) -> None:
        try:
            self._on_event(Envelope.decode(delivery.message.body))
        except Exception as error:  # noqa: BLE001 - the listener must go on listening
            log.error("control_event_failed", id=delivery.message.id, error=type(error).__name__)
            self._on_gap()
        self._executor.submit("ack", delivery.ack)
