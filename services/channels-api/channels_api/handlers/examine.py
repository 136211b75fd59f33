"""Gathers what the doctor judges: Meta's answers, our own call to the address, what arrived."""

import asyncio
from collections.abc import Mapping
from typing import Any

from channels_api.adapters.activity_store import ActivityStore
from channels_api.adapters.graph import Credentials, GraphClient
from channels_api.adapters.outside import Outside
from channels_api.domain.addresses import Policy, base_url
from channels_api.domain.channels import Channel
from channels_api.domain.diagnosis import Event, Kind, diagnosis
from channels_api.domain.doctor import (
    INGRESS_PATH,
    Evidence,
    Probe,
    app_id_of,
    examine,
    learnt_waba,
    webhook_targets,
)
from channels_api.domain.findings import Finding
from channels_api.domain.graph import Reply
from shared.clock import Clock

PROBED = INGRESS_PATH + "reachability-check?hub.mode=subscribe&hub.verify_token=0&hub.challenge=0"
"""No integration has this id, so the call leaves nothing in any channel's activity."""
OURS = {403: "handshake-refused", 429: "too-many-failures"}
"""What ingress answers to that."""


class Examine:
    """Looks at one channel."""

    def __init__(
        self,
        graph: GraphClient,
        outside: Outside,
        activity: ActivityStore,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._graph = graph
        self._outside = outside
        self._activity = activity
        self._policy = policy
        self._clock = clock

    async def findings(
        self, channel: Channel, who: Credentials, public_base_url: str | None
    ) -> list[Finding]:
        """Everything there is to say. Never fails for what Meta does."""
        number, token, events = await asyncio.gather(
            self._graph.number(who), self._graph.token(who), self.events(channel)
        )
        app_id, waba_id = app_id_of(token, number), channel.waba_id or learnt_waba(token)
        proof, subscriptions, probe = await asyncio.gather(
            self._proof(who, app_id),
            self._subscriptions(who, waba_id),
            self._probe_of(channel, number, public_base_url),
        )
        return examine(
            Evidence(
                now=self._clock(),
                channel_id=channel.id,
                waba_id=channel.waba_id,
                active=channel.state == "active",
                number=number,
                token=token,
                proof=proof,
                subscriptions=subscriptions,
                public_base_url=public_base_url,
                probe=probe,
                events=events,
            )
        )

    async def diagnosis(self, channel: Channel) -> Finding:
        """Why nothing arrives, by what did."""
        return diagnosis(await self.events(channel), INGRESS_PATH + channel.id)

    async def events(self, channel: Channel) -> list[Event]:
        """What arrived at the channel's webhook, as far as it tells of a cause."""
        rows = await self._activity.telling(channel.tenant, channel.id)
        kinds = ((row["at"], _kind(row["kind"], row["detail"])) for row in rows)
        return [Event(at, kind) for at, kind in kinds if kind is not None]

    async def probe(self, base: str) -> Probe:
        """Call the public address as Meta would, with a token that is surely wrong."""
        outcome = await self._outside.get(base + PROBED)
        ours = outcome.status is not None and OURS.get(outcome.status, "\0") in outcome.text
        return Probe(outcome.status, ours, outcome.problem)

    async def _proof(self, who: Credentials, app_id: str | None) -> Reply | None:
        return None if app_id is None else await self._graph.proof(who, app_id)

    async def _subscriptions(self, who: Credentials, waba_id: str | None) -> Reply | None:
        return None if waba_id is None else await self._graph.subscriptions(who, waba_id)

    async def _probe_of(
        self, channel: Channel, number: Reply, public_base_url: str | None
    ) -> Probe | None:
        """Of the address that the caller names, or else that Meta has, if it leads to us."""
        base = public_base_url
        if base is None:
            base = self._base_at_meta(channel, number)
        return None if base is None else await self.probe(base)

    def _base_at_meta(self, channel: Channel, number: Reply) -> str | None:
        path = INGRESS_PATH + channel.id
        for target, _ in webhook_targets(number)[:1]:
            if target.endswith(path):
                try:
                    return base_url(target.removesuffix(path), self._policy)
                except ValueError:
                    return None
        return None


def _kind(kind: str, detail: Mapping[str, Any]) -> Kind | None:
    match kind:
        case "handshake":
            outcome = detail.get("outcome")
            return Kind(outcome) if outcome in _OUTCOMES else None
        case "handshake_astray":
            return Kind.ASTRAY
        case "problem" if detail.get("problem") == "bad_signature":
            return Kind.BAD_SIGNATURE
        case "delivery":
            own = sum(detail.get(name, 0) for name in ("messages", "statuses", "ignored"))
            return Kind.OTHER_NUMBER if detail.get("foreign") and not own else Kind.DELIVERY
    return None


_OUTCOMES = frozenset({Kind.VERIFIED, Kind.TOKEN_MISMATCH, Kind.TOKEN_HAS_WHITESPACE})
