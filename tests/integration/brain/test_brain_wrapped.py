"""``humane_ai.wrap``: OpenAI's own clients, asking a model, with the real brain beside them."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import openai
import pytest

from humane_ai import AsyncHumaneClient, HumaneClient, InvalidArgumentError, understanding, wrap
from tests.integration.brain.world import Brain, World
from tests.support.model_double import LOOPBACK, ModelDouble
from tests.support.ports import find_free_port

SAD = "I am so sad and tired today, nobody listens to me"
DANGER = "I want to kill myself tonight"
MODEL = "asked-1"

Call = Callable[[Any], Any]


class Wrapped:
    """``await wrapped(lambda c: c.chat...)`` with OpenAI's synchronous or asynchronous client."""

    def __init__(self, kind: str, brain: Brain, model: ModelDouble) -> None:
        self.kind = kind
        self.model = model
        self.base_url = f"http://{LOOPBACK}:{brain.running.ports['public']}"
        self.key = brain.key

    async def __call__(self, call: Call, **options: Any) -> Any:
        options = {"user_id": "sarah", **options}
        model: dict[str, Any] = {"api_key": "sk-x", "base_url": self.model.url, "max_retries": 0}
        if self.kind == "sync":
            return await asyncio.to_thread(self._sync, call, model, options)
        humane = AsyncHumaneClient(self.key, self.base_url)
        async with humane, wrap(openai.AsyncOpenAI(**model), humane=humane, **options) as client:
            answer = await call(client)
            return await _drained(answer)

    def _sync(self, call: Call, model: Any, options: Any) -> Any:
        with (
            HumaneClient(self.key, self.base_url) as humane,
            wrap(openai.OpenAI(**model), humane=humane, **options) as client,
        ):
            answer = call(client)
            return answer if not hasattr(answer, "__next__") else (answer, list(answer))


async def _drained(answer: Any) -> Any:
    if not hasattr(answer, "__anext__"):
        return answer
    return answer, [event async for event in answer]


def asked(text: str, **more: Any) -> Call:
    messages = [{"role": "system", "content": "You sell shoes."}, {"role": "user", "content": text}]
    return lambda client: client.chat.completions.create(
        **{"model": MODEL, "messages": messages, **more}
    )


@pytest.fixture(params=["sync", "async"])
def wrapped(request: pytest.FixtureRequest, brain: Brain, model: ModelDouble) -> Wrapped:
    return Wrapped(request.param, brain, model)


async def test_the_model_is_told_how_the_person_is(wrapped: Wrapped) -> None:
    await wrapped(asked("I work at TechCorp"))
    completion = await wrapped(asked(f"{SAD}. Where do I work?"))
    assert completion.choices[0].message.content == wrapped.model.text
    known = understanding(completion)
    assert known is completion.humane
    assert known.user.mood < 0.5
    assert known.user.interaction_count == 2
    assert known.response is None, "our model wrote nothing"
    system = wrapped.model.system()
    assert system.startswith("You sell shoes.\n\n## The person you are answering")
    assert f"Mood {known.user.mood:.2f}" in system
    assert "<memory>I work at TechCorp</memory>" in system
    assert "sadness" in system
    assert len(wrapped.model.calls) == 2
    assert "humane" not in completion.model_dump_json(), "what is stored of it stays OpenAI's"


async def test_a_streamed_answer_knows_too(wrapped: Wrapped) -> None:
    stream, chunks = await wrapped(asked(SAD, stream=True))
    text = "".join(chunk.choices[0].delta.content for chunk in chunks)
    assert text.strip() == wrapped.model.text
    assert stream.humane.user.mood < 0.5


@pytest.mark.parametrize("stream", [False, True])
async def test_danger_does_not_reach_the_model(wrapped: Wrapped, stream: bool) -> None:
    answer = await wrapped(asked(DANGER, stream=stream))
    assert wrapped.model.calls == []
    if stream:
        answer, chunks = answer
        assert [type(chunk).__name__ for chunk in chunks] == ["ChatCompletionChunk"] * 3
        said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert chunks[-1].choices[0].finish_reason == "stop"
    else:
        assert isinstance(answer, openai.types.chat.ChatCompletion)
        said = answer.choices[0].message.content
    assert answer.humane.safety.action == "BLOCK"
    assert said == answer.humane.response
    assert said


async def test_concern_is_answered_by_a_reviewed_text(wrapped: Wrapped) -> None:
    answer = await wrapped(asked("my friend wants to kill herself"))
    assert wrapped.model.calls == []
    assert answer.humane.safety.action == "HOLD"
    assert answer.choices[0].message.content == answer.humane.response


@pytest.mark.parametrize("stream", [False, True])
async def test_the_newer_way_of_asking(wrapped: Wrapped, stream: bool) -> None:
    def call(said: Any, **more: Any) -> Call:
        return lambda client: client.responses.create(model=MODEL, input=said, **more)

    part = {"role": "user", "content": [{"type": "input_text", "text": SAD}]}
    answer = await wrapped(call([part], instructions="You sell shoes."))
    assert answer.output_text == wrapped.model.text
    assert answer.humane.user.mood < 0.5
    assert wrapped.model.calls[0]["instructions"].startswith("You sell shoes.\n\n## The person")

    answer = await wrapped(call(DANGER, stream=stream))
    assert len(wrapped.model.calls) == 1
    if stream:
        answer, events = answer
        assert all(type(event).__name__.startswith("Response") for event in events)
        said = "".join(e.delta for e in events if e.type == "response.output_text.delta")
        assert events[-1].response.output_text == said
    else:
        said = answer.output_text
    assert said == answer.humane.response


