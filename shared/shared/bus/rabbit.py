"""The bus on RabbitMQ, by aio-pika: robust connections, publisher confirms, returned messages raise.

Two connections: one publishes, one consumes, so that the broker's flow control on publishers never
holds back an acknowledgement.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import aio_pika
import structlog
from aio_pika.abc import (
    AbstractExchange,
    AbstractIncomingMessage,
    AbstractQueue,
    AbstractRobustChannel,
    AbstractRobustConnection,
)
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError
from aiormq.exceptions import ChannelPreconditionFailed, PublishError

from shared.bus.port import (
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
RECONNECT_INTERVAL_S = 1.0
HEARTBEAT_S = 20
"""Two missed beats end a dead connection within a minute, well before Meta stops retrying."""

LOST = (AMQPError, ChannelInvalidStateError, ConnectionError, RuntimeError, TimeoutError, OSError)
"""What aio-pika raises when the connection or channel went away under a call."""


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
            await settle()
        except LOST as error:
            # The channel is gone, so the broker will deliver it again; handlers are idempotent.
            log.info("settle_lost", word=word, id=self.message.id, error=type(error).__name__)


@dataclass(slots=True)
class _Subscription:
    channel: AbstractRobustChannel
    queue: AbstractQueue
    tag: str

    async def cancel(self) -> None:
        """Stop deliveries; the channel stays open so that what is in hand can be settled."""
        try:
            await self.queue.cancel(self.tag, timeout=CONNECT_TIMEOUT_S)
        except LOST as error:
            log.info("cancel_lost", queue=self.queue.name, error=type(error).__name__)


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

        async def connect(purpose: str) -> AbstractRobustConnection:
            return await aio_pika.connect_robust(
                url,
                timeout=CONNECT_TIMEOUT_S,
                reconnect_interval=RECONNECT_INTERVAL_S,
                heartbeat=HEARTBEAT_S,
                client_properties={"connection_name": f"{name}.{purpose}"},
            )

        opened: list[AbstractRobustConnection] = []
        try:
            async with asyncio.timeout(2 * CONNECT_TIMEOUT_S):
                opened.append(await connect("publish"))
                opened.append(await connect("consume"))
                confirms = await opened[0].channel(publisher_confirms=True, on_return_raises=True)
        except LOST as error:
            for connection in opened:
                await connection.close()
            raise BusUnavailableError(f"cannot connect: {type(error).__name__}") from None
        assert isinstance(confirms, AbstractRobustChannel)  # noqa: S101 - narrows the type
        return cls(url, opened[0], opened[1], confirms)

    async def declare(self, topology: Topology) -> None:
        """Make the topology so; a part that exists with other arguments is a TopologyError."""
        await self._on_scratch_channel(topology, passive=False)

    async def check(self, topology: Topology) -> None:
        """Look, touch nothing. Raises TopologyError naming the first missing part."""
        await self._on_scratch_channel(topology, passive=True)

    async def _on_scratch_channel(self, topology: Topology, *, passive: bool) -> None:
        # A refused declare closes its channel; a plain one of its own also keeps robust channels
        # from remembering, and after a reconnect redeclaring, what was only looked at.
        try:
            async with await aio_pika.connect(self._url, timeout=CONNECT_TIMEOUT_S) as connection:
                channel = await connection.channel(publisher_confirms=False)
                for exchange in topology.exchanges:
                    await channel.declare_exchange(
                        exchange.name,
                        aio_pika.ExchangeType(exchange.kind),
                        durable=True,
                        passive=passive,
                    )
                for queue in topology.queues:
                    declared = await channel.declare_queue(
                        queue.name,
                        durable=True,
                        passive=passive,
                        arguments=dict(queue.arguments()),
                    )
                    if not passive:
                        for pattern in queue.patterns:
                            await declared.bind(queue.exchange, pattern)
        except ChannelPreconditionFailed as error:
            raise TopologyError(f"a part exists with other arguments: {error}") from None
        except aio_pika.exceptions.ChannelNotFoundEntity as error:
            raise TopologyError(f"a part is missing: {error}") from None
        except LOST as error:
            raise BusUnavailableError(f"cannot declare: {type(error).__name__}") from None

    async def publish(
        self, exchange: str, routing_key: str, envelope: Envelope, *, timeout_s: float = 5.0
    ) -> None:
        """Return when the broker has confirmed. See ``Bus.publish``."""
        await self._guarded(self._send(exchange, routing_key, envelope), timeout_s)

    async def publish_all(
        self, publications: Sequence[Publication], *, timeout_s: float = 10.0
    ) -> None:
        """Send in order on one channel, then wait for all confirms together."""
        if not publications:
            return
        sends = [self._send(p.exchange, p.routing_key, p.envelope) for p in publications]
        await self._guarded(_all(sends), timeout_s)

    async def _guarded(self, sending: Any, timeout_s: float) -> None:
        if not self._publishing.connected.is_set():
            sending.close()
            raise BusUnavailableError("not connected")
        try:
            async with asyncio.timeout(timeout_s):
                await sending
        except PublishError as error:
            raise UnroutableError(f"no queue is bound: {error}") from None
        except TimeoutError:
            raise BusUnavailableError(f"no confirm within {timeout_s} s") from None
        except DeliveryError:
            raise BusUnavailableError("the broker refused the message") from None
        except LOST as error:
            raise BusUnavailableError(f"connection lost: {type(error).__name__}") from None

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

        try:
            async with asyncio.timeout(2 * CONNECT_TIMEOUT_S):
                channel = await self._consuming.channel(publisher_confirms=False)
                assert isinstance(channel, AbstractRobustChannel)  # noqa: S101 - narrows the type
                await channel.set_qos(prefetch_count=prefetch)
                consumed = await self._consumed_queue(channel, queue)
                tag = await consumed.consume(deliver, arguments={"x-priority": priority})
        except aio_pika.exceptions.ChannelNotFoundEntity:
            raise TopologyError(f"queue {queue.name} is missing") from None
        except LOST as error:
            raise BusUnavailableError(f"cannot consume: {type(error).__name__}") from None
        return _Subscription(channel, consumed, tag)

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
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await connection.close()
            except LOST as error:
                log.info("bus_close_incomplete", error=type(error).__name__)


async def _all(sends: Sequence[Any]) -> None:
    results = await asyncio.gather(*sends, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
