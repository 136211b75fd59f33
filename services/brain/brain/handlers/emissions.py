"""What the world is told of a turn, and what outbound is asked to do. Ids make a repeat equal."""

from datetime import datetime, timedelta
from typing import Any, Literal

from brain.adapters.outgoing_store import Outgoing
from brain.adapters.user_store import EndUser
from brain.domain.people import Route
from brain.domain.safety import Action, SafetyVerdict
from brain.domain.turn import HUMAN_COMING, FixedReply, Prepared
from brain.handlers.incoming import Incoming
from shared.bus.port import Publication
from shared.bus.topology import INTERACTIONS, OUTBOUND, OUTBOUND_LANES, lane_key
from shared.contracts import (
    Envelope,
    ForgetConversation,
    InteractionChanged,
    InteractionProcessed,
    MarkMessageRead,
    Payload,
    SafetyBlocked,
    SafetyHeld,
    SafetyScores,
    SendReply,
    Template,
    UserCreated,
    UserErased,
    UserScores,
)
from shared.ids import derived_id
from shared.telemetry.trace import current_traceparent

SOURCE = "brain"

ReplyKind = Literal["none", "fixed", "pending"]
"""What becomes of the reply, known when the interaction is written."""


def _enveloped(
    payload: Payload,
    *,
    id: str,  # noqa: A002 - the CloudEvents attribute is called id
    subject: str,
    tenant: str,
    time: datetime,
    causation: str | None,
) -> Envelope:
    return Envelope.of(
        payload,
        id=id,
        source=SOURCE,
        subject=subject,
        tenant=tenant,
        time=time,
        traceparent=current_traceparent(),
        causation=causation,
    )


def _event(
    incoming: Incoming, user_id: str, routing_key: str, payload: Payload, *name: str
) -> Publication:
    return Publication(INTERACTIONS, routing_key, _caused(incoming, user_id, payload, *name))


def _command(incoming: Incoming, key: str, name: str, payload: Payload) -> Publication:
    envelope = _caused(incoming, incoming.event_id, payload, name)
    return Publication(OUTBOUND, lane_key(key, OUTBOUND_LANES), envelope)


def _caused(incoming: Incoming, subject: str, payload: Payload, *name: str) -> Envelope:
    """What follows from a message; ``name`` sets it apart from others of its type."""
    return _enveloped(
        payload,
        id=derived_id(incoming.event_id, payload.TYPE, *name),
        subject=subject,
        tenant=incoming.tenant,
        time=incoming.received_at,
        causation=incoming.event_id,
    )


def events_of(
    incoming: Incoming, user: EndUser, prepared: Prepared, reply: ReplyKind
) -> list[Publication]:
    """Safety first: whoever must act on it should not wait behind statistics.

    ``user.created`` belongs to the message that first moved the person, whoever made the record:
    a crash between the two must not swallow it.
    """
    events = safety_events(incoming, user.id, prepared.safety)
    if isinstance(prepared.plan, FixedReply) and prepared.plan.reason == HUMAN_COMING:
        asked = SafetyVerdict(action=Action.HOLD, flags=("human_requested",))
        events += safety_events(incoming, user.id, asked, "human_requested")
    if prepared.state_before.interaction_count == 0:
        new = UserCreated(user_id=user.id, channel=incoming.channel, channel_id=incoming.channel_id)
        events.append(_event(incoming, user.id, "user.created", new))
    processed = _processed(incoming, user, prepared, reply)
    events.append(_event(incoming, user.id, f"interaction.processed.{incoming.channel}", processed))
    return events


def safety_events(
    incoming: Incoming, user_id: str, verdict: SafetyVerdict, *name: str
) -> list[Publication]:
    """One event for a HOLD or BLOCK, none otherwise. ``name`` sets it apart from the message's."""
    if verdict.action is Action.PROCEED:
        return []
    blocked = verdict.action is Action.BLOCK
    raised = (SafetyBlocked if blocked else SafetyHeld)(
        interaction_id=incoming.event_id,
        user_id=user_id,
        channel=incoming.channel,
        channel_id=incoming.channel_id,
        risk_score=verdict.risk_score,
        flags=verdict.flags,
    )
    routing_key = "safety.blocked" if blocked else "safety.hold"
    return [_event(incoming, user_id, routing_key, raised, *name)]


def unanswered_event(incoming: Incoming, user_id: str) -> list[Publication]:
    """No model could answer: a human is called instead."""
    nobody = SafetyVerdict(action=Action.HOLD, flags=("reply_unavailable",))
    return safety_events(incoming, user_id, nobody, "reply_unavailable")


