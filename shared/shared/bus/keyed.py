"""One conversation at a time, many conversations at once, inside one process."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

Job = Callable[[], Awaitable[None]]


class KeyedExecutor:
    """Runs jobs of one key in order of submission; different keys side by side, without limit.

    A job must handle its own errors: one that raises is logged, and the next of its key runs.
    """

    def __init__(self) -> None:
        self._queues: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def pending(self) -> int:
        """Jobs submitted and not finished."""
        return sum(len(queue) for queue in self._queues.values())

    def submit(self, key: str, job: Job) -> None:
        """Queue ``job`` behind the others of ``key``. Returns at once."""
        queue = self._queues.get(key)
        if queue is not None:
            queue.append(job)
            return
        self._queues[key] = deque([job])
        self._idle.clear()
        task = asyncio.get_running_loop().create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, key: str) -> None:
        queue = self._queues[key]
        try:
            while queue:
                await self._run_one(queue[0])
                queue.popleft()
        finally:
            del self._queues[key]
            if not self._queues:
                self._idle.set()

    @staticmethod
    async def _run_one(job: Job) -> None:
        try:
            await job()
        except Exception as error:  # noqa: BLE001 - one job never takes the others with it
            log.error("job_failed", error=type(error).__name__)

    async def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is pending; False when ``timeout_s`` passed first."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def cancel(self) -> None:
        """Stop what still runs, drop what waits behind it, and wait until both have ended."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A task that was cancelled before its first step has not cleaned up behind itself.
        self._queues.clear()
        self._idle.set()
