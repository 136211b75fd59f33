"""The use case: understand a message once, then answer it once. Every edge comes through here.

Both steps may be repeated after a crash, a redelivery or a retry: the interaction's id and the ring
on the person make a repeat find what was done and go on from there (ADR 0003, ADR 0008).
"""

from asyncio import Lock, gather
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Any
from weakref import WeakValueDictionary

import structlog

from brain.adapters.interaction_store import SAID, InteractionFilter
from brain.adapters.user_store import EndUser, SamePersonError
from brain.domain.memory import Embedder
from brain.domain.pii import scan_pii
from brain.domain.profile import Forgotten
from brain.domain.prompt import RecentTurn
from brain.domain.safety import Action, SafetyVerdict, SecondReader
from brain.domain.state import EndUserState
from brain.domain.turn import (
    Message,
    Pipeline,
    Prepared,
    TurnInput,
    prepare,
    remember,
    said_before,
)
from brain.domain.wire import verdict_of
from brain.handlers.emissions import events_of, read_mark
from brain.handlers.identities import Identities
from brain.handlers.incoming import Incoming, met_by
from brain.handlers.records import interaction_record
from brain.handlers.replying import Replying
from brain.handlers.stores import Stores
from shared.bus.failures import Transient
from shared.clock import Clock
from shared.telemetry.metrics import Metrics

log = structlog.get_logger()

COMPARE_AND_SET_TRIES = 10
RECENT_INTERACTIONS = 10
"""Each with both sides, that the prompt may quote."""


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """``memory_cap``: memories kept per person. ``hurry_after_s``: a message that waited longer than
    this since we received it is read by the quickest model."""  # noqa: D205, D209

    memory_cap: int
    hurry_after_s: float


@dataclass(frozen=True, slots=True)
class Understood:
    """The interaction, and what led to it when this call wrote it."""

    document: dict[str, Any]
    prepared: Prepared | None

    @property
    def is_new(self) -> bool:
        """Whether this call wrote the interaction."""
        return self.prepared is not None


