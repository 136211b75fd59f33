"""Templates to answers, with the headers that every page has."""

from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboard.domain import words
from dashboard.domain.session import Session

SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)
"""On every request of somebody who is signed in."""
STATIC = "/app/static/"
PHONE: web.AppKey[bool] = web.AppKey("phone", bool)
THEME = "theme"
"""Cookie of the reader's choice: light or dark; without it their system's."""
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    frames: str | None = None,
    **shown: Any,
) -> web.Response:
    """A page. What is shown is escaped: people wrote it. ``frames``: an origin it may show."""
    session = request.get(SESSION)
    html = (
        _templates()
        .get_template(template)
        .render(
            here=request.path,
            query=request.query,
            session=session,
            theme=_theme(request),
            phone_is_here=request.app[PHONE],
            now=datetime.now(UTC).isoformat(),
            **shown,
        )
    )
    return web.Response(text=html, status=status, content_type="text/html", headers=headers(frames))


def offers_phone(app: web.Application, offered: bool) -> None:
    """Whether the navigation leads to the simulated phone."""
    app[PHONE] = offered


def headers(frames: str | None = None) -> dict[str, str]:
    """What every answer to a browser carries."""
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": POLICY + (f"; frame-src {frames}" if frames else ""),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }


def _theme(request: web.Request) -> str:
    theme = request.cookies.get(THEME, "")
    return theme if theme in {"light", "dark"} else "auto"


def link(request: web.Request, **changed: str | None) -> str:
    """The same page with another query; None takes a part away."""
    query = {**request.query, **changed}
    return str(request.rel_url.with_query({k: v for k, v in query.items() if v}))


async def static(request: web.Request) -> web.Response:
    """A file of ours, under a name that changes with it."""
    name = request.match_info["name"]
    found = next((file for file, served in _served().items() if served == name), None)
    if found is None:
        raise web.HTTPNotFound
    kind = TYPES[found.rpartition(".")[2]]
    return web.Response(
        body=_content(found),
        content_type=kind,
        charset="utf-8",
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        },
    )


@cache
def _content(name: str) -> bytes:
    return (resources.files("dashboard.http") / "static" / name).read_bytes()


@cache
def _served() -> dict[str, str]:
    """Our files, and the names under which they are served."""
    folder = resources.files("dashboard.http") / "static"
    names = {}
    for file in folder.iterdir():
        stem, _, kind = file.name.rpartition(".")
        if kind in TYPES:
            names[file.name] = f"{stem}.{sha256(file.read_bytes()).hexdigest()[:12]}.{kind}"
    return names


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("dashboard", "http/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = lambda name: STATIC + _served()[name]
    environment.filters["when"] = _when
    for word in (
        words.percent,
        words.action,
        words.mood,
        words.energy,
        words.delivery,
        words.channel,
        words.finding,
        words.flag,
        words.span,
    ):
        environment.filters[word.__name__] = word
    environment.filters["is_past"] = _is_past
    return environment


def _is_past(at: str | None) -> bool:
    return at is None or datetime.fromisoformat(at) <= datetime.now(UTC)


def _when(at: str | None) -> Markup:
    """A moment; the reader's browser puts it into their zone."""
    if at is None:
        return Markup("never")
    moment = datetime.fromisoformat(at).astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        moment.isoformat(), moment.strftime("%Y-%m-%d %H:%M")
    )
