"""Sets a number up at Meta, as far as Meta lets a program, and waits for the handshake."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels_api.adapters.graph import Credentials, GraphClient
from channels_api.domain.channels import Channel
from channels_api.domain.diagnosis import Event, Kind, diagnosis
from channels_api.domain.doctor import INGRESS_PATH, learnt_waba, probed
from channels_api.domain.findings import OK, Finding, finding
from channels_api.domain.graph import Refused, Reply, Said, Silent
from channels_api.handlers.examine import Examine
from shared.clock import Clock

VERIFICATION_FAILED = 2200
SECOND_TRY_AFTER_S = 2.0
"""By then every replica of ingress knows a token that is new; Meta may have been too quick."""
LOOK_EVERY_S = 0.2
REFUSED_WAIT_S = 1.0
"""How long the trace of a handshake that failed may take to arrive."""
CLOCKS_APART = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be set up."""

    public_base_url: str | None
    subscribe: bool


class Setup:
    """Does what is wanted for one channel. Every step is safe to repeat."""

    def __init__(self, graph: GraphClient, examine: Examine, clock: Clock, wait_s: float) -> None:
        self._graph = graph
        self._examine = examine
        self._clock = clock
        self._wait_s = wait_s

    async def steps(
        self, channel: Channel, who: Credentials, verify_token: str, wanted: Wanted
    ) -> list[Finding]:
        """One finding for each step. Never fails for what Meta does."""
        steps: list[Finding] = []
        if wanted.subscribe:
            steps.append(await self._subscribe(channel, who))
        if wanted.public_base_url is not None:
            base = wanted.public_base_url
            steps += [step async for step in self._override(channel, who, verify_token, base)]
        return steps

    async def _subscribe(self, channel: Channel, who: Credentials) -> Finding:
        waba_id = channel.waba_id or learnt_waba(await self._graph.token(who))
        if waba_id is None:
            return finding("waba_unknown")
        match await self._graph.subscribe(who, waba_id):
            case Said() if channel.waba_id is None:
                return finding("subscribed_learnt", waba_id=waba_id)
            case Said():
                return finding("subscribed")
            case Refused() as refused:
                return finding("subscribe_refused", code=_code(refused))
            case Silent() as silent:
                return finding("subscribe_unanswered", why=silent.why.value)

    async def _override(
        self, channel: Channel, who: Credentials, verify_token: str, base: str
    ) -> AsyncIterator[Finding]:
        probe = await self._examine.probe(base)
        for found in probed(probe):
            if found.state is not OK:
                yield found
        if probe.problem == "refused":
            return
        began = self._clock() - CLOCKS_APART
        url = base + INGRESS_PATH + channel.id
        reply = await self._graph.override(who, url, verify_token)
        if _is_unverified(reply):
            await asyncio.sleep(SECOND_TRY_AFTER_S)
            reply = await self._graph.override(who, url, verify_token)
        match reply:
            case Said():
                yield finding("override_set")
                yield await self._handshake(channel, began)
            case Refused() as refused if _is_unverified(refused):
                yield finding("override_refused", detail=refused.detail)
                yield await self._cause(channel, began)
            case Refused() as refused:
                yield finding("override_not_permitted", code=_code(refused))
            case Silent() as silent:
                yield finding("override_unanswered", why=silent.why.value)

    async def _handshake(self, channel: Channel, began: datetime) -> Finding:
        for event in await self._events(channel, began, self._wait_s, {Kind.VERIFIED}):
            if event.kind is Kind.VERIFIED:
                return finding("handshake_seen")
        return finding("handshake_missing", seconds=f"{self._wait_s:g}")

    async def _cause(self, channel: Channel, began: datetime) -> Finding:
        events = await self._events(channel, began, REFUSED_WAIT_S, set(Kind))
        return diagnosis(events, INGRESS_PATH + channel.id)

    async def _events(
        self, channel: Channel, since: datetime, wait_s: float, awaited: set[Kind]
    ) -> list[Event]:
        """What arrived since, as soon as one that is awaited is among it."""
        events: list[Event] = []
        try:
            async with asyncio.timeout(wait_s):
                while not any(event.kind in awaited for event in events):
                    events = [e for e in await self._examine.events(channel) if e.at >= since]
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            pass
        return events


def _is_unverified(reply: Reply) -> bool:
    return isinstance(reply, Refused) and reply.code == VERIFICATION_FAILED


def _code(refused: Refused) -> int | str:
    return refused.code or f"HTTP {refused.http_status}"
