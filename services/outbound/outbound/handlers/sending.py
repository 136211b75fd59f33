"""One look at an open delivery that fell due: send it, settle it, or say when to look again."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from outbound.adapters.channels import Channels
from outbound.adapters.delivery_store import DeliveryStore
from outbound.adapters.graph import GraphClient
from outbound.adapters.hold_store import HoldStore
from outbound.adapters.pace_store import PaceStore
from outbound.adapters.template_claims import TemplateClaims
from outbound.domain import deliveries
from outbound.domain.decide import Accepted, Fault, Refused, Verdict, decide
from outbound.domain.deliveries import Delivery, Trouble, Waiting
from outbound.domain.graph_codes import TOKEN_REJECTED, Handling, Scope
from outbound.domain.holds import Hold, Reach, channel_key
from outbound.domain.lattice import OURS, State
from outbound.domain.pacing import Gate, Pace, number_pace, pair_pace
from outbound.handlers.ledger import Ledger
from outbound.handlers.problems import ProblemReports
from shared.cache import SourceUnavailableError
from shared.clock import Clock
from shared.http.internal import ChannelForOutbound
from shared.telemetry.metrics import Metrics

log = structlog.get_logger()

TURN_RECHECK = timedelta(seconds=30)
"""A delivery that waits for its turn is released by the one before; this is for a lost release."""
CREDENTIALS_RETRY = timedelta(seconds=2)
TEMPLATE_WITHIN = timedelta(days=7)
"""A template so long after somebody wrote would be no answer any more."""
PAUSED_RECHECK = timedelta(minutes=5)
"""A pause of the channel may end without a word, when its time is over."""
LATE = timedelta(milliseconds=250)
"""Who takes their place so much later than it was is late."""
SHORTEST_WAIT = timedelta(milliseconds=2)
"""A shorter wait for a place is none: finding it due again takes longer."""
ANSWER_MARGIN = timedelta(seconds=5)
"""Beyond the send's timeout: then its sender is surely gone."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the provider."""

    answer: timedelta
    """For the answer to one send."""
    settle: timedelta
    """For a status callback when there was no answer."""


