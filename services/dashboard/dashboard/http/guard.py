"""Who may see a page, and that a form is ours."""

from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from dashboard.adapters.api import ApiError, ApiUnavailableError
from dashboard.domain.session import Sessions
from dashboard.http.views import SESSION, STATIC, page
from shared.http.server import Handler

log = structlog.get_logger()

SIGN_IN = "/app/sign-in"


def guard(sessions: Sessions, cookie: str) -> Middleware:
    """A middleware: who is not signed in is asked to; a form without its token is refused."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/" or request.path.startswith(STATIC):
            return await handler(request)
        session = sessions.opened(request.cookies.get(cookie, ""))
        if session is not None:
            request[SESSION] = session
        elif request.path != SIGN_IN:
            raise web.HTTPSeeOther(f"{SIGN_IN}?next={quote(request.path_qs)}")
        if request.method == "POST":
            if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
                return _refused(request)
            form = await request.post()
            if session is not None and not session.allows(str(form.get("csrf", ""))):
                return _refused(request)
        return await _answered(request, handler, cookie)

    return guarded


def _refused(request: web.Request) -> web.Response:
    problem = "This form is not from this page, or its session is over. Go back and try again."
    return page(request, "problem.html", status=403, title="Not sent", problem=problem)


async def _answered(request: web.Request, handler: Handler, cookie: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        if error.status == 401:
            # The key was revoked or is over: whoever has it is asked again.
            response = page(
                request, "sign_in.html", status=401, next=request.path_qs, problem=error.detail
            )
            response.del_cookie(cookie)
            return response
        title = {403: "Not allowed", 404: "Not there"}.get(error.status, "Not done")
        return page(request, "problem.html", status=error.status, title=title, problem=error.detail)
    except ApiUnavailableError as error:
        log.warning("api_unavailable", reason=str(error), route=request.path)
        problem = "The service behind this page does not answer right now. Nothing is lost; try again in a moment."
        return page(
            request, "problem.html", status=503, title="Out of reach", problem=problem, again=True
        )
    except web.HTTPNotFound:
        return page(
            request, "problem.html", status=404, title="Not there", problem="There is no such page."
        )
