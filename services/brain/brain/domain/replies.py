"""The port of whoever writes replies, and what it is given."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from brain.domain.shaping import Shape


class ReplyUnavailableError(Exception):
    """No reply can be had now. ``reason`` is a stable slug; never the provider's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a chat completion."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ReplyBrief:
    """What the prompt is made of, for responders that need no prose. All texts are masked."""

    message: str
    language: str | None
    mood: float
    energy: float
    emotions: tuple[str, ...]
    intent: str
    shape: Shape
    memories: tuple[str, ...]
    name: str | None
    profile: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """``messages`` for a language model, and the ``brief`` they were written from."""

    messages: tuple[ChatMessage, ...]
    brief: ReplyBrief


@dataclass(frozen=True, slots=True)
class ReplyText:
    """A reply and the name of the model that wrote it."""

    text: str
    model: str


class ReplyModel(Protocol):
    """Writes replies. Its output is unchecked until ``conclude`` has seen it."""

    async def reply(self, prompt: Prompt) -> ReplyText:
        """The whole reply, not empty. Raises ReplyUnavailableError."""

    def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """The reply in pieces. Raises ReplyUnavailableError, possibly after some pieces."""