class Turns:
    """Understands and answers."""

    def __init__(
        self,
        stores: Stores,
        pipeline: Pipeline,
        replying: Replying,
        limits: TurnLimits,
        clock: Clock,
        metrics: Metrics,
        identities: Identities,
        second_reader: SecondReader | None = None,
        fetches: Callable[[Incoming], bool] = lambda _: False,
    ) -> None:
        self._fetches = fetches
        self._identities = identities
        self._second_reader = second_reader
        self._users = stores.users
        self._interactions = stores.interactions
        self._memories = stores.memories
        self._outbox = stores.outbox
        self._outgoing = stores.outgoing
        self._pipeline = pipeline
        self._replying = replying
        self._limits = limits
        self._clock = clock
        self._metrics = metrics
        self._moving: WeakValueDictionary[tuple[str, str], Lock] = WeakValueDictionary()

    @property
    def embedder(self) -> Embedder | None:
        """What memories are embedded with."""
        return self._pipeline.embedder

    async def understand(self, incoming: Incoming) -> Understood:
        """The interaction of this message: written now, or found. Its events are on their way."""
        known = await self._interactions.get(incoming.tenant, incoming.event_id)
        if known is not None:
            return Understood(known, None)
        async with self._alone(incoming):
            user, prepared = await self._moved(incoming, await self.person(incoming))
        total = await self._remembered(incoming, user, prepared)
        reply, sends = self._replying.at_once(incoming, prepared)
        emissions = [
            *events_of(incoming, user, prepared, reply["status"]),
            *read_mark(incoming, reply["status"]),
            *sends,
        ]
        document = interaction_record(
            incoming,
            user,
            prepared,
            reply=reply,
            emissions=emissions,
            clock=self._clock,
            total_memories=total,
            fetches=self._fetches(incoming),
        )
        if not await self._interactions.insert(document):
            # A stale owner of the lane was first; what it wrote is the result.
            winner = await self._interactions.get(incoming.tenant, incoming.event_id)
            if winner is None:
                raise Transient("interaction_vanished")
            return Understood(winner, None)
        await self._outbox.flush(incoming.event_id, emissions)
        self._count(incoming, prepared)
        return Understood(document, prepared)

    async def answer(self, incoming: Incoming, understood: Understood) -> dict[str, Any]:
        """The interaction with its reply settled: by a model now, or as it was settled before."""
        document = understood.document
        if document["reply"]["status"] != "pending":
            return document
        prepared = understood.prepared or await self._prepared_again(incoming, document)
        reply, emissions, safety = await self._replying.by_model(
            incoming, prepared, document["user_id"]
        )
        settled = await self._interactions.conclude_reply(
            incoming.event_id, reply, emissions, safety=safety
        )
        if settled is None:
            found = await self._interactions.get(incoming.tenant, incoming.event_id)
            if found is None:
                raise Transient("interaction_vanished")
            return found
        await self._outbox.flush(incoming.event_id, emissions)
        if reply["status"] == "model":
            masked = scan_pii(reply["text"]).masked_text
            await self._memories.add_reply(incoming.event_id, masked)
        return settled

    def _alone(self, incoming: Incoming) -> Lock:
        """One message of a person at a time in this process; replicas meet at the compare-and-set.

        Without it, calls for one person at once would make each other decide again and again.
        """
        return self._moving.setdefault((incoming.tenant, incoming.address.aliases[0]), Lock())

    async def person(self, incoming: Incoming) -> EndUser:
        """Who wrote it, made at need."""
        return await self._users.find_or_create(
            incoming.tenant,
            incoming.address,
            incoming.channel,
            self._clock(),
            channel_id=incoming.channel_id,
        )

    async def _remembered(self, incoming: Incoming, user: EndUser, prepared: Prepared) -> int:
        """Keep what was said, within the cap; how many memories the person has now."""
        if prepared.forgets is not None:
            await self._forget(incoming, user, prepared.forgets)
        memory = remember(prepared, embedder=self._pipeline.embedder)
        if memory is not None:
            await self._memories.keep(incoming.tenant, user.id, memory)
        total = await self._memories.count(incoming.tenant, user.id)
        if total <= self._limits.memory_cap:
            return total
        return total - await self._memories.trim(incoming.tenant, user.id, self._limits.memory_cap)

    async def _forget(self, incoming: Incoming, user: EndUser, forgets: Forgotten) -> None:
        """Take what was said out of memory and out of what a prompt may quote."""
        await self._memories.forget(incoming.tenant, user.id, forgets.memory_ids)
        await self._interactions.stop_quoting(incoming.tenant, user.id, forgets.memory_ids)
        if forgets.everything:
            await self._users.clear_history(user, self._clock())

    async def _moved(self, incoming: Incoming, user: EndUser) -> tuple[EndUser, Prepared]:
        """Decide from the person's state and move it, by compare-and-set; once per message."""
        second, asked = None, False
        for _ in range(COMPARE_AND_SET_TRIES):
            applied = user.applied_for(incoming.event_id)
            state, now = (applied.before, applied.at) if applied else (user.state, self._clock())
            turn = await self._turn(incoming, user, state, now)
            prepared = self._prepared(turn)
            if not asked:
                second, asked = await self._second_reading(turn, prepared), True
            if second is not None:
                prepared = self._prepared(replace(turn, second=second))
            if applied is not None or await self._stepped(incoming, user, prepared):
                return user, prepared
            user = await self._users.existing(incoming.tenant, user.id)
        raise Transient("user_contended")

    async def _stepped(self, incoming: Incoming, user: EndUser, prepared: Prepared) -> bool:
        """Write the person's step; False when it must be decided anew."""
        try:
            return await self._users.move(
                user,
                incoming.event_id,
                before=prepared.state_before,
                after=prepared.state_after,
                profile=prepared.profile_after,
                address=incoming.address,
                at=prepared.now,
                action=prepared.safety.action.value,
                met=met_by(incoming),
            )
        except SamePersonError:
            await self._identities.settle(user, incoming.address, incoming.channel_id)
            return False

    async def _second_reading(self, turn: TurnInput, prepared: Prepared) -> SafetyVerdict | None:
        """What the second reader says of a message that is not refused already."""
        silent = not prepared.text.strip() or prepared.safety.action is Action.BLOCK
        if self._second_reader is None or silent:
            return None
        began = perf_counter()
        second = await self._second_reader.read(prepared.text, said_before(turn))
        self._metrics.stage_seconds.labels("second_reading").observe(perf_counter() - began)
        return second

    async def _prepared_again(self, incoming: Incoming, document: dict[str, Any]) -> Prepared:
        """What an earlier, interrupted call had decided: same state, same message, same verdict."""
        user = await self.person(incoming)
        applied = user.applied_for(incoming.event_id)
        state, now = (applied.before, applied.at) if applied else (user.state, self._clock())
        turn = await self._turn(incoming, user, state, now)
        return self._prepared(replace(turn, second=verdict_of(document["safety"])))

    def _prepared(self, turn: TurnInput) -> Prepared:
        began = perf_counter()
        prepared = prepare(turn, self._pipeline)
        self._metrics.stage_seconds.labels("prepare").observe(perf_counter() - began)
        return prepared

    async def reconsider(
        self,
        incoming: Incoming,
        user: EndUser,
        *,
        known: SafetyVerdict | None = None,
        burst: frozenset[str] = frozenset(),
    ) -> Prepared:
        """Decide again on a message that is stored, with all we know now; nothing is written.

        ``known``: what was found before, which may only be raised. ``burst``: the interactions whose
        words ``incoming`` holds.
        """
        but = burst or frozenset({incoming.event_id})
        turn = await self._turn(incoming, user, user.state, self._clock(), but)
        prepared = self._prepared(turn)
        if known is not None:
            raised = known.action.severity > prepared.safety.action.severity
            return self._prepared(replace(turn, second=known)) if raised else prepared
        second = await self._second_reading(turn, prepared)
        return prepared if second is None else self._prepared(replace(turn, second=second))

    async def _turn(
        self,
        incoming: Incoming,
        user: EndUser,
        state: EndUserState,
        now: datetime,
        but: frozenset[str] = frozenset(),
    ) -> TurnInput:
        memories, recent = await gather(
            self._memories.archive(incoming.tenant, user.id),
            self._recent(incoming, user, but or frozenset({incoming.event_id})),
        )
        return TurnInput(
            message=Message(
                id=incoming.event_id,
                text=incoming.content.words,
                kind=incoming.content.kind,
                line=incoming.content.line,
                at=incoming.sent_at,
                channel=incoming.channel,
                profile_name=incoming.address.name,
                phone=incoming.address.phone,
            ),
            state=state,
            memories=memories,
            recent_turns=recent,
            now=now,
            profile=user.profile,
            previous_id=user.applied_before(incoming.event_id),
            hurried=self._is_behind(incoming, now),
            parts=but,
        )

    def _is_behind(self, incoming: Incoming, now: datetime) -> bool:
        """Whether the lane was behind when this message was decided, so that a repeat decides alike."""
        waited = (now - incoming.received_at).total_seconds()
        return waited > self._limits.hurry_after_s

    async def _recent(
        self, incoming: Incoming, user: EndUser, but: frozenset[str]
    ) -> tuple[RecentTurn, ...]:
        asks = self._replying.asks_model and incoming.model_may_write
        if not incoming.wants_reply or not asks:
            return ()
        if incoming.history is not None:
            return tuple(
                RecentTurn("user" if role == "user" else "assistant", content)
                for role, content in incoming.history
            )
        since = user.history_cleared_at
        rows, said = await gather(
            self._interactions.page(
                incoming.tenant,
                InteractionFilter(user_id=user.id, since=since),
                limit=RECENT_INTERACTIONS + len(but) - 1,
                fields=SAID,
            ),
            self._outgoing.page(incoming.tenant, user.id, limit=RECENT_INTERACTIONS, since=since),
        )
        turns = [
            turn
            for row in rows
            if row["_id"] not in but and not row.get("unquotable")
            for turn in _both_sides(row)
        ]
        turns += [RecentTurn("assistant", row["text"], row["at"]) for row in said if row["text"]]
        return tuple(sorted(turns, key=lambda turn: turn.at or incoming.received_at))

    def _count(self, incoming: Incoming, prepared: Prepared) -> None:
        action = prepared.safety.action.value
        # A caller names any channel it likes; a metric's label must not grow with that.
        edge = "api" if incoming.route is None else incoming.channel
        self._metrics.interactions.labels(edge, action).inc()
        age_s = (self._clock() - incoming.sent_at).total_seconds()
        self._metrics.message_age_seconds.labels("interaction").observe(max(0.0, age_s))
        log.info(
            "interaction_stored",
            interaction_id=incoming.event_id,
            channel=incoming.channel,
            action=action,
            plan=type(prepared.plan).__name__,
        )


def _both_sides(row: dict[str, Any]) -> Iterator[RecentTurn]:
    """What the person said and what we answered."""
    if row["message"]["text"]:
        yield RecentTurn("user", row["message"]["text"], row["at"])
    if row["reply"].get("text"):
        yield RecentTurn("assistant", row["reply"]["text"], row["reply"]["at"])
