"""Who says what: a reviewed text at once, a model's text after its check, or nobody and why."""

from collections.abc import Callable
from datetime import datetime
from time import perf_counter
from typing import Any

import structlog

from brain.domain.crisis import crisis_answer
from brain.domain.replies import ReplyModel, ReplyText, ReplyUnavailableError
from brain.domain.safety import Action
from brain.domain.turn import (
    NOT_UNDERSTOOD,
    FixedReply,
    ModelReply,
    NoReply,
    Pipeline,
    Prepared,
    conclude,
)
from brain.domain.wire import SafetyPart, safety_part
from brain.handlers.emissions import reply_command, safety_events, unanswered_event
from brain.handlers.incoming import Incoming
from brain.handlers.records import no_reply, pending_reply, settled_reply
from shared.bus.port import Publication
from shared.clock import Clock
from shared.telemetry.metrics import Metrics

log = structlog.get_logger()


class Replying:
    """Makes the ``reply`` of an interaction and what is published with it. Stores nothing.

    ``reads``: whether the file that came with a message will be turned into words.
    Without a ``model`` only reviewed texts are said. ``delay_cap_ms`` bounds the human pace.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        model: ReplyModel | None,
        delay_cap_ms: int,
        clock: Clock,
        metrics: Metrics,
        reads: Callable[[Incoming], bool] = lambda _: False,
    ) -> None:
        self._reads = reads
        self._pipeline = pipeline
        self._model = model
        self._delay_cap_ms = delay_cap_ms
        self._clock = clock
        self._metrics = metrics

    @property
    def asks_model(self) -> bool:
        """Whether a prompt would be read by anybody."""
        return self._model is not None

    def at_once(
        self, incoming: Incoming, prepared: Prepared
    ) -> tuple[dict[str, Any], list[Publication]]:
        """What can be said without a model, in the same write as the interaction."""
        plan, now = prepared.plan, self._clock()
        if isinstance(plan, NoReply):
            return no_reply(plan.reason), []
        if not incoming.wants_reply:
            return no_reply("auto_reply_off"), []
        unheard = isinstance(plan, FixedReply) and plan.reason in NOT_UNDERSTOOD.values()
        is_read = unheard and self._reads(incoming)
        # Ten photos are one album, and words may follow: one honest line answers all of it.
        waits = unheard and (is_read or bool(incoming.debounce_ms))
        if isinstance(plan, FixedReply) and not waits:
            return self._fixed(incoming, prepared, plan)
        if isinstance(plan, ModelReply) and not incoming.model_may_write:
            return no_reply("not_asked"), []
        if self._model is None and isinstance(plan, ModelReply):
            return no_reply("setup_required"), []
        return pending_reply(incoming, now, is_read=is_read), []

    def _fixed(
        self, incoming: Incoming, prepared: Prepared, plan: FixedReply
    ) -> tuple[dict[str, Any], list[Publication]]:
        now = self._clock()
        reply = settled_reply(plan.text, status="fixed", reason=plan.reason, model=None, at=now)
        return reply, self._send(incoming, prepared, plan.text, now)

    async def later(
        self, incoming: Incoming, prepared: Prepared, user_id: str
    ) -> tuple[dict[str, Any], list[Publication], SafetyPart | None]:
        """As ``by_model``, for a burst that was read once more as a whole."""
        plan = prepared.plan
        if isinstance(plan, NoReply):
            return no_reply(plan.reason), [], None
        if isinstance(plan, FixedReply):
            reply, sends = self._fixed(incoming, prepared, plan)
            return reply, sends, safety_part(prepared.safety)
        return await self.by_model(incoming, prepared, user_id)

    async def by_model(
        self, incoming: Incoming, prepared: Prepared, user_id: str
    ) -> tuple[dict[str, Any], list[Publication], SafetyPart | None]:
        """The settled reply, what to publish, and the verdict when the output gates changed it."""
        written = await self._written(prepared)
        now = self._clock()
        if written is None:
            return self._without_model(incoming, prepared, user_id, now)
        concluded = conclude(prepared, written.text, self._pipeline)
        if concluded.text is None:
            return self._without_model(incoming, prepared, user_id, now)
        reply = settled_reply(
            concluded.text,
            status=concluded.source,
            reason=concluded.reason,
            model=written.model if concluded.source == "model" else None,
            at=now,
        )
        emissions = self._send(incoming, prepared, concluded.text, now)
        if concluded.reason == "output_blocked":
            raised = safety_events(incoming, user_id, concluded.safety, "reply")
            emissions = [*raised, *emissions]
        return reply, emissions, safety_part(concluded.safety)

    async def _written(self, prepared: Prepared) -> ReplyText | None:
        if self._model is None or not isinstance(prepared.plan, ModelReply):
            return None
        began = perf_counter()
        outcome = "failed"
        try:
            written = await self._model.reply(prepared.plan.prompt)
            outcome = "written"
        except ReplyUnavailableError as error:
            log.warning("reply_unavailable", reason=error.reason)
            return None
        finally:
            self._metrics.reply_seconds.labels(outcome).observe(perf_counter() - began)
        return written

    def _without_model(
        self, incoming: Incoming, prepared: Prepared, user_id: str, now: datetime
    ) -> tuple[dict[str, Any], list[Publication], None]:
        """A person on a channel gets an honest line and a human is called; a caller, an error."""
        if incoming.route is None:
            return no_reply("reply_unavailable", error="reply_unavailable"), [], None
        held = crisis_answer(
            self._pipeline.crisis,
            "held",
            phone=incoming.address.phone,
            language=prepared.analysis.language,
        )
        reply = settled_reply(
            held.text, status="fixed", reason="reply_unavailable", model=None, at=now
        )
        sends = self._send(incoming, prepared, held.text, now)
        return reply, [*unanswered_event(incoming, user_id), *sends], None

    def _send(
        self, incoming: Incoming, prepared: Prepared, text: str, now: datetime
    ) -> list[Publication]:
        # Who waited for a burst to end has waited long enough.
        delay_ms = 0 if incoming.debounce_ms else min(prepared.timing.delay_ms, self._delay_cap_ms)
        urgent = prepared.safety.action is not Action.PROCEED
        return reply_command(incoming, text, delay_ms=delay_ms, urgent=urgent, now=now)
