"""Erase means gone (promise 9): in rounds that may be repeated, and begun before anything is done."""

import structlog

from brain.adapters.erasure_store import Erasure, ErasureStore
from brain.adapters.memory_store import MemoryStore
from brain.adapters.user_store import EndUser
from brain.handlers.emissions import erased_event, forget_commands
from shared.bus.outbox import Outbox
from shared.clock import Clock
from shared.due import DueLoop

log = structlog.get_logger()

AT_ONCE = 4


class Erasing:
    """What a call began and did not finish, for a crash, is finished by the second round."""

    def __init__(
        self, store: ErasureStore, memories: MemoryStore, outbox: Outbox, clock: Clock
    ) -> None:
        self._store = store
        self._memories = memories
        self._outbox = outbox
        self._clock = clock
        self.loop: DueLoop[Erasure] = DueLoop(
            "erasures",
            find=store.due,
            next_due_at=store.next_due_at,
            key_of=lambda erasure: erasure.user_id,
            step=self._settle,
            clock=clock,
            concurrency=AT_ONCE,
        )

    async def erase(self, user: EndUser, by: str) -> dict[str, int]:
        """Remove the person; how many of each kind there were. Safe to repeat."""
        commands = forget_commands(user, self._clock())
        erasure = await self._store.begin(user, by, commands)
        await self._outbox.flush(user.id, commands)
        gone = await self._round(erasure, last=False)
        log.info("user_erased", user_id=user.id, key=by, interactions=gone.get("interactions", 0))
        self.loop.wake()
        return gone

    async def _settle(self, erasure: Erasure) -> None:
        await self._round(erasure, last=True)
        log.info("erasure_settled", user_id=erasure.user_id)

    async def _round(self, erasure: Erasure, *, last: bool) -> dict[str, int]:
        gone = await self._store.erase(erasure)
        self._memories.drop(erasure.tenant, erasure.user_id)
        event = erased_event(erasure.user_id, erasure.tenant, self._clock())
        news = [] if erasure.told else [event]
        total = await self._store.finish(erasure, gone, news, last=last)
        await self._outbox.flush(erasure.user_id, news)
        return total
