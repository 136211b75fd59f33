"""Answers bursts: people send one thought in four messages, and one reply answers all of them.

The interactions are the queue: a pending reply says when it is due, and whoever finds it due takes
the floor for that person, reads what is unanswered as one message, and settles the last of them; the
others are *joined* to it. Any replica may do it, after any crash: the joined ones are marked before
the reply is settled, and a claim that was taken over settles nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog

from brain.domain.pii import scan_pii
from brain.domain.safety import SafetyVerdict, strictest
from brain.domain.wire import safety_part, verdict_of
from brain.handlers.emissions import changed_event, safety_events
from brain.handlers.incoming import incoming_from_burst
from brain.handlers.records import READING_PATIENCE
from brain.handlers.replying import Replying
from brain.handlers.stores import Stores
from brain.handlers.turns import Turns
from brain.handlers.typing import Typing
from shared.clock import Clock
from shared.due import DueLoop
from shared.telemetry.trace import continued_trace

log = structlog.get_logger()

FLOOR_RETRY = timedelta(seconds=1)
"""When somebody else is answering the person."""
LONGEST_BURST = timedelta(seconds=10)
"""Who goes on writing is answered at last after so long; it also ends the drafts thrown away."""
AT_ONCE = 64

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Burst:
    """Unanswered messages of one person on one channel, oldest first, taken on by ``claim``."""

    rows: tuple[Document, ...]
    claim: str

    @property
    def carrier(self) -> Document:
        """The last one, which gets the reply."""
        return self.rows[-1]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(row["_id"] for row in self.rows)


class Answering:
    """Finds replies that are due and has each written once.

    ``patience``: after it, whoever took the floor must have crashed.
    """

    def __init__(
        self,
        stores: Stores,
        turns: Turns,
        replying: Replying,
        typing: Typing,
        clock: Clock,
        patience: timedelta,
    ) -> None:
        self._users = stores.users
        self._interactions = stores.interactions
        self._memories = stores.memories
        self._outbox = stores.outbox
        self._turns = turns
        self._replying = replying
        self._typing = typing
        self._clock = clock
        self._patience = patience
        self.loop: DueLoop[Document] = DueLoop(
            "answers",
            find=stores.interactions.due,
            next_due_at=stores.interactions.next_due_at,
            key_of=lambda row: (row["user_id"], row["channel_id"]),
            step=self._one,
            clock=clock,
            concurrency=AT_ONCE,
        )
        """To be run by the service."""

    async def expect(self, document: Document) -> None:
        """A message waits for its answer: those before it in the burst wait for it too."""
        if document["reply"].get("due_at") is None:
            return
        burst = await self._waiting(document)
        if len(burst) > 1:
            longest = READING_PATIENCE if any("fetch" in row for row in burst) else LONGEST_BURST
            due_at = min(document["reply"]["due_at"], burst[0]["at"] + longest)
            await self._interactions.postpone([row["_id"] for row in burst], due_at)
        self.loop.wake()

    async def hurry(self, row: Document) -> None:
        """What the reply waited for has come: answer the burst now, unless more is being read."""
        burst = await self._waiting(row)
        if not any("fetch" in one for one in burst):
            await self._interactions.postpone([one["_id"] for one in burst], self._clock())
            self.loop.wake()

    async def _one(self, row: Document) -> None:
        with continued_trace(row["reply"]["to"]["traceparent"], event_id=row["_id"]):
            await self._with_floor(row)

    async def _with_floor(self, row: Document) -> None:
        now = self._clock()
        until = now + self._patience
        if not await self._users.take_floor(row["tenant"], row["user_id"], now, until):
            await self._interactions.postpone([row["_id"]], now + FLOOR_RETRY)
            return
        try:
            await self._answer_all(row, until)
        finally:
            await self._users.leave_floor(row["tenant"], row["user_id"], until)

    async def _answer_all(self, row: Document, until: datetime) -> None:
        """Answer the burst that ``row`` belongs to, if it still waits."""
        waiting = await self._waiting(row)
        if not waiting:
            return
        # A crash may have left some joined to one that is unanswered still.
        joined = await self._interactions.joined_into([one["_id"] for one in waiting])
        burst = _Burst((*joined, *waiting), str(uuid4()))
        await self._interactions.claim(sorted(burst.ids), burst.claim, until)
        if await self._overtaken(burst):
            return
        said = [one for one in burst.rows if not one["message"].get("revoked_at")]
        if not said:
            reply = {"status": "none", "reason": "revoked", "error": None}
            await self._settle(burst, reply, [], None)
            return
        await self._answer(burst, said)

    async def _overtaken(self, burst: _Burst) -> bool:
        """Whether a later message had its answer at once, such as a cry for help: it answers all."""
        for row in await self._interactions.later_than(burst.carrier):
            if row["reply"]["status"] == "fixed":
                await self._interactions.join(
                    sorted(burst.ids), row["_id"], burst.claim, self._clock()
                )
                return True
        return False

    async def _answer(self, burst: _Burst, said: list[Document]) -> None:
        carrier = burst.carrier
        user = await self._users.get(carrier["tenant"], carrier["user_id"])
        if user is None:
            return
        if said[-1] is not carrier:
            # The last one was revoked: it still carries the reply, but not its words.
            said = [*said[:-1], {**said[-1], **_envelope_of(carrier)}]
        incoming = incoming_from_burst(said)
        before = _worst(burst)
        prepared = await self._turns.reconsider(incoming, user, known=before, burst=burst.ids)
        settled = await self._typing.meanwhile(
            incoming, self._replying.later(incoming, prepared, user.id)
        )
        if await self._goes_on(burst):
            log.info("draft_dropped", interaction_id=carrier["_id"])
            return
        reply, emissions, safety = settled
        if prepared.safety.action.severity > before.action.severity:
            emissions = [
                *safety_events(incoming, user.id, prepared.safety, "burst"),
                *emissions,
            ]
        emissions.append(changed_event(carrier, "replied", carrier["_id"], self._clock()))
        verdict = safety or safety_part(prepared.safety)
        await self._settle(burst, reply, emissions, verdict)

    async def _goes_on(self, burst: _Burst) -> bool:
        """Whether the person wrote again meanwhile, and may be waited for once more."""
        found = await self._interactions.later_than(burst.carrier)
        later = [row for row in found if row["reply"]["status"] in {"pending", "fixed"}]
        if not later:
            return False
        over = self._clock() >= burst.rows[0]["at"] + LONGEST_BURST
        if over and all(row["reply"]["status"] == "pending" for row in later):
            return False
        due_at = min(row["reply"].get("due_at", self._clock()) for row in later)
        await self._interactions.postpone(sorted(burst.ids), due_at)
        return True

    async def _settle(
        self,
        burst: _Burst,
        reply: Document,
        emissions: list[Any],
        safety: Mapping[str, Any] | None,
    ) -> None:
        carrier = burst.carrier
        others = sorted(burst.ids - {carrier["_id"]})
        await self._interactions.join(others, carrier["_id"], burst.claim, self._clock())
        settled = await self._interactions.conclude_reply(
            carrier["_id"], reply, emissions, safety=safety, claim=burst.claim
        )
        if settled is None:
            return
        await self._outbox.flush(carrier["_id"], emissions)
        if reply["status"] == "model":
            masked = scan_pii(reply["text"]).masked_text
            await self._memories.add_reply(carrier["_id"], masked)
        log.info(
            "burst_answered",
            interaction_id=carrier["_id"],
            messages=len(burst.rows),
            status=reply["status"],
        )

    async def _waiting(self, row: Document) -> list[Document]:
        return await self._interactions.waiting(row["tenant"], row["user_id"], row["channel_id"])


def _worst(burst: _Burst) -> SafetyVerdict:
    return strictest(tuple(verdict_of(row["safety"]) for row in burst.rows))


def _envelope_of(carrier: Document) -> Document:
    """What addresses the reply, without what was said."""
    names = ("_id", "at", "sent_at", "reply", "provider_message_id")
    return {name: carrier[name] for name in names}
