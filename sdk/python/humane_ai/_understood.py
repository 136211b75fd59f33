"""What the last message of a call to a language model says, found out in a bounded time."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from humane_ai._async_client import AsyncHumaneClient
from humane_ai._client import HumaneClient
from humane_ai._errors import APITimeoutError, HumaneError, InvalidArgumentError
from humane_ai._openai_calls import Arguments, Calls, words_of
from humane_ai._types import ProcessResult

LONGEST_MESSAGE = 16_000
"""Characters that the API takes; of more, the beginning and the end are read."""
REMEMBERED = 512
"""Messages whose reading is kept for the calls that go on with them, as those with tools do."""
PERSON = "humane_user_id"
"""Argument of one call: who writes. Then ``user_id`` of ``wrap``, then OpenAI's own arguments."""

log = logging.getLogger("humane_ai")


@dataclass(frozen=True)
class Question:
    """Somebody's last message, and what is known of it: all, when there is nothing to ask."""

    person: str
    text: str = field(repr=False)
    key: str
    known: ProcessResult | None


@dataclass(frozen=True)
class Reading:
    """What was understood; None when nothing was said or nobody could tell."""

    result: ProcessResult | None
    key: str


class Readings:
    """Who says what in a call, and what was understood of the messages before.

    A message is understood once: also when its call is made again, because the model failed.
    """

    def __init__(self, user_id: str | None) -> None:
        self._user_id = user_id
        self._known: OrderedDict[str, ProcessResult] = OrderedDict()
        self._unanswered: set[str] = set()
        self._lock = Lock()

    def question(self, calls: Calls, arguments: Arguments) -> Question:
        """Takes our own argument out of the call. Raises InvalidArgumentError."""
        person = self._person(arguments)
        turns = calls.turns(arguments)
        words = [text for text in map(words_of, turns) if text is not None]
        whole = "\x00".join((person, *words)).encode("utf-8", "replace")
        key = hashlib.sha256(whole).hexdigest()
        # After the message stands a part of its answer: it was understood by the call before.
        goes_on = bool(turns) and words_of(turns[-1]) is None
        text = _fitting(words[-1].strip()) if words else ""
        with self._lock:
            is_known = goes_on or key in self._unanswered
            return Question(person, text, key, self._known.get(key) if is_known else None)

    def keep(self, question: Question, result: ProcessResult) -> Reading:
        """For the calls that go on with the same message."""
        with self._lock:
            self._known[question.key] = result
            self._unanswered.add(question.key)
            while len(self._known) > REMEMBERED:
                oldest, _ = self._known.popitem(last=False)
                self._unanswered.discard(oldest)
        return Reading(result, question.key)

    def answered(self, reading: Reading) -> None:
        """The same words are another message from now on."""
        with self._lock:
            self._unanswered.discard(reading.key)

    def _person(self, arguments: Arguments) -> str:
        own = arguments.pop(PERSON, None)
        names = (own, self._user_id, arguments.get("safety_identifier"), arguments.get("user"))
        found = next((name for name in names if isinstance(name, str) and name.strip()), None)
        if found is None:
            raise InvalidArgumentError(
                f"Who writes? Say wrap(..., user_id=...), or {PERSON}=... in the call."
            )
        return found


class Reader(Readings):
    """Asks and waits ``time_box_s`` seconds at most."""

    def __init__(self, humane: HumaneClient, user_id: str | None, time_box_s: float) -> None:
        super().__init__(user_id)
        self._humane = humane.with_options(timeout_s=time_box_s, max_retries=0)
        self._time_box_s = time_box_s

    def read(self, calls: Calls, arguments: Arguments) -> Reading:
        """What the last message says. Raises InvalidArgumentError."""
        asked = self.question(calls, arguments)
        if asked.known or not asked.text:
            return Reading(asked.known, asked.key)
        try:
            ask = partial(self._humane.process, asked.person, asked.text, respond=False)
            return self.keep(asked, _within(self._time_box_s, ask))
        except InvalidArgumentError:
            raise
        except HumaneError as error:
            _warn(error)
            return Reading(None, asked.key)


class AsyncReader(Readings):
    """The same, awaited."""

    def __init__(self, humane: AsyncHumaneClient, user_id: str | None, time_box_s: float) -> None:
        super().__init__(user_id)
        self._humane = humane.with_options(timeout_s=time_box_s, max_retries=0)
        self._time_box_s = time_box_s

    async def read(self, calls: Calls, arguments: Arguments) -> Reading:
        """What the last message says. Raises InvalidArgumentError."""
        asked = self.question(calls, arguments)
        if asked.known or not asked.text:
            return Reading(asked.known, asked.key)
        try:
            ask = self._humane.process(asked.person, asked.text, respond=False)
            return self.keep(asked, await asyncio.wait_for(ask, self._time_box_s))
        except asyncio.TimeoutError:
            _warn(_too_slow(self._time_box_s))
            return Reading(None, asked.key)
        except InvalidArgumentError:
            raise
        except HumaneError as error:
            _warn(error)
            return Reading(None, asked.key)


def _fitting(text: str) -> str:
    half = LONGEST_MESSAGE // 2
    return text if len(text) <= LONGEST_MESSAGE else text[:half] + text[-half:]


def _warn(error: HumaneError) -> None:
    log.warning("The model is asked without knowing the person: %s", error)


def _too_slow(seconds: float) -> APITimeoutError:
    return APITimeoutError(f"No answer within {seconds} s.")


def _within(seconds: float, ask: Callable[[], ProcessResult]) -> ProcessResult:
    """The result, unless it takes longer. Raises APITimeoutError, and what ``ask`` raises.

    In a thread, for a connection's timeouts bound each wait and not the whole call.
    """
    outcome: SimpleQueue[ProcessResult | Exception] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put(ask())
        except Exception as error:  # noqa: BLE001 - it is raised again where the caller waits
            outcome.put(error)

    Thread(target=copy_context().run, args=(run,), name="humane-understands", daemon=True).start()
    try:
        found = outcome.get(timeout=seconds)
    except Empty:
        raise _too_slow(seconds) from None
    if isinstance(found, Exception):
        raise found
    return found
