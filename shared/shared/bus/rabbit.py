"""The bus on RabbitMQ, by aio-pika: robust connections, publisher confirms, returned messages raise.

Two connections: one publishes, one consumes, so that the broker's flow control on publishers never
holds back an acknowledgement.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import aio_pika
import structlog
from aio_pika.abc import (
    AbstractChannel,
    AbstractExchange,
    AbstractIncomingMessage,
    AbstractQueue,
    AbstractRobustChannel,
    AbstractRobustConnection,
)
from aio_pika.connection import make_url
from aio_pika.exceptions import (
    AMQPError,
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    DeliveryError,
)
from aiormq.exceptions import ChannelPreconditionFailed, PublishError

from shared.bus.port import (
    BusError,
    BusUnavailableError,
    Message,
    OnDelivery,
    OnReconnect,
    Publication,
    TopologyError,
    UnroutableError,
)
from shared.bus.topology import BROADCASTS, Queue, QueueKind, Topology
from shared.contracts import Envelope

log = structlog.get_logger()

CONNECT_TIMEOUT_S = 5.0
DECLARE_TIMEOUT_S = 30.0
RECONNECT_INTERVAL_S = 1.0
HEARTBEAT_S = 20
"""Two missed beats end a dead connection within a minute, well before Meta stops retrying."""

LOST = (AMQPError, ChannelInvalidStateError, ConnectionError, RuntimeError, TimeoutError, OSError)
"""What aio-pika raises when the connection or channel went away under a call."""


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """A connection that goes away under a call is a BusUnavailableError, whatever its form."""
    try:
        yield
    except asyncio.CancelledError:
        # aio-pika cancels what waits on a connection that it gives up as stuck. That must not
        # look like a cancellation of the caller, who would leave without an answer.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BusUnavailableError(f"{doing}: the connection was stuck") from None
    except LOST as error:
        raise BusUnavailableError(f"{doing}: {type(error).__name__}") from None


@dataclass(frozen=True, slots=True)
class _Delivery:
    message: Message
    incoming: AbstractIncomingMessage

    async def ack(self) -> None:
        await self._settle("ack", self.incoming.ack)

    async def nack(self) -> None:
        await self._settle("nack", lambda: self.incoming.nack(requeue=True))

    async def reject(self) -> None:
        await self._settle("reject", lambda: self.incoming.reject(requeue=False))

    async def _settle(self, word: str, settle: Callable[[], Any]) -> None:
        try:
            with _translated(word):
                await settle()
        except BusUnavailableError as error:
            # The channel is gone, so the broker will deliver it again; handlers are idempotent.
            log.info("settle_lost", id=self.message.id, error=str(error))


@dataclass(slots=True)
class _Subscription:
    connection: AbstractRobustConnection
    channel: AbstractRobustChannel
    queue: AbstractQueue
    tag: str

    async def cancel(self) -> None:
        """Stop deliveries; the channel stays open so that what is in hand can be settled."""
        await self._end("cancel", lambda: self.queue.cancel(self.tag))

    async def close(self) -> None:
        """Close the channel: consumer and deliveries go back in one step, so order is kept."""
        await self._end("close", self.channel.close)

    async def _end(self, word: str, end: Callable[[], Awaitable[Any]]) -> None:
        if not self.connection.connected.is_set():
            return
        try:
            with _translated(word):
                # aio-pika's own timeouts do not cover its wait for a connection to come back.
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await end()
        except BusUnavailableError as error:
            log.info("subscription_lost", queue=self.queue.name, error=str(error))


class RabbitBus:
    """Implements ``Bus`` on one RabbitMQ virtual host."""

    def __init__(
        self,
        url: str,
        publishing: AbstractRobustConnection,
        consuming: AbstractRobustConnection,
        confirms: AbstractRobustChannel,
    ) -> None:
        self._url = url
        self._publishing = publishing
        self._consuming = consuming
        self._confirms = confirms
        self._exchanges: dict[str, AbstractExchange] = {}

    @classmethod
    async def open(cls, url: str, *, name: str) -> Self:
        """Connect once. Raises BusUnavailableError; the caller decides whether to try again."""
        address = make_url(url, reconnect_interval=RECONNECT_INTERVAL_S, heartbeat=HEARTBEAT_S)
        # Not aio_pika.connect_robust: it leaves the connection that failed without an owner.
        publishing, consuming = (
            aio_pika.RobustConnection(
                address, client_properties={"connection_name": f"{name}.{purpose}"}
            )
            for purpose in ("publish", "consume")
        )
        try:
            with _translated("connect"):
                async with asyncio.timeout(2 * CONNECT_TIMEOUT_S):
                    await publishing.connect(CONNECT_TIMEOUT_S)
                    await consuming.connect(CONNECT_TIMEOUT_S)
                    confirms = await publishing.channel(
                        publisher_confirms=True, on_return_raises=True
                    )
        except BaseException:
            await publishing.close()
            await consuming.close()
            raise
        assert isinstance(confirms, AbstractRobustChannel)  # noqa: S101 - narrows the type
        return cls(url, publishing, consuming, confirms)

    async def declare(self, topology: Topology) -> None:
        """Make the topology so; a part that exists with other arguments is a TopologyError."""
        await self._on_scratch_channel(topology, passive=False)

    async def check(self, topology: Topology) -> None:
        """Look, touch nothing. Raises TopologyError naming the first missing part."""
        await self._on_scratch_channel(topology, passive=True)

    async def _on_scratch_channel(self, topology: Topology, *, passive: bool) -> None:
        # A refused declare closes its channel; a plain one of its own also keeps robust channels
        # from remembering, and after a reconnect redeclaring, what was only looked at.
        with _translated("declare"):
            # Not aio_pika.connect: like connect_robust, above.
            async with (
                asyncio.timeout(DECLARE_TIMEOUT_S),
                aio_pika.Connection(make_url(self._url)) as connection,
            ):
                await connection.connect(CONNECT_TIMEOUT_S)
                channel = await connection.channel(publisher_confirms=False)
                await _declare(channel, topology, passive=passive)

    async def publish(
        self, exchange: str, routing_key: str, envelope: Envelope, *, timeout_s: float = 5.0
    ) -> None:
        """Return when the broker has confirmed. See ``Bus.publish``."""
        await self._guarded(lambda: self._send(exchange, routing_key, envelope), timeout_s)

    async def publish_all(
        self, publications: Sequence[Publication], *, timeout_s: float = 10.0
    ) -> None:
        """Send in order on one channel, then wait for all confirms together."""
        if not publications:
            return

        async def send_all() -> None:
            sends = (self._send(p.exchange, p.routing_key, p.envelope) for p in publications)
            for result in await asyncio.gather(*sends, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result

        await self._guarded(send_all, timeout_s)

    async def _guarded(self, send: Callable[[], Awaitable[None]], timeout_s: float) -> None:
        if not self._publishing.connected.is_set():
            raise BusUnavailableError("not connected")
        with _translated("publish"):
            try:
                async with asyncio.timeout(timeout_s):
                    await send()
            except PublishError as error:
                raise UnroutableError(f"no queue is bound: {error}") from None
            except ChannelNotFoundEntity as error:
                raise UnroutableError(f"no such exchange: {error}") from None
            except TimeoutError:
                raise BusUnavailableError(f"no confirm within {timeout_s} s") from None
            except DeliveryError:
                raise BusUnavailableError("the broker refused the message") from None

    async def _send(self, exchange: str, routing_key: str, envelope: Envelope) -> None:
        target = self._exchanges.get(exchange)
        if target is None:
            target = await self._confirms.get_exchange(exchange, ensure=False)
            self._exchanges[exchange] = target
        message = aio_pika.Message(
            envelope.encode(),
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            content_type="application/cloudevents+json",
            message_id=envelope.id,
            type=envelope.type,
            timestamp=envelope.time,
            correlation_id=envelope.causation,
            app_id=envelope.source,
        )
        await target.publish(message, routing_key, mandatory=exchange not in BROADCASTS)

    async def subscribe(
        self, queue: Queue, on_delivery: OnDelivery, *, prefetch: int, priority: int = 0
    ) -> _Subscription:
        """One channel a consumer, so that one that breaks takes no other with it."""

        async def deliver(incoming: AbstractIncomingMessage) -> None:
            message = Message(
                id=incoming.message_id or "",
                type=incoming.type or "",
                body=incoming.body,
                exchange=incoming.exchange or "",
                routing_key=incoming.routing_key or "",
                redelivered=bool(incoming.redelivered),
            )
            on_delivery(_Delivery(message, incoming))

        with _translated("consume"):
            async with asyncio.timeout(2 * CONNECT_TIMEOUT_S):
                channel = await self._consuming.channel(publisher_confirms=False)
                assert isinstance(channel, AbstractRobustChannel)  # noqa: S101 - narrows the type
                try:
                    await channel.set_qos(prefetch_count=prefetch)
                    consumed = await self._consumed_queue(channel, queue)
                    tag = await consumed.consume(deliver, arguments={"x-priority": priority})
                except ChannelNotFoundEntity as error:
                    await channel.close()
                    raise _absent(error) from None
        return _Subscription(self._consuming, channel, consumed, tag)

    @staticmethod
    async def _consumed_queue(channel: AbstractRobustChannel, queue: Queue) -> AbstractQueue:
        if queue.kind is not QueueKind.BROADCAST:
            # Passive: a consumer never makes a queue, neither now nor after a reconnect.
            return await channel.declare_queue(queue.name, durable=True, passive=True)
        declared = await channel.declare_queue(queue.name, exclusive=True, auto_delete=True)
        for pattern in queue.patterns:
            await declared.bind(queue.exchange, pattern)
        return declared

    def on_reconnect(self, callback: OnReconnect) -> None:
        """Call after the consuming connection came back, its consumers already restored."""

        async def reconnected(*_: Any) -> None:
            await callback()

        self._consuming.reconnect_callbacks.add(reconnected)

    async def ping(self) -> None:
        """Both connections are up now, as far as TCP and heartbeats can tell."""
        for connection in (self._publishing, self._consuming):
            if not connection.connected.is_set():
                raise BusUnavailableError("not connected")

    async def close(self) -> None:
        """Close the channels; the broker takes unsettled deliveries back in order."""
        for connection in (self._consuming, self._publishing):
            try:
                with _translated("close"):
                    async with asyncio.timeout(CONNECT_TIMEOUT_S):
                        await connection.close()
            except BusUnavailableError as error:
                log.info("bus_close_incomplete", error=str(error))


async def _declare(channel: AbstractChannel, topology: Topology, *, passive: bool) -> None:
    try:
        for exchange in topology.exchanges:
            kind = aio_pika.ExchangeType(exchange.kind)
            await channel.declare_exchange(exchange.name, kind, durable=True, passive=passive)
        for queue in topology.queues:
            declared = await channel.declare_queue(
                queue.name, durable=True, passive=passive, arguments=dict(queue.arguments())
            )
            for pattern in () if passive else queue.patterns:
                await declared.bind(queue.exchange, pattern)
    except ChannelPreconditionFailed as error:
        raise TopologyError(f"a part exists with other arguments: {error}") from None
    except ChannelNotFoundEntity as error:
        raise _absent(error) from None


def _absent(error: ChannelNotFoundEntity) -> BusError:
    """Missing; or there, and for a moment after a broker's start without a leader."""
    if "down or inaccessible" in str(error):
        return BusUnavailableError(f"not up yet: {error}")
    return TopologyError(f"a part is missing: {error}")
