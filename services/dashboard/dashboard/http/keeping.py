"""Keys, settings and the simulated phone."""

from aiohttp import web

from dashboard.adapters.api import Api, ApiError
from dashboard.domain.session import Sessions
from dashboard.http.parts import part
from dashboard.http.views import SESSION, THEME, page

SCOPES = {
    "read": "read: see people, interactions and memories",
    "process": "process: have messages understood, write to people, acknowledge alerts",
    "channels": "channels: connect and change numbers",
    "admin": "admin: everything, and make keys",
}
A_YEAR_S = 365 * 86_400


class Keeping:
    """Handlers of what keeps the house in order. ``phone_url``: the simulated phone, if any."""

    def __init__(self, api: Api, sessions: Sessions, phone_url: str | None) -> None:
        self._api = api
        self._sessions = sessions
        self._phone_url = phone_url

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get("/app/keys", self.keys),
            web.post("/app/keys", self.create),
            web.post("/app/keys/{id:[^/]+}/revoke", self.revoke),
            web.get("/app/settings", self.settings),
            web.post("/app/settings", self.theme),
            web.get("/app/phone", self.phone),
        ]

    async def keys(self, request: web.Request) -> web.Response:
        """The tenant's keys."""
        return await self._keys(request)

    async def _keys(
        self,
        request: web.Request,
        *,
        made: object = None,
        problem: str | None = None,
        status: int = 200,
    ) -> web.Response:
        found = await part("Keys", self._api.get(request[SESSION].api_key, "/api/keys"))
        return page(
            request,
            "keys.html",
            status=status,
            found=found,
            made=made,
            scopes=SCOPES,
            problem=problem,
        )

    async def create(self, request: web.Request) -> web.Response:
        """A new key, shown on this page and never again."""
        form = await request.post()
        body = {
            "label": str(form.get("label", "")).strip(),
            "scopes": [scope for scope in SCOPES if scope in form.getall("scopes", [])],
        }
        try:
            made = await self._api.send("POST", request[SESSION].api_key, "/api/keys", body)
        except ApiError as error:
            if error.status == 401:
                raise
            return await self._keys(request, problem=error.detail, status=error.status)
        return await self._keys(request, made=made)

    async def revoke(self, request: web.Request) -> web.Response:
        """Refused everywhere within two seconds."""
        path = f"/api/keys/{request.match_info['id']}"
        try:
            await self._api.send("DELETE", request[SESSION].api_key, path)
        except ApiError as error:
            if error.status == 401:
                raise
            return await self._keys(request, problem=error.detail, status=error.status)
        raise web.HTTPSeeOther("/app/keys")

    async def settings(self, request: web.Request) -> web.Response:
        """The reader's own."""
        return page(request, "settings.html", hours=self._sessions.lasts_s / 3600)

    async def theme(self, request: web.Request) -> web.Response:
        """Light, dark, or as the system has it."""
        form = await request.post()
        chosen = str(form.get("theme", ""))
        response = web.HTTPSeeOther("/app/settings")
        if chosen in {"light", "dark"}:
            response.set_cookie(THEME, chosen, max_age=A_YEAR_S, path="/app", samesite="Lax")
        else:
            response.del_cookie(THEME, path="/app")
        raise response

    async def phone(self, request: web.Request) -> web.Response:
        """A handset beside the live page."""
        if self._phone_url is None:
            raise web.HTTPNotFound
        found = await part(
            "Interactions",
            self._api.get(request[SESSION].api_key, "/api/interactions", limit=8),
        )
        return page(
            request, "phone.html", frames=self._phone_url, phone=self._phone_url, found=found
        )
