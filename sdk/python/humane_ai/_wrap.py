"""``wrap``: a client of OpenAI's API that knows how the person is, and never meets danger alone."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any, TypeVar, cast

from humane_ai._async_client import AsyncHumaneClient
from humane_ai._client import HumaneClient
from humane_ai._errors import InvalidArgumentError
from humane_ai._openai_calls import Arguments, Calls, ChatCalls, ResponseCalls
from humane_ai._person_section import person_section
from humane_ai._spoken import AsyncSpokenStream, SpokenStream
from humane_ai._types import ProcessResult
from humane_ai._understood import AsyncReader, Reader

C = TypeVar("C")

DEFAULT_TIME_BOX_S = 2.0
REFUSED = "I can't help with that here."
"""Said of a refused message for which the server has no text."""

_BESIDE = frozenset({"parse", "stream", "with_raw_response", "with_streaming_response"})
"""Of what is guarded: ways around ``create``."""

log = logging.getLogger("humane_ai")


def wrap(
    openai_client: C,
    *,
    humane: HumaneClient | AsyncHumaneClient | None = None,
    user_id: str | None = None,
    time_box_s: float = DEFAULT_TIME_BOX_S,
) -> C:
    """``openai_client``, whose answers know how the person is; everything else stays as it is.

    ``chat.completions.create`` and ``responses.create`` first have the last user message
    understood. The model is told the person's state, the tone that fits, and what they said before;
    ``humane`` of the answer (``understanding`` for a type checker) is the ProcessResult. A message
    that is refused, or that a reviewed text must answer, does not reach the model: that text is the
    answer, in the form that was asked for.

    The service failing, or taking longer than ``time_box_s`` (seconds, above 0), fails open: a
    warning is logged, the model is asked as before, and ``humane`` is None.

    ``humane`` is an AsyncHumaneClient for an asynchronous ``openai_client`` and a HumaneClient for
    another; without it one is made from the environment and closed with ``openai_client``.
    ``user_id`` is the person, in your own system's words; ``humane_user_id=`` in a call says it for
    that call, and OpenAI's ``safety_identifier`` or ``user`` stand in. Raises InvalidArgumentError,
    also from a call that does not say who writes.
    """
    if time_box_s <= 0:
        raise InvalidArgumentError("time_box_s must be above 0.")
    is_async = hasattr(openai_client, "__aenter__")
    if humane is None:
        made: HumaneClient | AsyncHumaneClient = AsyncHumaneClient() if is_async else HumaneClient()
    elif isinstance(humane, AsyncHumaneClient if is_async else HumaneClient):
        made = humane
    else:
        wanted = "AsyncHumaneClient" if is_async else "HumaneClient"
        raise InvalidArgumentError(f"This client needs humane={wanted}(...).")
    owned = made if humane is None else None
    reader = (
        AsyncReader(made, user_id, time_box_s)
        if isinstance(made, AsyncHumaneClient)
        else Reader(made, user_id, time_box_s)
    )
    return cast("C", _Client(openai_client, reader, owned))


def understanding(answer: object) -> ProcessResult | None:
    """What was understood before ``answer``, a completion, response or stream of a wrapped client.

    None when the service could not be asked, or there was nothing to understand.
    """
    found = getattr(answer, "humane", None)
    return found if isinstance(found, ProcessResult) else None


def _said_instead(result: ProcessResult | None) -> str | None:
    """The text that answers in the model's place; None when the model may answer."""
    if result is None or result.safety.action == "PROCEED":
        return None
    if result.safety.action == "BLOCK":
        return result.response or REFUSED
    return result.response


def _told(answer: Any, result: ProcessResult | None) -> Any:
    # Past the model's own setting of fields, so that no dump of the answer holds it.
    with suppress(AttributeError, TypeError):
        object.__setattr__(answer, "humane", result)
    return answer


class _Seen:
    """Another object, some of whose attributes are ours."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @property  # type: ignore[misc]  # what asks for an OpenAI client takes this one
    def __class__(self) -> Any:
        return self._inner.__class__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __repr__(self) -> str:
        return f"humane_ai.wrap({self._inner!r})"


class _Guarded(_Seen):
    """``chat.completions`` or ``responses``."""

    def __init__(self, inner: Any, calls: Calls, reader: Reader | AsyncReader) -> None:
        super().__init__(inner)
        self._calls = calls
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        if name in _BESIDE:
            log.warning("%s goes past humane_ai.wrap: use create() to have it understood.", name)
        return super().__getattr__(name)

    def create(self, *args: Any, **arguments: Any) -> Any:
        """As the client's own, understood first. An awaitable where the client's own is one."""
        reader = self._reader
        if isinstance(reader, AsyncReader):
            return self._create_async(reader, args, arguments)
        reading = reader.read(self._calls, arguments)
        answer = self._instead(arguments, reading.result)
        if answer is None:
            answer = self._inner.create(*args, **self._asked(arguments, reading.result))
        reader.answered(reading)
        return _told(answer, reading.result)

    async def _create_async(
        self, reader: AsyncReader, args: tuple[Any, ...], arguments: Arguments
    ) -> Any:
        reading = await reader.read(self._calls, arguments)
        answer = self._instead(arguments, reading.result)
        if answer is None:
            answer = await self._inner.create(*args, **self._asked(arguments, reading.result))
        reader.answered(reading)
        return _told(answer, reading.result)

    def _asked(self, arguments: Arguments, result: ProcessResult | None) -> Arguments:
        if result is None:
            return arguments
        return self._calls.with_section(arguments, person_section(result))

    def _instead(self, arguments: Arguments, result: ProcessResult | None) -> Any:
        text = _said_instead(result)
        if text is None or result is None:
            return None
        name = f"humane-{result.interaction_id}"
        if not arguments.get("stream"):
            return self._calls.spoken(arguments, text, name)
        events = self._calls.streamed(arguments, text, name)
        stream = AsyncSpokenStream if isinstance(self._reader, AsyncReader) else SpokenStream
        return stream(events)


class _Chat(_Seen):
    def __init__(self, inner: Any, reader: Reader | AsyncReader) -> None:
        super().__init__(inner)
        self._reader = reader

    @property
    def completions(self) -> _Guarded:
        return _Guarded(self._inner.completions, ChatCalls(), self._reader)


class _Client(_Seen):
    """The whole client. ``owned`` is closed with it."""

    def __init__(
        self,
        inner: Any,
        reader: Reader | AsyncReader,
        owned: HumaneClient | AsyncHumaneClient | None,
    ) -> None:
        super().__init__(inner)
        self._reader = reader
        self._owned = owned

    @property
    def chat(self) -> _Chat:
        return _Chat(self._inner.chat, self._reader)

    @property
    def responses(self) -> _Guarded:
        return _Guarded(self._inner.responses, ResponseCalls(), self._reader)

    def with_options(self, *args: Any, **options: Any) -> _Client:
        return _Client(self._inner.with_options(*args, **options), self._reader, None)

    copy = with_options

    def close(self) -> Any:
        if isinstance(self._owned, AsyncHumaneClient):
            return self._close_async(self._owned)
        if self._owned is not None:
            self._owned.close()
        return self._inner.close()

    async def _close_async(self, owned: AsyncHumaneClient) -> None:
        await owned.aclose()
        await self._inner.close()

    def __enter__(self) -> _Client:
        self._inner.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> _Client:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
