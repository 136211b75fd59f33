"""Files that come with messages: fetched on demand or at once, heard and seen where a model can."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from shared.contracts import Envelope, SafetyBlocked
from tests.integration.brain.world import (
    PHONE,
    SERVICE_TOKEN,
    TENANT,
    Brain,
    Json,
    World,
    notice,
    whatsapp,
)
from tests.support.eventually import eventually
from tests.support.model_double import EARS, EYES, ModelDouble, listening

VOICE, PICTURE = b"OggS voice", b"\xff\xd8 picture"


class Files:
    """Outbound's internal port, as far as brain knows it."""

    def __init__(self) -> None:
        self.files = {"voice": ("audio/ogg", VOICE), "picture": ("image/jpeg", PICTURE)}
        self.status = 200
        self.asked: list[Json] = []
        self.url = ""

    async def _file(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {SERVICE_TOKEN}":
            return web.json_response({}, status=401)
        self.asked.append(dict(request.query))
        if self.status != 200 or request.query["media_id"] not in self.files:
            status = 404 if self.status == 200 else self.status
            problem = {"type": "urn:platform:problem:media-gone", "detail": "It is gone."}
            return web.json_response(problem, status=status)
        mime_type, content = self.files[request.query["media_id"]]
        return web.Response(body=content, content_type=mime_type)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Files"]:
        app = web.Application()
        app.router.add_get("/internal/media", self._file)
        async with listening(app) as self.url:
            yield self


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with Files().running() as running:
        yield running


def voice(**more: Any) -> Envelope:
    return whatsapp(type="audio", audio={"id": "voice", "voice": True, "sha256": "s"}, **more)


def picture(caption: str | None = None, **more: Any) -> Envelope:
    image: Json = {"id": "picture", "sha256": "s"}
    if caption:
        image["caption"] = caption
    return whatsapp(type="image", image=image, **more)


def reading(model: ModelDouble, files: Files) -> Json:
    return model.settings(llm_transcribe_model=EARS, llm_vision_model=EYES, media_api_url=files.url)


async def told(brain: Brain, message: Envelope) -> Json:
    await brain.deliver(message)
    return await brain.interaction(message)


async def test_a_file_is_fetched_on_demand(world: World, files: Files):
    async with world.brain(media_api_url=files.url) as brain:
        message = picture()
        await told(brain, message)
        assert files.asked == []
        answer = await brain.call("GET", f"/api/interactions/{message.id}/media")
    assert (answer.status, answer.body) == (200, PICTURE)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert files.asked[0]["tenant"] == TENANT
    assert (files.asked[0]["media_id"], files.asked[0]["sha256"]) == ("picture", "s")


async def test_what_cannot_be_fetched_says_why(world: World, files: Files):
    async with world.brain(media_api_url=files.url) as brain:
        message, text = picture(), whatsapp("hello")
        await told(brain, message)
        await told(brain, text)
        path = f"/api/interactions/{message.id}/media"
        files.status = 503
        assert (await brain.call("GET", path)).status == 503
        files.status = 413
        refused = await brain.call("GET", path)
        assert (refused.status, refused.problem) == (413, "media-gone")
        assert (await brain.call("GET", f"/api/interactions/{text.id}/media")).status == 404
        other = await brain.call("GET", path, key=world.keys.issue("tn_other"))
        assert other.status == 404


async def test_eager_files_are_kept_until_they_are_taken_back(world: World, files: Files):
    async with world.brain(media_api_url=files.url, media_eager=True) as brain:
        message = picture()
        await told(brain, message)
        kept = brain.database["files.files"]
        await eventually(lambda: kept.find_one({"_id": message.id}), message="the file is kept")
        files.status = 404
        path = f"/api/interactions/{message.id}/media"
        answer = await brain.call("GET", path)
        assert (answer.status, answer.body) == (200, PICTURE)
        gone = {"original_message_id": message.data["provider_message_id"]}
        await brain.deliver(notice("revoke", gone))
        await brain.idle()
        assert (await brain.call("GET", path)).status == 404
        assert await brain.database["files.chunks"].count_documents({}) == 0


async def test_a_voice_note_is_heard_and_answered(world: World, model: ModelDouble, files: Files):
    async with world.brain(**reading(model, files)) as brain:
        message = voice()
        row = await told(brain, message)
        assert model.recordings == [VOICE]
        assert row["message"]["text"] == f"[voice note] {model.heard}"
        assert row["reply"]["status"] == "model"
        assert f"[voice note] {model.heard}" in model.prompts[-1][-1]["content"]
        assert "sadness" in row["analysis"]["detected_emotions"] or row["analysis"]["reasons"]
        found = await brain.get(f"/api/users/{PHONE}/memories")
        assert found["memories"][0]["text"] == model.heard
        user = await brain.get(f"/api/users/{PHONE}")
        assert user["interaction_count"] == 1
        assert user["mood"] < 0.5
    assert len(brain.bus.replies) == 1


async def test_a_cry_for_help_in_a_voice_note_is_heard(
    world: World, model: ModelDouble, files: Files
):
    model.heard = "I am going to kill myself tonight"
    async with world.brain(**reading(model, files)) as brain:
        row = await told(brain, voice())
        assert row["reply"]["status"] == "fixed"
        assert row["safety"]["action"] == "BLOCK"
        assert len(brain.bus.of_type(SafetyBlocked.TYPE)) == 1
    assert model.prompts == []
    assert len(brain.bus.replies) == 1


async def test_a_picture_is_seen(world: World, model: ModelDouble, files: Files):
    async with world.brain(**reading(model, files)) as brain:
        row = await told(brain, picture(debounce_ms=150))
    assert row["message"]["text"] == f"[image] {model.seen}"
    assert row["reply"]["status"] == "model"


async def test_a_voice_note_in_a_burst_is_part_of_the_thought(
    world: World, model: ModelDouble, files: Files
):
    async with world.brain(**reading(model, files)) as brain:
        messages = [whatsapp("listen to this", debounce_ms=150), voice(debounce_ms=150)]
        await brain.deliver(*messages)
        rows = [await brain.interaction(message) for message in messages]
    assert [row["reply"]["status"] for row in rows] == ["joined", "model"]
    assert "listen to this" in model.prompts[-1][-1]["content"]
    assert model.heard in model.prompts[-1][-1]["content"]


@pytest.mark.parametrize("status", [404, 503])
async def test_what_nobody_can_hear_gets_an_honest_line(
    world: World, model: ModelDouble, files: Files, status: int
):
    files.status = status
    async with world.brain(**reading(model, files)) as brain:
        message = voice()
        await brain.deliver(message)
        if status == 503:
            await eventually(lambda: files.asked, message="it was tried")
            world.clock.advance(46)
        row = await brain.interaction(message)
    assert (row["reply"]["status"], row["reply"]["reason"]) == ("fixed", "not_heard")


async def test_without_such_a_model_the_line_comes_at_once(brain: Brain):
    row = await told(brain, voice())
    assert (row["reply"]["status"], row["reply"]["reason"]) == ("fixed", "not_heard")