async def test_a_call_that_goes_on_is_the_same_message(wrapped: Wrapped) -> None:
    tool = {"id": "t1", "type": "function", "function": {"name": "stock", "arguments": "{}"}}
    said = {"role": "user", "content": SAD}
    called = [
        said,
        {"role": "assistant", "content": None, "tool_calls": [tool]},
        {"role": "tool", "tool_call_id": "t1", "content": "7"},
    ]

    def both(client: Any) -> Any:
        def create(messages: Any) -> Any:
            return client.chat.completions.create(model=MODEL, messages=messages)

        if wrapped.kind == "sync":
            return [create([said]), create(called)]

        async def one_after_another() -> Any:
            return [await create([said]), await create(called)]

        return one_after_another()

    first, second = await wrapped(both)
    assert first.humane.interaction_id == second.humane.interaction_id
    assert "## The person" in wrapped.model.system()


async def test_who_writes_can_be_said_in_the_call(wrapped: Wrapped) -> None:
    own = await wrapped(asked("hello", humane_user_id="ben"))
    theirs = await wrapped(asked("hello", user="mia"), user_id=None)
    assert (own.humane.user.id, theirs.humane.user.id) == ("ben", "mia")
    assert "humane_user_id" not in wrapped.model.calls[0]
    with pytest.raises(InvalidArgumentError, match="Who writes"):
        await wrapped(asked("hello"), user_id=None)
    assert len(wrapped.model.calls) == 2


async def test_a_service_that_is_away_changes_nothing(
    wrapped: Wrapped, caplog: pytest.LogCaptureFixture
) -> None:
    wrapped.base_url = f"http://{LOOPBACK}:{find_free_port()}"
    completion = await wrapped(asked(SAD))
    assert completion.choices[0].message.content == wrapped.model.text
    assert completion.humane is None
    assert wrapped.model.system() == "You sell shoes."
    (told,) = [row for row in caplog.records if row.name == "humane_ai"]
    assert told.levelno == logging.WARNING
    assert "without knowing the person: No answer from" in told.getMessage()
    assert SAD not in caplog.text


async def test_a_key_that_is_refused_changes_nothing(
    wrapped: Wrapped, caplog: pytest.LogCaptureFixture
) -> None:
    wrapped.key = "hx_" + "x" * 43
    completion = await wrapped(asked(SAD))
    assert (completion.humane, len(wrapped.model.calls)) == (None, 1)
    assert "401" in caplog.text


async def test_a_service_that_drips_is_not_waited_for(
    wrapped: Wrapped, caplog: pytest.LogCaptureFixture
) -> None:
    """Each byte comes in time, so that no timeout of the connection ends it."""
    over = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, TimeoutError):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.is_set():
                writer.write(b" ")
                await writer.drain()
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), 0.05)
        writer.close()

    server = await asyncio.start_server(drip, LOOPBACK, 0)
    wrapped.base_url = "http://{}:{}".format(*server.sockets[0].getsockname())
    try:
        completion = await wrapped(asked(SAD), time_box_s=0.3)
    finally:
        over.set()
        server.close()
    assert completion.choices[0].message.content == wrapped.model.text
    assert completion.humane is None
    assert "No answer within 0.3 s" in caplog.text


async def test_what_was_not_said_is_not_asked(wrapped: Wrapped) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    for messages in (
        [{"role": "system", "content": "Say hello."}],
        [{"role": "user", "content": [picture]}],
    ):
        completion = await wrapped(asked("", messages=messages))
        assert completion.humane is None
    assert "## The person" not in wrapped.model.everything


async def test_everything_else_is_the_clients_own(
    wrapped: Wrapped, caplog: pytest.LogCaptureFixture
) -> None:
    own = openai.AsyncOpenAI if wrapped.kind == "async" else openai.OpenAI

    def look(client: Any) -> Any:
        assert isinstance(client, own)
        assert client.base_url == wrapped.model.url + "/"
        assert client.models is not None
        assert callable(client.chat.completions.parse)
        return client.with_options(timeout=9).chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": SAD}]
        )

    completion = await wrapped(look)
    assert completion.humane.user.mood < 0.5, "a copy is wrapped as well"
    assert "parse goes past humane_ai.wrap" in caplog.text


async def test_a_client_of_the_other_kind_is_refused(brain: Brain) -> None:
    with pytest.raises(InvalidArgumentError, match="AsyncHumaneClient"):
        wrap(openai.AsyncOpenAI(api_key="x"), humane=HumaneClient(brain.key))
    with pytest.raises(InvalidArgumentError, match="HumaneClient"):
        wrap(openai.OpenAI(api_key="x"), humane=AsyncHumaneClient(brain.key))
    with pytest.raises(InvalidArgumentError, match="time_box_s"):
        wrap(openai.OpenAI(api_key="x"), humane=HumaneClient(brain.key), time_box_s=0)


async def test_a_client_that_wrap_made_is_closed_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUMANE_API_KEY", "hx_" + "k" * 43)
    closed: list[str] = []
    monkeypatch.setattr(HumaneClient, "close", lambda _: closed.append("sync"))
    with wrap(openai.OpenAI(api_key="x"), user_id="sarah"):
        pass
    assert closed == ["sync"]
