"""What people do for a person: take over, answer, hand back, acknowledge, export, erase."""

from urllib.parse import quote

import orjson
from aiohttp import web

from dashboard.adapters.api import Api, ApiError
from dashboard.http.views import SESSION, headers, page


class SteppingIn:
    """Handlers of forms about people."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        user = "/app/users/{id:[^/]+}"
        return [
            web.post(f"{user}/auto-reply", self.auto_reply),
            web.post(f"{user}/messages", self.write),
            web.get(f"{user}/export", self.export),
            web.get(f"{user}/erase", self.ask),
            web.post(f"{user}/erase", self.erase),
            web.post("/app/safety/{id:[^/]+}", self.attend),
        ]

    async def auto_reply(self, request: web.Request) -> web.Response:
        """Take the conversation over, or hand it back to the machine."""
        form = await request.post()
        paused = form.get("auto_reply") == "paused"
        standing = "paused" if paused else "on"
        await self._send(request, "PATCH", f"/api/users/{_id(request)}", {"auto_reply": standing})
        raise _back(request)

    async def write(self, request: web.Request) -> web.Response:
        """Write to the person oneself."""
        form = await request.post()
        text = str(form.get("text", "")).strip()
        if not text:
            raise _back(request)
        try:
            await self._api.send(
                "POST",
                request[SESSION].api_key,
                f"/api/users/{_id(request)}/messages",
                {"text": text},
                idempotency_key=str(form.get("nonce", "")) or None,
            )
        except ApiError as error:
            if error.status == 401:
                raise
            return page(
                request,
                "problem.html",
                status=error.status,
                title="Not sent",
                problem=error.detail,
                kept=text,
                back=_user_page(request),
            )
        raise _back(request)

    async def export(self, request: web.Request) -> web.Response:
        """Everything that is kept of the person, as a file."""
        found = await self._api.get(request[SESSION].api_key, f"/api/privacy/export/{_id(request)}")
        return web.Response(
            body=orjson.dumps(found, option=orjson.OPT_INDENT_2),
            headers={
                **headers(),
                "Content-Type": "application/json",
                "Content-Disposition": 'attachment; filename="export.json"',
            },
        )

    async def ask(self, request: web.Request) -> web.Response:
        """Whether the person is really to be erased."""
        person = await self._api.get(request[SESSION].api_key, f"/api/users/{_id(request)}")
        return page(request, "erase.html", person=person, problem=None)

    async def erase(self, request: web.Request) -> web.Response:
        """Erase the person, when their name was typed."""
        form = await request.post()
        key = request[SESSION].api_key
        person = await self._api.get(key, f"/api/users/{_id(request)}")
        if str(form.get("confirm", "")).strip() != person["external_id"]:
            problem = "That is not their id, so nothing was erased."
            return page(request, "erase.html", status=422, person=person, problem=problem)
        gone = await self._api.send("DELETE", key, f"/api/privacy/erase/{_id(request)}")
        return page(request, "erased.html", gone=gone)

    async def attend(self, request: web.Request) -> web.Response:
        """Acknowledge, open again, assign or note."""
        form = await request.post()
        body: dict[str, object] = {}
        match form.get("do"):
            case "acknowledge":
                body["acknowledged"] = True
            case "reopen":
                body["acknowledged"] = False
            case "mine":
                body["assignee"] = request[SESSION].label
            case "assign":
                body["assignee"] = str(form.get("assignee", "")).strip() or None
        note = str(form.get("note", "")).strip()
        if note:
            body["note"] = note
        if body:
            await self._send(request, "PATCH", f"/api/alerts/{_id(request)}", body)
        back = str(form.get("back", ""))
        raise web.HTTPSeeOther(back if back.startswith("/app/safety") else "/app/safety")

    async def _send(
        self, request: web.Request, method: str, path: str, body: dict[str, object]
    ) -> None:
        await self._api.send(method, request[SESSION].api_key, path, body)


def _id(request: web.Request) -> str:
    return quote(request.match_info["id"], safe="")


def _user_page(request: web.Request) -> str:
    return f"/app/users/{_id(request)}"


def _back(request: web.Request) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(_user_page(request) + "#write")
