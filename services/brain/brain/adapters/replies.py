"""Who writes replies: any OpenAI-compatible endpoint, or the labelled offline responder."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from brain.adapters.endpoint import Endpoint, reason_of
from brain.domain.replies import ChatMessage, Prompt, ReplyBrief, ReplyText, ReplyUnavailableError

OFFLINE_LABEL = "[offline demo reply]"
OFFLINE_MODEL = "offline-demo"
_MAX_TOKENS = {"short": 120, "medium": 260, "long": 500}


class OpenAIReplies:
    """``ReplyModel`` on an OpenAI-compatible endpoint.

    ``timeout_s`` bounds a whole ``reply``, its one retry included, and the wait for each piece of
    a ``stream``.
    """

    def __init__(self, endpoint: Endpoint, *, model: str, timeout_s: float = 20.0) -> None:
        self._endpoint = endpoint
        self._model = model
        self._timeout_s = timeout_s

    @property
    def model(self) -> str:
        """The name asked for."""
        return self._model

    async def reply(self, prompt: Prompt) -> ReplyText:
        """See ``ReplyModel``."""
        client = await self._endpoint.client()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await client.chat.completions.create(
                    model=self._model,
                    messages=_wire(prompt.messages),
                    max_tokens=_MAX_TOKENS[prompt.brief.shape.response_length],
                )
            # Inside: an answer that is no chat completion arrives here as any object at all.
            text = (answer.choices[0].message.content or "").strip() if answer.choices else ""
            name = str(answer.model or self._model)
        except Exception as error:  # noqa: BLE001 - the provider library raises many kinds
            raise ReplyUnavailableError(reason_of(error)) from None
        if not text:
            raise ReplyUnavailableError("empty")
        return ReplyText(text=text, model=name)

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """See ``ReplyModel``."""
        client = await self._endpoint.client()
        try:
            async with asyncio.timeout(self._timeout_s) as box:
                pieces = await client.chat.completions.create(
                    model=self._model,
                    messages=_wire(prompt.messages),
                    max_tokens=_MAX_TOKENS[prompt.brief.shape.response_length],
                    stream=True,
                )
                async for piece in pieces:
                    box.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
                    text = piece.choices[0].delta.content if piece.choices else None
                    if text:
                        yield text
        except Exception as error:  # noqa: BLE001 - the provider library raises many kinds
            raise ReplyUnavailableError(reason_of(error)) from None


class OfflineReplies:
    """``ReplyModel`` without a model: deterministic, kind, and labelled as a demo in every answer."""

    model = OFFLINE_MODEL

    async def reply(self, prompt: Prompt) -> ReplyText:
        """See ``ReplyModel``; never fails."""
        return ReplyText(text=offline_text(prompt.brief), model=OFFLINE_MODEL)

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """The same text, word by word."""
        for word in offline_text(prompt.brief).split(" "):
            yield word + " "


def offline_text(brief: ReplyBrief) -> str:
    """What the offline responder says: mood first, a memory if one fits, then an open question."""
    greeting = f"{_opening(brief)}" if not brief.name else f"{_opening(brief)} {brief.name},"
    parts = [greeting.rstrip(",") + ("," if brief.name else "."), _heard(brief)]
    if brief.memories:
        parts.append(f"I remember that you told us: \u201c{brief.memories[0]}\u201d.")
    if brief.shape.response_length != "short":
        parts.append(_question(brief))
    return f"{' '.join(part for part in parts if part)} {OFFLINE_LABEL}"


def _opening(brief: ReplyBrief) -> str:
    if brief.shape.tone == "cautious":
        return "I hear you, and I will try to do better"
    return "Thank you for telling me" if brief.shape.empathy >= 0.8 else "Thanks for your message"


def _heard(brief: ReplyBrief) -> str:
    feelings = [emotion for emotion in brief.emotions if emotion != "neutral"]
    if feelings and brief.mood < 0.5:
        return f"There is {feelings[0]} in what you wrote, and that is hard."
    if feelings:
        return f"There is {feelings[0]} in what you wrote."
    return "I have read it."


def _question(brief: ReplyBrief) -> str:
    if brief.intent == "question":
        return "I cannot look that up here; a language model would answer it."
    return (
        "What would help most right now?" if brief.mood < 0.5 else "What would you like to do next?"
    )


def _wire(messages: Sequence[ChatMessage]) -> Any:
    return [{"role": message.role, "content": message.content} for message in messages]
