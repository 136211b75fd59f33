"""Fetches files as they come, keeps them, and lets models hear and see them.

The interaction is the queue here too: ``fetch.due_at``. What a voice note says becomes the words of
its message, and is read for danger like any other; the reply waited for it.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog

from brain.adapters.file_store import FileStore
from brain.adapters.media_files import MediaFiles, MediaUnavailableError
from brain.adapters.media_reading import OpenAIMediaReader, ReadingUnavailableError
from brain.domain.people import Address
from brain.domain.whatsapp.content import Content
from brain.handlers.answering import Answering
from brain.handlers.incoming import Incoming, ReplyRoute
from brain.handlers.rewording import Rewording, Wording
from brain.handlers.stores import Stores
from shared.clock import Clock
from shared.due import DueLoop
from shared.ids import derived_id
from shared.telemetry.trace import continued_trace

log = structlog.get_logger()

AT_ONCE = 8
PATIENCE = timedelta(minutes=3)
"""After it, whoever was fetching must have crashed."""
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=1)
KEPT_BY_META = timedelta(days=7)

Document = dict[str, Any]


class Media:
    """Turns files into something that can be read. ``eager``: keep them, too."""

    def __init__(
        self,
        stores: Stores,
        files: FileStore,
        source: MediaFiles,
        reader: OpenAIMediaReader | None,
        rewording: Rewording,
        answering: Answering,
        clock: Clock,
        *,
        eager: bool,
    ) -> None:
        self._users = stores.users
        self._interactions = stores.interactions
        self._files = files
        self._source = source
        self._reader = reader
        self._rewording = rewording
        self._answering = answering
        self._clock = clock
        self._eager = eager
        self.loop: DueLoop[Document] = DueLoop(
            "files",
            find=stores.interactions.files_due,
            next_due_at=stores.interactions.next_file_due_at,
            key_of=lambda row: row["_id"],
            step=self._one,
            clock=clock,
            concurrency=AT_ONCE,
        )
        """To be run by the service."""

    async def _one(self, row: Document) -> None:
        now = self._clock()
        if not await self._interactions.take_file(row, now + PATIENCE):
            return
        with continued_trace(None, event_id=row["_id"]):
            try:
                await self._dealt_with(row)
            except (MediaUnavailableError, ReadingUnavailableError) as error:
                await self._failed(row, error, now)

    async def _dealt_with(self, row: Document) -> None:
        media = row["message"]["content"]["media"]
        async with self._source.open(
            row["tenant"], row["channel_id"], media["id"], media["sha256"]
        ) as stream:
            content, mime_type = await stream.read(), stream.mime_type
        if self._eager:
            await self._files.keep(row["_id"], content, mime_type)
        kind = row["message"]["type"]
        words = ""
        if self._reader is not None and self._reader.reads(kind):
            words = await self._reader.read(kind, content, mime_type)
        if words:
            await self._say(row, words)
        await self._interactions.end_file(row["_id"], retry_at=None, problem=None)
        await self._answering.hurry(row)

    async def _say(self, row: Document, words: str) -> None:
        incoming = await self._incoming(row, words)
        if incoming is None:
            return
        wording = Wording(
            cause=derived_id(row["_id"], "read"),
            marks={"read_by_model": True},
            keeps_old=False,
            moves_person=True,
        )
        await self._rewording.apply(incoming, row, wording)

    async def _incoming(self, row: Document, words: str) -> Incoming | None:
        """The message with its words; None when its author is gone."""
        user = await self._users.get(row["tenant"], row["user_id"])
        route = user.routes.get(row["channel_id"]) if user else None
        if user is None or route is None:
            return None
        message = row["message"]
        data = {name: part for name, part in message["content"].items() if name != "type"}
        return Incoming(
            event_id=row["_id"],
            tenant=row["tenant"],
            address=Address(
                external_id=user.external_id,
                aliases=user.aliases,
                phone=route.phone,
                provider_user_id=route.provider_user_id,
            ),
            channel=row["channel"],
            content=Content(message["type"], words, message["line"], data),
            received_at=row["at"],
            sent_at=row["sent_at"],
            wants_reply=row["reply"]["status"] == "pending",
            route=ReplyRoute(row["channel_id"], route.conversation_key, row["provider_message_id"]),
        )

    async def _failed(
        self, row: Document, error: MediaUnavailableError | ReadingUnavailableError, now: datetime
    ) -> None:
        tries = row["fetch"]["tries"] + 1
        wait = min(FIRST_RETRY * 2 ** min(tries, 16), LONGEST_RETRY)
        lost = isinstance(error, MediaUnavailableError) and not error.transient
        slug = error.slug if isinstance(error, MediaUnavailableError) else error.reason
        over = lost or now - row["sent_at"] > KEPT_BY_META
        log.warning("file_not_read", interaction_id=row["_id"], reason=slug, tries=tries, over=over)
        if over:
            await self._interactions.end_file(row["_id"], retry_at=None, problem=slug)
            await self._answering.hurry(row)
        else:
            await self._interactions.end_file(row["_id"], retry_at=now + wait, problem=None)
