"""``GET /api/interactions/{id}/media``: the file that came with a message."""

from collections.abc import AsyncIterator
from urllib.parse import quote

from aiohttp import web

from brain.adapters.file_store import FileStore
from brain.adapters.interaction_store import InteractionStore
from brain.adapters.media_files import MediaFiles, MediaUnavailableError
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.problem import Problem, not_found

PROBLEMS = (
    (404, "media-gone"),
    (413, "media-too-large"),
    (502, "media-refused"),
    (502, "media-altered"),
    (502, "media-elsewhere"),
    (503, "media-unavailable"),
)


class MediaApi:
    """Handlers of files: kept ones from here, others from the provider while it has them."""

    def __init__(
        self, interactions: InteractionStore, files: FileStore, source: MediaFiles
    ) -> None:
        self._interactions = interactions
        self._files = files
        self._source = source

    def operations(self) -> list[Operation]:
        """Every route."""
        return [
            Operation(
                *("GET", "/api/interactions/{id}/media", self.media, "read"),
                answer=bytes,
                media_type="*/*",
                problems=PROBLEMS,
            )
        ]

    async def media(self, request: web.Request) -> web.StreamResponse:
        """The file that came with a message, checked.

        Kept ones from here, others from Meta, who has them for 7 days.
        """
        tenant = request[PRINCIPAL].tenant
        row = await self._interactions.get(tenant, request.match_info["id"])
        if row is None:
            raise not_found("interaction")
        content = row["message"].get("content") or {}
        media = content.get("media")
        if media is None:
            raise not_found("file with this message")
        filename = content.get("filename")
        kept = await self._files.open(row["_id"])
        if kept is not None:
            return await _sent(request, *kept, filename)
        try:
            async with self._source.open(
                tenant, row["channel_id"], media["id"], media["sha256"]
            ) as stream:
                return await _sent(request, stream.mime_type, stream.size, stream.chunks, filename)
        except MediaUnavailableError as error:
            raise Problem(error.status, error.slug, error.detail) from None


async def _sent(
    request: web.Request,
    mime_type: str,
    size: int | None,
    chunks: AsyncIterator[bytes],
    filename: str | None,
) -> web.StreamResponse:
    """The file as a download: whatever a stranger sent must not run in an operator's browser."""
    name = quote(filename or "file", safe="")
    response = web.StreamResponse(
        headers={
            "Content-Type": mime_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        }
    )
    response.content_length = size
    await response.prepare(request)
    async for chunk in chunks:
        await response.write(chunk)
    await response.write_eof()
    return response
