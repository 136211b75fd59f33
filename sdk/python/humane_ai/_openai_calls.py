"""What differs between OpenAI's two ways of asking: where the person's words stand, what is answered.

No import of ``openai``: whoever has such a client has its types, and others get plain objects.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Protocol

Arguments = dict[str, Any]
SYSTEM_ROLES = ("system", "developer")


class Calls(Protocol):
    """One way of asking. Arguments are never changed in place: they are the caller's."""

    def turns(self, arguments: Arguments) -> Sequence[Any]:
        """The conversation, oldest first."""
        ...

    def with_section(self, arguments: Arguments, section: str) -> Arguments:
        """The same call, with ``section`` in what the system says."""
        ...

    def spoken(self, arguments: Arguments, text: str, name: str) -> Any:
        """An ordinary answer that says ``text``."""
        ...

    def streamed(self, arguments: Arguments, text: str, name: str) -> Iterator[Any]:
        """The same, as the events of a stream."""
        ...


def words_of(turn: Any) -> str | None:
    """What the person says in ``turn``; None when it is not theirs."""
    if _part(turn, "role") != "user":
        return None
    content = _part(turn, "content")
    if isinstance(content, str):
        return content
    texts = [
        _part(part, "text")
        for part in content or ()
        if _part(part, "type") in ("text", "input_text")
    ]
    return "\n".join(text for text in texts if isinstance(text, str))


class ChatCalls:
    """``chat.completions``."""

    def turns(self, arguments: Arguments) -> Sequence[Any]:
        """``messages``."""
        return list(arguments.get("messages") or ())

    def with_section(self, arguments: Arguments, section: str) -> Arguments:
        """At the end of the first system message, or as a new one before everything."""
        messages = self.turns(arguments)
        first = messages[0] if messages else None
        if isinstance(first, Mapping) and first.get("role") in SYSTEM_ROLES:
            content = first.get("content") or ""
            whole = (
                f"{content}\n\n{section}"
                if isinstance(content, str)
                else [*content, {"type": "text", "text": section}]
            )
            return {**arguments, "messages": [{**first, "content": whole}, *messages[1:]]}
        return {**arguments, "messages": [{"role": "system", "content": section}, *messages]}

    def spoken(self, arguments: Arguments, text: str, name: str) -> Any:
        """A ``ChatCompletion``."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choices = [
            {"index": index, "finish_reason": "stop", "logprobs": None, "message": message}
            for index in range(arguments.get("n") or 1)
        ]
        answer = self._answer(arguments, name, "chat.completion", choices)
        return _typed("openai.types.chat", "ChatCompletion", {**answer, "usage": _NOTHING_USED})

    def streamed(self, arguments: Arguments, text: str, name: str) -> Iterator[Any]:
        """``ChatCompletionChunk`` objects."""
        deltas: list[tuple[dict[str, Any], str | None]] = [
            ({"role": "assistant", "content": ""}, None),
            ({"content": text}, None),
            ({}, "stop"),
        ]
        for delta, finish in deltas:
            choices = [
                {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
                for index in range(arguments.get("n") or 1)
            ]
            yield self._chunk(arguments, name, choices, None)
        if (arguments.get("stream_options") or {}).get("include_usage"):
            yield self._chunk(arguments, name, [], _NOTHING_USED)

    def _chunk(self, arguments: Arguments, name: str, choices: list[Any], usage: Any) -> Any:
        answer = self._answer(arguments, name, "chat.completion.chunk", choices)
        return _typed("openai.types.chat", "ChatCompletionChunk", {**answer, "usage": usage})

    def _answer(self, arguments: Arguments, name: str, kind: str, choices: list[Any]) -> Any:
        return {
            "id": f"chatcmpl-{name}",
            "object": kind,
            "created": int(time.time()),
            "model": _model(arguments),
            "choices": choices,
        }


class ResponseCalls:
    """``responses``."""

    def turns(self, arguments: Arguments) -> Sequence[Any]:
        """``input``; a text is the person's."""
        said = arguments.get("input") or ()
        return [{"role": "user", "content": said}] if isinstance(said, str) else list(said)

    def with_section(self, arguments: Arguments, section: str) -> Arguments:
        """At the end of ``instructions``."""
        before = arguments.get("instructions")
        whole = f"{before}\n\n{section}" if isinstance(before, str) and before else section
        return {**arguments, "instructions": whole}

    def spoken(self, arguments: Arguments, text: str, name: str) -> Any:
        """A ``Response``."""
        message = self._message(name, text)
        return self._response(arguments, name, [message], "completed")

    def streamed(self, arguments: Arguments, text: str, name: str) -> Iterator[Any]:
        """The events of a ``Response`` with one message of one part."""
        part = {"type": "output_text", "text": text, "annotations": []}
        empty = {**part, "text": ""}
        message = self._message(name, text)
        begun = {**message, "content": [], "status": "in_progress"}
        item = {"output_index": 0}
        at = {**item, "item_id": message["id"], "content_index": 0}
        events: list[tuple[str, str, dict[str, Any]]] = [
            (
                "response.created",
                "ResponseCreatedEvent",
                {"response": self._data(arguments, name, [], "in_progress")},
            ),
            (
                "response.output_item.added",
                "ResponseOutputItemAddedEvent",
                {**item, "item": begun},
            ),
            (
                "response.content_part.added",
                "ResponseContentPartAddedEvent",
                {**at, "part": empty},
            ),
            (
                "response.output_text.delta",
                "ResponseTextDeltaEvent",
                {**at, "delta": text, "logprobs": []},
            ),
            (
                "response.output_text.done",
                "ResponseTextDoneEvent",
                {**at, "text": text, "logprobs": []},
            ),
            ("response.content_part.done", "ResponseContentPartDoneEvent", {**at, "part": part}),
            ("response.output_item.done", "ResponseOutputItemDoneEvent", {**item, "item": message}),
            (
                "response.completed",
                "ResponseCompletedEvent",
                {"response": self._data(arguments, name, [message], "completed")},
            ),
        ]
        for number, (kind, type_name, data) in enumerate(events):
            event = {"type": kind, "sequence_number": number, **data}
            yield _typed("openai.types.responses", type_name, event)

    def _message(self, name: str, text: str) -> dict[str, Any]:
        part = {"type": "output_text", "text": text, "annotations": []}
        return {
            "id": f"msg_{name}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }

    def _response(self, arguments: Arguments, name: str, output: list[Any], status: str) -> Any:
        data = self._data(arguments, name, output, status)
        return _typed("openai.types.responses", "Response", data)

    def _data(
        self, arguments: Arguments, name: str, output: list[Any], status: str
    ) -> dict[str, Any]:
        return {
            "id": f"resp_{name}",
            "object": "response",
            "created_at": time.time(),
            "model": _model(arguments),
            "status": status,
            "output": output,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
        }


_NOTHING_USED = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _model(arguments: Arguments) -> str:
    return str(arguments.get("model") or "none")


def _part(thing: Any, name: str) -> Any:
    """Of a dictionary, or of an object as an earlier answer gave it."""
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def _typed(module: str, name: str, data: dict[str, Any]) -> Any:
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        return _plain(data)
    return kind.model_validate(data)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _plain(item) for name, item in value.items()})
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
