"""Who writes replies: any OpenAI-compatible endpoint, or the labelled offline responder."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from brain.domain.replies import ChatMessage, Prompt, ReplyBrief, ReplyText, ReplyUnavailableError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

OFFLINE_LABEL = "[offline demo reply]"
OFFLINE_MODEL = "offline-demo"
_MAX_TOKENS = {"short": 120, "medium": 260, "long": 500}


class OpenAIReplies:
    """``ReplyModel`` on an OpenAI-compatible endpoint.

    ``timeout_s`` bounds a whole ``reply``, its one retry included, and the wait for each piece of
    a ``stream``. The library is imported at the first call (or ``warm``), off the event loop,
    because it is slow to import.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        timeout_s: float = 20.0,
        max_retries: int = 1,
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self._client: AsyncOpenAI | None = None
        self._opening = asyncio.Lock()

    @property
    def model(self) -> str:
        """The name asked for."""
        return self._model

    async def warm(self) -> None:
        """Import the library and make the client, so that the first person need not wait."""
        await self._opened()

    async def close(self) -> None:
        """Give back the connections. Harmless when nothing was opened."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def reply(self, prompt: Prompt) -> ReplyText:
        """See ``ReplyModel``."""
        client = await self._opened()
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
            raise ReplyUnavailableError(_reason(error)) from None
        if not text:
            raise ReplyUnavailableError("empty")
        return ReplyText(text=text, model=name)

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """See ``ReplyModel``."""
        client = await self._opened()
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
            raise ReplyUnavailableError(_reason(error)) from None

    async def _opened(self) -> "AsyncOpenAI":
        async with self._opening:
            if self._client is None:
                client_class = await asyncio.to_thread(_client_class)
                self._client = client_class(
                    base_url=self._base_url,
                    api_key=self._api_key,
                    timeout=self._timeout_s,
                    max_retries=self._max_retries,
                )
            return self._client


def _client_class() -> "type[AsyncOpenAI]":
    """The library takes most of a second to import: not while people wait, and only if needed."""
    from openai import AsyncOpenAI

    return AsyncOpenAI


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

    async def close(self) -> None:
        """Nothing to give back."""


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


def _reason(error: Exception) -> str:
    """A slug for logs and metrics; the provider's words may quote the prompt or the key."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return f"status_{status}"
    name = type(error).__name__
    return "timeout" if "Timeout" in name else "unreachable" if "Connection" in name else "failed"