def _processed(
    incoming: Incoming, user: EndUser, prepared: Prepared, reply: ReplyKind
) -> InteractionProcessed:
    state, verdict = prepared.state_after, prepared.safety
    return InteractionProcessed(
        interaction_id=incoming.event_id,
        user_id=user.id,
        channel=incoming.channel,
        channel_id=incoming.channel_id,
        user=UserScores(
            mood=state.human.mood,
            energy=state.human.energy,
            trust=state.relation.trust,
            sentiment=state.relation.sentiment,
            familiarity=state.relation.familiarity,
        ),
        mood_delta=prepared.mood_delta,
        energy_delta=prepared.energy_delta,
        signal_magnitude=prepared.signal_magnitude,
        emotions=prepared.analysis.emotions,
        intent=prepared.analysis.intent,
        confidence=prepared.analysis.confidence,
        tone=prepared.shape.tone,
        safety=SafetyScores(
            action=verdict.action.value, risk_score=verdict.risk_score, flags=verdict.flags
        ),
        memory_hits=len(prepared.memories),
        interaction_count=state.interaction_count,
        reply=reply,
    )


def read_mark(incoming: Incoming, reply: ReplyKind) -> list[Publication]:
    """The person sees that we read and, while a model thinks, that we type."""
    if incoming.route is None or reply == "none":
        return []
    mark = MarkMessageRead(
        interaction_id=incoming.event_id,
        channel_id=incoming.route.channel_id,
        conversation_key=incoming.route.conversation_key,
        provider_message_id=incoming.route.provider_message_id,
        typing=reply == "pending",
    )
    return [_command(incoming, incoming.route.conversation_key, "mark", mark)]


def typing_command(incoming: Incoming, now: datetime) -> Publication:
    """The indicator once more; each time is another command."""
    route = incoming.route
    if route is None:
        raise ValueError("a call of the API sees nobody type")
    mark = MarkMessageRead(
        interaction_id=incoming.event_id,
        channel_id=route.channel_id,
        conversation_key=route.conversation_key,
        provider_message_id=route.provider_message_id,
    )
    return _command(incoming, route.conversation_key, f"mark:{now.isoformat()}", mark)


def changed_event(
    document: dict[str, Any],
    change: Literal["edited", "revoked", "reaction", "replied", "alert"],
    cause: str,
    at: datetime,
) -> Publication:
    """The interaction should be read again. ``cause`` names what changed it."""
    changed = InteractionChanged(
        interaction_id=document["_id"],
        user_id=document["user_id"],
        channel=document["channel"],
        channel_id=document["channel_id"],
        change=change,
    )
    envelope = _enveloped(
        changed,
        id=derived_id(document["_id"], changed.TYPE, change, cause),
        subject=document["user_id"],
        tenant=document["tenant"],
        time=at,
        causation=cause,
    )
    return Publication(INTERACTIONS, f"interaction.changed.{document['channel']}", envelope)


def reply_command(
    incoming: Incoming,
    text: str,
    *,
    delay_ms: int,
    urgent: bool,
    now: datetime,
    delivery_id: str | None = None,
) -> list[Publication]:
    """The text on its way to the person; nothing for a caller of the API, who has it already."""
    if incoming.route is None:
        return []
    send = SendReply(
        interaction_id=incoming.event_id,
        delivery_id=delivery_id or f"{incoming.event_id}:0",
        channel_id=incoming.route.channel_id,
        conversation_key=incoming.route.conversation_key,
        to_phone=incoming.address.phone,
        to_user_id=incoming.address.provider_user_id,
        text=text,
        context_message_id=incoming.route.provider_message_id,
        not_before=now + timedelta(milliseconds=delay_ms) if delay_ms else None,
        urgent=urgent,
        user_wrote_at=incoming.sent_at,
    )
    name = "reply" if delivery_id is None else delivery_id
    return [_command(incoming, incoming.route.conversation_key, name, send)]


def operator_command(
    message: Outgoing, route: Route, *, text: str, template: Template | None
) -> Publication:
    """What a human of the business says, on its way to the person."""
    send = SendReply(
        interaction_id=message.id,
        delivery_id=f"{message.id}:0",
        channel_id=message.channel_id,
        conversation_key=route.conversation_key,
        to_phone=route.phone,
        to_user_id=route.provider_user_id,
        text=text,
        template=template,
        author="operator",
        user_wrote_at=route.wrote_at,
    )
    envelope = _enveloped(
        send,
        id=derived_id(message.id, send.TYPE),
        subject=message.id,
        tenant=message.tenant,
        time=message.at,
        causation=None,
    )
    return Publication(OUTBOUND, lane_key(route.conversation_key, OUTBOUND_LANES), envelope)


def forget_commands(user: EndUser, now: datetime) -> list[Publication]:
    """What outbound is asked to remove, in the lanes that the person's replies went by."""
    return [
        Publication(
            OUTBOUND,
            lane_key(route.conversation_key, OUTBOUND_LANES),
            _enveloped(
                ForgetConversation(channel_id=channel_id, conversation_key=route.conversation_key),
                id=derived_id(user.id, ForgetConversation.TYPE, channel_id),
                subject=user.id,
                tenant=user.tenant,
                time=now,
                causation=None,
            ),
        )
        for channel_id, route in user.routes.items()
    ]


def erased_event(user_id: str, tenant: str, now: datetime) -> Publication:
    """The person is gone."""
    erased = UserErased(user_id=user_id)
    envelope = _enveloped(
        erased,
        id=derived_id(user_id, erased.TYPE),
        subject=user_id,
        tenant=tenant,
        time=now,
        causation=None,
    )
    return Publication(INTERACTIONS, "user.erased", envelope)
