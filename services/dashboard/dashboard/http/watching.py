"""Pages that only show: overview, people, interactions, safety, audit."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web

from dashboard.adapters.api import Api
from dashboard.domain.charts import moods, traffic
from dashboard.domain.conversation import conversation
from dashboard.http.parts import Part, part
from dashboard.http.views import SESSION, link, page

ROWS = 25
SPOKEN = 20
"""Messages of a conversation at a time."""
HOURS = {"2": "2 hours", "24": "24 hours", "168": "7 days", "720": "30 days"}
SEEN = {"1": "hour", "24": "day", "168": "week", "720": "month"}
USER_FILTERS = ("q", "channel", "mood", "action", "cursor")
INTERACTION_FILTERS = ("channel_id", "action", "cursor")
RECENT = 3


class Watching:
    """Handlers of what people look at."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get("/app", self.overview),
            web.get("/app/users", self.users),
            web.get("/app/users/{id:[^/]+}", self.user),
            web.get("/app/interactions", self.interactions),
            web.get("/app/interactions/{id:[^/]+}", self.interaction),
            web.get("/app/safety", self.safety),
            web.get("/app/audit", self.audit),
        ]

    async def overview(self, request: web.Request) -> web.Response:
        """Whether everything is well."""
        hours = request.query.get("hours", "24")
        hours = hours if hours in HOURS else "24"
        numbers, alerts, channels, failed, unknown = await asyncio.gather(
            self._part(request, "Traffic", "/api/overview", hours=hours),
            self._part(request, "The safety inbox", "/api/alerts", state="open", limit=5),
            self._part(request, "Channels", "/api/channels", limit=100),
            self._part(request, "Deliveries", "/api/deliveries", state="failed", limit=5),
            self._part(request, "Deliveries", "/api/deliveries", state="unknown", limit=5),
        )
        return page(
            request,
            "overview.html",
            hours=hours,
            spans=HOURS,
            numbers=numbers,
            bars=traffic(numbers["buckets"]) if numbers else [],
            alerts=alerts,
            channels=channels,
            failed=failed,
            unknown=unknown,
        )

    async def users(self, request: web.Request) -> web.Response:
        """People, last seen first."""
        asked = {name: request.query.get(name) for name in USER_FILTERS}
        seen = request.query.get("seen")
        if seen in SEEN:
            asked["seen_since"] = (datetime.now(UTC) - timedelta(hours=int(seen))).isoformat()
        found = await self._part(request, "People", "/api/users", limit=ROWS, **asked)
        return page(
            request,
            "users.html",
            found=found,
            next_page=_next(request, found),
            filtered=any(asked.values()),
            seen=SEEN,
        )

    async def user(self, request: web.Request) -> web.Response:
        """One person: how they are, what was said, what is remembered."""
        person = await self._get(request, f"/api/users/{request.match_info['id']}")
        path = f"/api/users/{person['id']}"
        asked = {"limit": SPOKEN, "cursor": request.query.get("before")}
        interactions, outgoing, memories, channels = await asyncio.gather(
            self._part(request, "The conversation", f"{path}/interactions", **asked),
            self._part(request, "What humans wrote", f"{path}/messages", limit=SPOKEN),
            self._part(request, "Memories", f"{path}/memories", q=request.query.get("q"), limit=10),
            self._part(request, "Channels", "/api/channels", limit=100),
        )
        rows = interactions["interactions"] if interactions else []
        said = outgoing["messages"] if outgoing else []
        if rows and interactions["next_cursor"]:
            said = [row for row in said if row["at"] >= rows[-1]["at"]]
        if rows and request.query.get("before"):
            said = [row for row in said if row["at"] <= rows[0]["at"]]
        ids = ",".join(row["id"] for row in (*rows, *said))
        ticks = (
            await self._part(request, "Deliveries", "/api/deliveries", interaction_id=ids)
            if ids
            else Part({"deliveries": []})
        )
        return page(
            request,
            "user.html",
            person=person,
            interactions=interactions,
            lines=conversation(rows, said, ticks["deliveries"] if ticks else []),
            older=_older(request, interactions),
            plot=moods(rows),
            memories=memories,
            ticks=ticks,
            labels=_labels(channels),
            nonce=str(uuid4()),
        )

    async def interactions(self, request: web.Request) -> web.Response:
        """What was said lately, by everybody."""
        asked = {name: request.query.get(name) for name in INTERACTION_FILTERS}
        found, channels = await asyncio.gather(
            self._part(request, "Interactions", "/api/interactions", limit=ROWS, **asked),
            self._part(request, "Channels", "/api/channels", limit=100),
        )
        return page(
            request,
            "interactions.html",
            found=found,
            channels=channels,
            labels=_labels(channels),
            next_page=_next(request, found),
            filtered=any(asked.values()),
        )

    async def interaction(self, request: web.Request) -> web.Response:
        """One message, and everything that was made of it."""
        row = await self._get(request, f"/api/interactions/{request.match_info['id']}")
        deliveries = await self._part(
            request, "Deliveries", "/api/deliveries", interaction_id=row["id"]
        )
        return page(request, "interaction.html", row=row, deliveries=deliveries)

    async def safety(self, request: web.Request) -> web.Response:
        """Every HOLD and BLOCK; nothing goes away unacknowledged."""
        state = request.query.get("state", "open")
        found = await self._part(
            request,
            "The safety inbox",
            "/api/alerts",
            state=state if state in {"open", "acknowledged", "all"} else "open",
            cursor=request.query.get("cursor"),
            limit=10,
        )
        alerts = found["alerts"] if found else []
        recent = await asyncio.gather(
            *(
                self._part(
                    request,
                    "Recent messages",
                    f"/api/users/{alert['user_id']}/interactions",
                    limit=RECENT,
                )
                for alert in alerts
            )
        )
        return page(
            request,
            "safety.html",
            state=state,
            found=found,
            alerts=list(zip(alerts, recent, strict=True)),
            next_page=_next(request, found),
        )

    async def audit(self, request: web.Request) -> web.Response:
        """Who changed what."""
        found = await self._part(request, "The audit log", "/api/audit", limit=200)
        return page(request, "audit.html", found=found)

    async def _get(self, request: web.Request, path: str) -> dict[str, Any]:
        return await self._api.get(request[SESSION].api_key, path)

    async def _part(
        self, request: web.Request, what: str, path: str, **query: str | int | None
    ) -> Part:
        return await part(what, self._api.get(request[SESSION].api_key, path, **query))


def _next(request: web.Request, found: Part) -> str | None:
    """Where the next page is."""
    return link(request, cursor=found["next_cursor"]) if found and found["next_cursor"] else None


def _older(request: web.Request, interactions: Part) -> str | None:
    cursor = interactions["next_cursor"] if interactions else None
    return link(request, before=cursor) if cursor else None


def _labels(channels: Part) -> dict[str, str]:
    """What people call the channels, by id."""
    if not channels:
        return {}
    return {each["id"]: each["label"] or each["phone_number_id"] for each in channels["channels"]}
