"""``MarkMessageRead``: a courtesy. Tried once; a reply never fails or waits long for it."""

import structlog

from outbound.adapters.channels import Channels
from outbound.adapters.graph import GraphClient
from outbound.domain.decide import Refused
from shared.cache import SourceUnavailableError
from shared.contracts import Envelope, MarkMessageRead

log = structlog.get_logger()


class ReadMarks:
    """Handles ``MarkMessageRead``."""

    def __init__(self, graph: GraphClient, channels: Channels) -> None:
        self._graph = graph
        self._channels = channels

    async def handle(self, envelope: Envelope) -> None:
        """Mark the message read and, when asked to, show that we type. Raises ContractError only."""
        command = envelope.payload(MarkMessageRead)
        try:
            channel = await self._channels.get(command.channel_id, envelope.tenant)
        except SourceUnavailableError:
            log.info("read_mark_skipped", reason="credentials_unavailable")
            return
        if channel is None or channel.paused or not channel.read_receipts:
            return
        fault = await self._graph.mark_read(
            channel, command.provider_message_id, typing=command.typing
        )
        if fault is not None:
            log.info(
                "read_mark_failed",
                channel_id=command.channel_id,
                outcome=type(fault).__name__.lower(),
                code=fault.code if isinstance(fault, Refused) else None,
            )
