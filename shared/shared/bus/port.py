"""What a service sees of the broker. RabbitMQ and the in-process bus both stand behind this.

Both pass ``tests/contract/bus``; nothing outside this folder imports an AMQP library.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.bus.topology import Queue, Topology
from shared.contracts import Envelope


class BusError(Exception):
    """Base of what a bus can raise."""


class BusUnavailableError(BusError):
    """The broker did not confirm in time: the message may or may not be kept. Retry, same id."""


class UnroutableError(BusError):
    """No queue is bound for this routing key: nothing was kept. A mistake in the topology."""


class TopologyError(BusError):
    """An exchange or queue is missing, or exists with other arguments."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One message on its way to an exchange."""

    exchange: str
    routing_key: str
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Message:
    """What came out of a queue, undecoded."""

    id: str
    type: str
    body: bytes
    exchange: str
    routing_key: str
    redelivered: bool


class Delivery(Protocol):
    """A message that is ours until it is settled, exactly once, by one of three words.

    Settling after the connection was lost raises nothing: the broker delivers it again.
    """

    @property
    def message(self) -> Message:
        """The message."""
        ...

    async def ack(self) -> None:
        """Handled: forget it."""
        ...

    async def nack(self) -> None:
        """Not begun: give it back, at its old place."""
        ...

    async def reject(self) -> None:
        """Never deliver it again: to the queue's dead-letter exchange, or dropped without one."""
        ...


OnDelivery = Callable[[Delivery], None]
"""Called in order of delivery; must not block. What it starts settles the delivery later."""

OnReconnect = Callable[[], Awaitable[None]]


class Subscription(Protocol):
    """A running consumer."""

    async def cancel(self) -> None:
        """Take no further message. Deliveries in hand stay ours."""
        ...

    async def close(self) -> None:
        """Take no further message and give back all in hand, at their old places.

        The next consumer of the queue begins with them. Safe to call twice and after ``cancel``.
        """
        ...


class Bus(Protocol):
    """At-least-once messaging with confirmed, routed publishing."""

    async def declare(self, topology: Topology) -> None:
        """Make the topology so. Raises TopologyError when a part exists with other arguments."""
        ...

    async def check(self, topology: Topology) -> None:
        """Raises TopologyError when a part is missing."""
        ...

    async def publish(
        self, exchange: str, routing_key: str, envelope: Envelope, *, timeout_s: float = 5.0
    ) -> None:
        """Return when the broker keeps the message durably in every queue bound for it.

        Raises UnroutableError, BusUnavailableError.
        """
        ...

    async def publish_all(
        self, publications: Sequence[Publication], *, timeout_s: float = 10.0
    ) -> None:
        """Publish in order, confirms pipelined. On an error any subset may have been kept."""
        ...

    async def subscribe(
        self, queue: Queue, on_delivery: OnDelivery, *, prefetch: int, priority: int = 0
    ) -> Subscription:
        """Deliver from ``queue``, at most ``prefetch`` unsettled at once.

        On a single-active-consumer queue the highest ``priority`` is active where the broker
        can move it; an exclusive queue is declared for this connection alone.
        """
        ...

    def on_reconnect(self, callback: OnReconnect) -> None:
        """Call after a lost connection came back: broadcasts of the meantime were missed."""
        ...

    async def ping(self) -> None:
        """Raises BusUnavailableError when the broker cannot be reached now."""
        ...

    async def close(self) -> None:
        """Give back unsettled deliveries and close. Safe to call twice."""
        ...
