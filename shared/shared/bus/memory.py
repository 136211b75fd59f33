"""The in-process bus of the one-process runner: same words, nothing survives the process.

Messages live in RAM. A stop that drains loses nothing; a kill loses what was not handled, which
is why this bus is for trying the product and for tests, and RabbitMQ for people.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from shared.bus.port import (
    BusUnavailableError,
    Message,
    OnDelivery,
    OnReconnect,
    Publication,
    TopologyError,
    UnroutableError,
)
from shared.bus.topology import Exchange, Queue, QueueKind, Topology
from shared.contracts import Envelope


def topic_matches(pattern: str, routing_key: str) -> bool:
    """AMQP topic match: ``*`` is one word, ``#`` is zero or more words."""
    return _words_match(pattern.split("."), routing_key.split("."))


def _words_match(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return any(_words_match(rest, words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and head in ("*", words[0]) and _words_match(rest, words[1:])


@dataclass(eq=False)
class _Consumer:
    queue: "_Store"
    on_delivery: OnDelivery
    prefetch: int
    unsettled: set["_Delivery"] = field(default_factory=set)

    async def cancel(self) -> None:
        if self in self.queue.consumers:
            self.queue.consumers.remove(self)
        self.queue.pump()

    async def close(self) -> None:
        await self.cancel()
        for delivery in tuple(self.unsettled):
            await delivery.nack()


@dataclass(eq=False)
class _Store:
    """A queue's messages: ``(order, message)``, lowest order first."""

    spec: Queue
    bus: "MemoryBus"
    messages: deque[tuple[int, Message]] = field(default_factory=deque)
    consumers: list[_Consumer] = field(default_factory=list)
    next_order: int = 0
    pumping: bool = False

    def put(self, message: Message) -> None:
        if self.spec.kind is QueueKind.LOG:
            return
        self.messages.append((self.next_order, message))
        self.next_order += 1
        self.pump()

    def put_back(self, order: int, message: Message) -> None:
        returned = (order, replace(message, redelivered=True))
        position = next(
            (at for at, (other, _) in enumerate(self.messages) if other > order),
            len(self.messages),
        )
        self.messages.insert(position, returned)
        self.pump()

    def pump(self) -> None:
        """Schedule delivery on the loop, so that a publisher never runs a consumer's code."""
        if not self.pumping and self.messages and self.consumers:
            self.pumping = True
            asyncio.get_running_loop().call_soon(self._deliver)

    def _deliver(self) -> None:
        self.pumping = False
        while self.messages and (consumer := self._free_consumer()):
            order, message = self.messages.popleft()
            delivery = _Delivery(message, order, consumer)
            consumer.unsettled.add(delivery)
            consumer.on_delivery(delivery)

    def _free_consumer(self) -> _Consumer | None:
        candidates = self.consumers[:1] if self.spec.single_active else self.consumers
        free = [c for c in candidates if len(c.unsettled) < c.prefetch]
        return min(free, key=lambda c: len(c.unsettled), default=None)


@dataclass(eq=False)
class _Delivery:
    message: Message
    order: int
    consumer: _Consumer

    def _settle(self) -> bool:
        if self not in self.consumer.unsettled:
            return False
        self.consumer.unsettled.discard(self)
        return True

    async def ack(self) -> None:
        if self._settle():
            self.consumer.queue.pump()

    async def nack(self) -> None:
        if self._settle():
            self.consumer.queue.put_back(self.order, self.message)

    async def reject(self) -> None:
        if self._settle():
            self.consumer.queue.bus.dead_letter(self.consumer.queue.spec, self.message)
            self.consumer.queue.pump()


class MemoryBus:
    """Implements ``Bus`` in one event loop."""

    def __init__(self) -> None:
        self._exchanges: dict[str, Exchange] = {}
        self._stores: dict[str, _Store] = {}
        self._consumers: list[_Consumer] = []
        self._closed = False

    async def declare(self, topology: Topology) -> None:
        """Make the topology so."""
        for exchange in topology.exchanges:
            known = self._exchanges.setdefault(exchange.name, exchange)
            if known != exchange:
                raise TopologyError(f"exchange {exchange.name} exists with another type")
        for queue in topology.queues:
            known_store = self._stores.setdefault(queue.name, _Store(queue, self))
            if known_store.spec != queue:
                raise TopologyError(f"queue {queue.name} exists with other arguments")

    async def check(self, topology: Topology) -> None:
        """Raises TopologyError when a part is missing."""
        wanted = {e.name for e in topology.exchanges} | {q.name for q in topology.queues}
        missing = wanted - self._exchanges.keys() - self._stores.keys()
        if missing:
            raise TopologyError(f"missing: {', '.join(sorted(missing))}")

    async def publish(
        self,
        exchange: str,
        routing_key: str,
        envelope: Envelope,
        *,
        timeout_s: float = 5.0,  # noqa: ARG002 - nothing to wait for
    ) -> None:
        """Keep the message in every queue bound for it."""
        self._route(
            Message(
                id=envelope.id,
                type=envelope.type,
                body=envelope.encode(),
                exchange=exchange,
                routing_key=routing_key,
                redelivered=False,
            )
        )

    async def publish_all(
        self, publications: Sequence[Publication], *, timeout_s: float = 10.0
    ) -> None:
        """Publish in order."""
        for item in publications:
            await self.publish(item.exchange, item.routing_key, item.envelope, timeout_s=timeout_s)

    def _route(self, message: Message) -> None:
        if self._closed:
            raise BusUnavailableError("the bus is closed")
        exchange = self._exchanges.get(message.exchange)
        if exchange is None:
            raise UnroutableError(f"no exchange {message.exchange}")
        stores = [s for s in self._stores.values() if self._bound(exchange, s, message)]
        if not stores and not exchange.broadcast:
            raise UnroutableError(f"no queue for {message.exchange}/{message.routing_key}")
        for store in stores:
            store.put(message)

    @staticmethod
    def _bound(exchange: Exchange, store: _Store, message: Message) -> bool:
        if store.spec.exchange != exchange.name:
            return False
        if exchange.kind == "direct":
            return message.routing_key in store.spec.patterns
        return any(topic_matches(p, message.routing_key) for p in store.spec.patterns)

    def dead_letter(self, queue: Queue, message: Message) -> None:
        """Where a rejected message goes: the queue's dead-letter exchange, or nowhere."""
        target = queue.arguments().get("x-dead-letter-exchange")
        if target is None:
            return
        key = str(queue.arguments()["x-dead-letter-routing-key"])
        with suppress(UnroutableError):
            self._route(replace(message, exchange=str(target), routing_key=key))

    async def subscribe(
        self,
        queue: Queue,
        on_delivery: OnDelivery,
        *,
        prefetch: int,
        priority: int = 0,  # noqa: ARG002 - the first to come stays active, as on old brokers
    ) -> _Consumer:
        """Deliver from ``queue``; an exclusive queue is made here."""
        if queue.kind is QueueKind.BROADCAST:
            self._stores.setdefault(queue.name, _Store(queue, self))
        store = self._stores.get(queue.name)
        if store is None:
            raise TopologyError(f"queue {queue.name} is missing")
        consumer = _Consumer(store, on_delivery, prefetch)
        store.consumers.append(consumer)
        self._consumers.append(consumer)
        store.pump()
        return consumer

    def on_reconnect(self, callback: OnReconnect) -> None:
        """Nothing to lose, so nothing to come back from."""

    async def ping(self) -> None:
        """Raises BusUnavailableError after ``close``."""
        if self._closed:
            raise BusUnavailableError("the bus is closed")

    async def close(self) -> None:
        """Give back unsettled deliveries; further publishing raises."""
        self._closed = True
        for consumer in self._consumers:
            consumer.queue.consumers.clear()
            consumer.unsettled.clear()
