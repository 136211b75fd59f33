"""Signing in with an API key, and out."""

from urllib.parse import urlsplit

from aiohttp import web

from dashboard.adapters.api import Api, ApiError
from dashboard.domain.session import Session, Sessions
from dashboard.http.guard import SIGN_IN
from dashboard.http.views import page
from shared.http.throttle import Throttle

HOME = "/app"
TOO_OFTEN = "Too many wrong keys from your address. Wait a minute and try again."


class SignIn:
    """Handlers of the session."""

    def __init__(
        self, api: Api, sessions: Sessions, cookie: str, throttle: Throttle, *, secure: bool
    ) -> None:
        self._api = api
        self._sessions = sessions
        self._cookie = cookie
        self._throttle = throttle
        self._secure = secure

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get(SIGN_IN, self.form),
            web.post(SIGN_IN, self.enter),
            web.post("/app/sign-out", self.leave),
        ]

    async def form(self, request: web.Request) -> web.Response:
        """Ask for the key."""
        return page(request, "sign_in.html", next=inside(request.query.get("next")), problem=None)

    async def enter(self, request: web.Request) -> web.Response:
        """A session, when the API knows the key and it may read."""
        form = await request.post()
        key, target = str(form.get("key", "")).strip(), inside(str(form.get("next", "")))
        session = await self._session(request, key)
        if isinstance(session, str):
            return page(request, "sign_in.html", status=401, next=target, problem=session)
        response = web.HTTPSeeOther(target)
        response.set_cookie(
            self._cookie,
            self._sessions.sealed(session),
            max_age=self._sessions.lasts_s,
            path="/",
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )
        raise response

    async def _session(self, request: web.Request, key: str) -> Session | str:
        """Or why there is none."""
        if self._throttle.wait_s(request):
            return TOO_OFTEN
        if not key:
            return "Paste your API key."
        try:
            caller = await self._api.get(key, "/api/caller")
        except ApiError as error:
            self._throttle.failed(request)
            return error.detail
        session = Session(key, caller["tenant"], caller["label"], tuple(caller["scopes"]))
        if not session.may("read"):
            return "This key may not read. Make one with the scope read, or admin."
        return session

    async def leave(self, _: web.Request) -> web.Response:
        """The session is over in this browser."""
        response = web.HTTPSeeOther(SIGN_IN)
        response.del_cookie(self._cookie, path="/")
        raise response


async def home(_: web.Request) -> web.Response:
    """The front door."""
    raise web.HTTPSeeOther(HOME)


def inside(target: str | None) -> str:
    """A page of ours: nobody is led elsewhere after signing in."""
    if target is None:
        return HOME
    parts = urlsplit(target)
    ours = parts.path == HOME or parts.path.startswith(f"{HOME}/")
    return target if ours and not parts.scheme and not parts.netloc else HOME
