"""Channels: connect a number step by step, see why it does not work, change it."""

import asyncio
import re
from urllib.parse import quote
from uuid import uuid4

from aiohttp import web

from dashboard.adapters.api import Api, ApiError, Json
from dashboard.http.parts import part
from dashboard.http.views import SESSION, page

FIELDS = ("label", "phone_number_id", "access_token", "app_secret")
SECRET = frozenset({"access_token", "app_secret"})
FEED = 50


class Channels:
    """Handlers of ``/app/channels``. ``public_url``: where Meta reaches the API."""

    def __init__(self, api: Api, public_url: str) -> None:
        self._api = api
        self._public_url = public_url.rstrip("/")

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        one = "/app/channels/{id:[^/]+}"
        return [
            web.get("/app/channels", self.list),
            web.get("/app/channels/new", self.form),
            web.post("/app/channels/new", self.create),
            web.get(one, self.detail),
            web.post(f"{one}/check", self.check),
            web.post(f"{one}/settings", self.change),
            web.post(f"{one}/rotate", self.rotate),
            web.get(f"{one}/delete", self.ask),
            web.post(f"{one}/delete", self.delete),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Every number and how it stands."""
        found = await part(
            "Channels",
            self._api.get(
                request[SESSION].api_key,
                "/api/channels",
                limit=100,
                cursor=request.query.get("cursor"),
            ),
        )
        return page(request, "channels.html", found=found)

    async def form(self, request: web.Request) -> web.Response:
        """Ask for the three credentials."""
        return page(
            request, "channel_new.html", given={}, problems={}, problem=None, nonce=str(uuid4())
        )

    async def create(self, request: web.Request) -> web.Response:
        """Connect the number; the verify token is shown on this page and never again."""
        form = await request.post()
        given = {name: str(form.get(name, "")).strip() for name in FIELDS}
        body: Json = {name: value for name, value in given.items() if value}
        body["auto_reply"] = form.get("auto_reply") == "on"
        try:
            made = await self._api.send(
                "POST",
                request[SESSION].api_key,
                "/api/channels",
                body,
                idempotency_key=str(form.get("nonce", "")) or None,
            )
        except ApiError as error:
            if error.status == 401:
                raise
            kept = {name: value for name, value in given.items() if name not in SECRET}
            return page(
                request,
                "channel_new.html",
                status=error.status,
                given={**kept, "auto_reply": body["auto_reply"]},
                problems=_by_field(error.detail),
                problem=error.detail,
                nonce=str(uuid4()),
            )
        return await self._connect(request, made)

    async def rotate(self, request: web.Request) -> web.Response:
        """A new verify token; the old one is accepted for a while."""
        changed = await self._api.send(
            "PATCH", request[SESSION].api_key, _path(request), {"rotate_verify_token": True}
        )
        return await self._connect(request, changed)

    async def _connect(self, request: web.Request, channel: Json) -> web.Response:
        return page(
            request,
            "channel_connect.html",
            channel=channel,
            callback=self._callback(channel),
            token=channel.get("verify_token"),
            feed=await self._feed(request, channel["id"]),
        )

    async def detail(self, request: web.Request) -> web.Response:
        """One number: what happens at its webhook, and what can be changed."""
        channel = await self._api.get(request[SESSION].api_key, _path(request))
        return await self._shown(request, channel)

    async def _shown(
        self, request: web.Request, channel: Json, report: Json | None = None
    ) -> web.Response:
        feed, audit = await asyncio.gather(
            self._feed(request, channel["id"]),
            part(
                "The audit log",
                self._api.get(
                    request[SESSION].api_key, f"/api/channels/{channel['id']}/audit", limit=20
                ),
            ),
        )
        return page(
            request,
            "channel.html",
            channel=channel,
            callback=self._callback(channel),
            feed=feed,
            audit=audit,
            report=report,
        )

    async def check(self, request: web.Request) -> web.Response:
        """Run the doctor."""
        key = request[SESSION].api_key
        body = {"public_base_url": self._public_url}
        report = await self._api.send("POST", key, f"{_path(request)}/check", body)
        channel = await self._api.get(key, _path(request))
        return await self._shown(request, channel, report)

    async def change(self, request: web.Request) -> web.Response:
        """Label, automatic answers, disabling, and new credentials."""
        form = await request.post()
        body: Json = {}
        for name in ("label", "access_token", "app_secret"):
            value = str(form.get(name, "")).strip()
            if value:
                body[name] = value
        if "auto_reply" in form:
            body["auto_reply"] = form["auto_reply"] == "on"
        if form.get("state") in ("active", "disabled"):
            body["state"] = form["state"]
        if body:
            await self._api.send("PATCH", request[SESSION].api_key, _path(request), body)
        raise web.HTTPSeeOther(f"/app/channels/{request.match_info['id']}")

    async def ask(self, request: web.Request) -> web.Response:
        """Whether it is really to be deleted."""
        channel = await self._api.get(request[SESSION].api_key, _path(request))
        return page(request, "channel_delete.html", channel=channel, problem=None)

    async def delete(self, request: web.Request) -> web.Response:
        """Destroy the credentials, when the channel's name was typed."""
        form = await request.post()
        key = request[SESSION].api_key
        channel = await self._api.get(key, _path(request))
        if str(form.get("confirm", "")).strip() != (channel["label"] or channel["id"]):
            problem = "That is not its name, so nothing was deleted."
            return page(
                request, "channel_delete.html", status=422, channel=channel, problem=problem
            )
        await self._api.send("DELETE", key, _path(request))
        raise web.HTTPSeeOther("/app/channels")

    async def _feed(self, request: web.Request, channel_id: str) -> object:
        return await part(
            "Activity",
            self._api.get(
                request[SESSION].api_key,
                f"/api/channels/{quote(channel_id, safe='')}/activity",
                limit=FEED,
            ),
        )

    def _callback(self, channel: Json) -> str:
        return f"{self._public_url}{channel['webhook_url_hint']}"


def _path(request: web.Request) -> str:
    return f"/api/channels/{quote(request.match_info['id'], safe='')}"


def _by_field(detail: str) -> dict[str, str]:
    """What is wrong with which field: the API says ``field: why``, one after another."""
    found = re.findall(rf"({'|'.join(FIELDS)}): ([^;]+)", detail)
    return {name: why.strip() for name, why in found}
