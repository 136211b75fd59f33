"""Server-sent events, from bytes as the network cut them to typed events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from humane_ai._errors import APIConnectionError, StreamError
from humane_ai._types import StreamEvent

END = "[DONE]"

_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventDecoder:
    """Chunks of bytes in, the ``data`` of whole events out.

    Lines end with LF, CRLF or CR and nothing else: text may hold U+2028 and its kin.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._after_cr = False
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The events that ``chunk`` completes."""
        if not chunk:
            return
        # The LF of a CRLF that was cut in two: its line has ended already.
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        for line in lines:
            if line:
                self._keep(line)
            elif self._data:
                data, self._data = "\n".join(self._data), []
                yield data

    def _keep(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))


class EventReader:
    """The typed events of one answer."""

    def __init__(self) -> None:
        self._decoder = EventDecoder()
        self.began = False
        """An event was read: asking again would tell it twice."""
        self.done = False
        """The server said that this was all."""

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """The events that ``chunk`` completes, up to the end. Raises StreamError."""
        for data in self._decoder.feed(chunk):
            if data == END:
                self.done = True
                return
            self.began = True
            yield _event(data)

    def ended(self) -> None:
        """No more bytes will come. Raises APIConnectionError when the end was not said."""
        if not self.done:
            raise APIConnectionError("The stream broke off before its end. Try again.")


def text_of(event: StreamEvent) -> str:
    """What the event adds to what the person reads. Raises StreamError for an ``error``."""
    if event.type == "error":
        message = event.data.get("message") if isinstance(event.data, dict) else None
        raise StreamError(f"The server could not answer: {message or 'it did not say why'}.")
    return event.text


def _event(data: str) -> StreamEvent:
    try:
        event = json.loads(data)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise StreamError("An event of the stream is no JSON object. Is base_url the API?")
    return StreamEvent(str(event.get("type", "")), event.get("data"))