class Sending:
    """Moves one delivery one step. Several replicas may try at once: one of them succeeds."""

    def __init__(
        self,
        store: DeliveryStore,
        ledger: Ledger,
        graph: GraphClient,
        channels: Channels,
        paces: PaceStore,
        holds: HoldStore,
        templates: TemplateClaims,
        problems: ProblemReports,
        patience: Patience,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._graph = graph
        self._channels = channels
        self._paces = paces
        self._holds = holds
        self._templates = templates
        self._problems = problems
        self._patience = patience
        self._clock = clock
        self._metrics = metrics
        self._gate = Gate()
        self._listening_since = clock()

    def listening_anew(self) -> None:
        """Callbacks may have been missed until now: doubts get their whole time once more."""
        self._listening_since = self._clock()

    async def resume(self, channel_id: str | None) -> None:
        """A channel changed (None: any may have): hold it no longer."""
        await self._holds.lift(None if channel_id is None else channel_key(channel_id))
        self._problems.mended(channel_id)

    async def step(self, delivery: Delivery) -> None:
        """Do what is due. Raises PyMongoError; the delivery then stays due."""
        now = self._clock()
        match delivery.state:
            case State.QUEUED:
                await self._queued(delivery, now)
            case State.SENDING:
                await self._doubt(delivery, Trouble(Handling.AMBIGUOUS, "sender_lost"))
            case State.UNKNOWN:
                await self._unsettled(delivery, now)

    async def _unsettled(self, delivery: Delivery, now: datetime) -> None:
        """Its callback did not come in time, if we could have heard it."""
        heard_all = self._listening_since + self._patience.settle
        if heard_all > now:
            after = deliveries.wait_longer(delivery, settle_by=heard_all)
        elif delivery.resent:
            after = deliveries.give_up(delivery, now)
        else:
            after = deliveries.send_again(delivery, now)
        await self._ledger.record(delivery, after)

    async def _queued(self, delivery: Delivery, now: datetime) -> None:
        if not delivery.to_phone and not delivery.to_user_id:
            nobody = Trouble(Handling.PERMANENT, "no_recipient")
            await self._ledger.record(delivery, deliveries.fail(delivery, now, nobody))
            return
        if not await self._has_turn(delivery):
            await self._park(delivery, now + TURN_RECHECK, Waiting.TURN)
            return
        try:
            channel = await self._channels.get(delivery.channel_id, delivery.tenant)
        except SourceUnavailableError:
            error = Trouble(Handling.TRANSIENT, "credentials_unavailable")
            await self._park(delivery, now + CREDENTIALS_RETRY, Waiting.RETRY, error)
            return
        if channel is None:
            gone = Trouble("channel_deleted", "channel_deleted")
            await self._ledger.record(delivery, deliveries.fail(delivery, now, gone))
            return
        await self._on_channel(delivery, channel, now)

    async def _has_turn(self, delivery: Delivery) -> bool:
        """A person in danger is not kept waiting for the fate of an earlier reply."""
        if delivery.urgent:
            before = delivery.part_before
            part = await self._store.get(before) if before else None
            return part is None or not part.open or part.state is State.UNKNOWN
        return await self._store.first_open(delivery.conversation_key) == delivery.id

    async def _on_channel(
        self, delivery: Delivery, channel: ChannelForOutbound, now: datetime
    ) -> None:
        """Everything that may keep a delivery back whose turn it is, then the send."""
        allowed = await self._through_window(delivery, channel, now)
        if allowed is None:
            return
        hold = await self._hold(channel, now)
        if hold is not None:
            # Spread, so that the first one shows whether the others would pass.
            spread = (hold.until - now) * 0.2 * random.random()  # noqa: S311 - spreads load
            await self._park(allowed, hold.until + spread, hold.waiting)
            return
        if await self._has_places(allowed, channel, now):
            await self._send(allowed, channel)

    async def _through_window(
        self, delivery: Delivery, channel: ChannelForOutbound, now: datetime
    ) -> Delivery | None:
        """The delivery as it may be sent now; None when it is closed, as nothing of it may."""
        if delivery.template is not None or await self._is_window_open(delivery, now):
            return delivery
        if await self._may_send_template(delivery, channel, now):
            name, language = channel.window_template or ("", "")
            template = {"name": name, "language": language, "components": []}
            return deliveries.as_template(delivery, template)
        shut = delivery.error if delivery.outside else None
        error = shut or Trouble(Handling.WINDOW_CLOSED, "window_closed")
        await self._ledger.record(delivery, deliveries.close_window(delivery, now, error))
        return None

    async def _may_send_template(
        self, delivery: Delivery, channel: ChannelForOutbound, now: datetime
    ) -> bool:
        """In place of an answer of the machine, once until the person writes again."""
        if channel.window_template is None or delivery.author != "assistant":
            return False
        wrote_at = await self._wrote_at(delivery)
        return now < wrote_at + TEMPLATE_WITHIN and await self._templates.claim(
            delivery.conversation_key, delivery.id, wrote_at
        )

    async def _is_window_open(self, delivery: Delivery, now: datetime) -> bool:
        if delivery.outside:
            return False
        if now < delivery.window_ends_at:
            return True
        return now < deliveries.window_end(await self._wrote_at(delivery))

    async def _wrote_at(self, delivery: Delivery) -> datetime:
        """When the person wrote last."""
        newest = await self._store.user_wrote_at(delivery.conversation_key)
        return max(delivery.user_wrote_at, newest or delivery.user_wrote_at)

    async def _hold(self, channel: ChannelForOutbound, now: datetime) -> Hold | None:
        if channel.paused:
            # Asked for again each time: a pause may end without a word.
            self._channels.changed(channel.channel_id)
            return Hold(now + PAUSED_RECHECK, Waiting.CHANNEL)
        return await self._holds.of(_reach(channel).keys)

    async def _has_places(
        self, delivery: Delivery, channel: ChannelForOutbound, now: datetime
    ) -> bool:
        """Reserve a place under the person's limit, then under the number's; False: parked.

        Somebody in danger takes theirs without waiting, and those behind pay for it.
        """
        paces: dict[str, Pace] = {
            "pair": pair_pace(delivery.conversation_key),
            "number": number_pace(channel.channel_id, channel.messages_per_second),
        }
        held = list(delivery.paced)
        for limit, pace in paces.items():
            if limit in held:
                continue
            wait = await self._paces.reserve(pace)
            held.append(limit)
            if wait > SHORTEST_WAIT and not delivery.urgent:
                self._metrics.pace_wait_seconds.labels(limit).observe(wait.total_seconds())
                await self._reserved(delivery, now, tuple(held), now + wait)
                return False
        return await self._through_gate(delivery, tuple(held), paces["number"], now)

    async def _through_gate(
        self, delivery: Delivery, held: tuple[str, ...], pace: Pace, now: datetime
    ) -> bool:
        """After a stall, many whose place has passed would leave at once: they are spread again."""
        due_at = delivery.next_attempt_at or now
        if delivery.urgent or ("gate" in held and now - due_at <= LATE):
            return True
        wait = timedelta(milliseconds=self._gate.wait_ms(pace, now.timestamp() * 1000))
        if wait <= SHORTEST_WAIT:
            return True
        spread = tuple(dict.fromkeys((*held, "gate")))
        await self._reserved(delivery, now, spread, now + wait)
        return False

    async def _reserved(
        self, delivery: Delivery, now: datetime, paced: tuple[str, ...], until: datetime
    ) -> None:
        await self._change(delivery, lambda d: deliveries.reserve(d, now, paced=paced, until=until))

    async def _send(self, queued: Delivery, channel: ChannelForOutbound) -> None:
        now = self._clock()
        answer_by = now + self._patience.answer + ANSWER_MARGIN
        begun = deliveries.begin(queued, now, answer_by=answer_by)
        sending = await self._ledger.record(queued, begun)
        if sending is None:
            return
        answer = await self._graph.send(channel, sending)
        if isinstance(answer, Accepted):
            wamid = answer.wamid
            done = self._clock()
            await self._ledger.update(sending, lambda d: deliveries.accepted(d, done, wamid))
            age_s = (done - sending.user_wrote_at).total_seconds()
            self._metrics.message_age_seconds.labels("reply_sent").observe(age_s)
            if channel.troubled:
                await self._problems.ended(sending, done)
                self._channels.changed(channel.channel_id)
            return
        await self._failed(sending, channel, answer)

    async def _failed(self, sending: Delivery, channel: ChannelForOutbound, fault: Fault) -> None:
        spread = random.random()  # noqa: S311 - spreads load
        verdict = decide(fault, sending.error, spread)
        match verdict.handling:
            case Handling.AMBIGUOUS:
                await self._doubt(sending, verdict.trouble)
            case Handling.PERMANENT:
                await self._change(
                    sending, lambda d: deliveries.fail(d, self._clock(), verdict.trouble)
                )
            case Handling.WINDOW_CLOSED:
                await self._window_closed(sending, verdict.trouble)
            case Handling.CHANNEL_PROBLEM:
                await self._channel_problem(sending, channel, verdict, fault)
            case Handling.THROTTLED:
                await self._wait(sending, channel, verdict, Waiting.THROTTLE)
            case Handling.TRANSIENT:
                await self._wait(sending, channel, verdict, Waiting.RETRY)

    async def _window_closed(self, sending: Delivery, trouble: Trouble) -> None:
        """A template is tried in place of a text, once; a refused template is refused."""
        now = self._clock()
        if sending.template is not None:
            await self._change(sending, lambda d: deliveries.fail(d, now, trouble))
        else:
            await self._change(sending, lambda d: deliveries.meet_closed_window(d, now, trouble))

    async def _channel_problem(
        self, sending: Delivery, channel: ChannelForOutbound, verdict: Verdict, fault: Fault
    ) -> None:
        now = self._clock()
        if verdict.problem is TOKEN_REJECTED and await self._token_rotated(sending, channel):
            await self._park(sending, now, Waiting.RETRY)
            return
        await self._wait(sending, channel, verdict, Waiting.CHANNEL)
        if verdict.problem is not None:
            code = fault.code if isinstance(fault, Refused) else None
            await self._problems.report(sending, verdict.problem, code, now)

    async def _token_rotated(self, sending: Delivery, used: ChannelForOutbound) -> bool:
        """Whether channels-api has another token by now than the one that was refused."""
        try:
            fresh = await self._channels.reload(sending.channel_id, sending.tenant)
        except SourceUnavailableError:
            return False
        return fresh is not None and fresh.access_token != used.access_token

    async def _wait(
        self, sending: Delivery, channel: ChannelForOutbound, verdict: Verdict, waiting: Waiting
    ) -> None:
        until = self._clock() + timedelta(seconds=verdict.after_s)
        wide = verdict.scope not in {None, Scope.PAIR}
        if wide or verdict.handling is Handling.CHANNEL_PROBLEM:
            key = _reach(channel).key_for(verdict.scope)
            await self._holds.put(key, Hold(until, waiting))
        await self._park(sending, until, waiting, verdict.trouble)

    async def _doubt(self, delivery: Delivery, trouble: Trouble) -> None:
        now = self._clock()
        settle_by = now + self._patience.settle
        await self._change(
            delivery, lambda d: deliveries.doubt(d, now, settle_by=settle_by, error=trouble)
        )

    async def _park(
        self, delivery: Delivery, until: datetime, waiting: Waiting, error: Trouble | None = None
    ) -> None:
        now = self._clock()
        await self._change(
            delivery,
            lambda d: deliveries.park(d, now, until=until, waiting=waiting, error=error),
        )

    async def _change(self, delivery: Delivery, change: deliveries.Transition) -> None:
        """Change it unless a callback has settled it, or another replica has taken it on."""

        def unless_settled(current: Delivery) -> Delivery | None:
            ours = current.state is delivery.state and current.attempts == delivery.attempts
            return change(current) if ours and current.state in OURS else None

        await self._ledger.update(delivery, unless_settled)


def _reach(channel: ChannelForOutbound) -> Reach:
    return Reach(channel.tenant, channel.channel_id, channel.waba_id or "", channel.app_scope)
