"""A TCP proxy before the broker that can fall silent, as a network does: no reset, no answer."""

import asyncio
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class CuttableProxy:
    """Forwards until ``cut``; after ``mend`` new connections are forwarded again."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        """The broker's URL by way of this proxy."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        credentials = self._url.netloc.rpartition("@")[0]
        return self._url._replace(netloc=f"{credentials}@127.0.0.1:{port}").geturl()

    def cut(self) -> None:
        """Forward nothing any more, close nothing."""
        self._flowing.clear()

    def mend(self) -> None:
        """Drop what was held and forward what connects from now on."""
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        self._flowing.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.mend()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = await asyncio.open_connection(self._url.hostname, self._url.port)
        self._writers += [writer, upstream[1]]
        for source, target in ((reader, upstream[1]), (upstream[0], writer)):
            task = asyncio.create_task(self._forward(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._flowing.wait()
                target.write(data)
                await target.drain()
        except OSError:
            return
        finally:
            target.close()
