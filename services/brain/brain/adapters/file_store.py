"""Files that people sent, kept in GridFS when they are fetched as they come."""

from collections.abc import AsyncIterator

from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import FileExists, NoFile

from shared.mongo.indexes import Database

BUCKET = "files"
CHUNK_BYTES = 255 * 1024


class FileStore:
    """The ``files`` bucket; a file has its interaction's id."""

    def __init__(self, database: Database) -> None:
        self._bucket = AsyncGridFSBucket(database, BUCKET, chunk_size_bytes=CHUNK_BYTES)

    async def keep(self, interaction_id: str, content: bytes, mime_type: str) -> None:
        """Keep it, once."""
        try:
            await self._bucket.upload_from_stream_with_id(
                interaction_id, interaction_id, content, metadata={"mime_type": mime_type}
            )
        except FileExists:
            return

    async def open(self, interaction_id: str) -> tuple[str, int, AsyncIterator[bytes]] | None:
        """Media type, size and content; None when it is not kept."""
        try:
            stream = await self._bucket.open_download_stream(interaction_id)
        except NoFile:
            return None
        mime_type = str((stream.metadata or {}).get("mime_type", "application/octet-stream"))

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := await stream.readchunk():
                yield chunk

        return mime_type, stream.length, chunks()

    async def delete(self, interaction_id: str) -> None:
        """Its author took it back. Harmless without a file."""
        try:
            await self._bucket.delete(interaction_id)
        except NoFile:
            return
