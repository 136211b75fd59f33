"""Wraps sealed values anew, a batch at a time, beside everything else; a crash loses nothing."""

import asyncio

import structlog
from pymongo.errors import PyMongoError

from channels_api.adapters.keyring_store import KeyringStore
from shared.clock import Clock
from shared.crypto.sealing import Keyring

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
"""How soon a rotation is taken up that another replica began or left."""


class Rewrapping:
    """A part of the service; of all replicas one works at a time."""

    def __init__(self, store: KeyringStore, keyring: Keyring, clock: Clock, instance: str) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._instance = instance
        self._stopping = False
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """A rotation was begun."""
        self._wake.set()

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self, timeout_s: float) -> bool:
        """End after the batch in progress."""
        self._stopping = True
        self._wake.set()
        if self._task is None:
            return True
        done, _ = await asyncio.wait({self._task}, timeout=timeout_s)
        self._task.cancel()
        return bool(done)

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                while not self._stopping and await self._batch():
                    continue
            except PyMongoError as error:
                log.warning("rewrapping_postponed", error=type(error).__name__)
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _batch(self) -> bool:
        """Do one; whether there was one to do."""
        version = self._keyring.keys.current
        claim = await self._store.claim(self._instance, version, self._clock())
        if claim is None:
            return False
        batch = await self._store.rewrap(claim, self._keyring)
        for record_id in batch.unreadable:
            log.error("secrets_unreadable", record=record_id, collection=claim.collection)
        if await self._store.progressed(self._instance, claim, batch):
            await self._store.finish(self._instance, self._clock())
            log.info("keyring_gone_through", to_version=version)
        return True
