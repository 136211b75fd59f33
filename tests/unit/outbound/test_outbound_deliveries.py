from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from outbound.domain import deliveries
from outbound.domain.deliveries import Delivery, Step, Trouble, Waiting, due_at
from outbound.domain.graph_codes import Scope
from outbound.domain.holds import Hold, Reach, longest
from outbound.domain.lattice import State
from outbound.handlers.emissions import SETTLED, events_between
from shared.bus.topology import INBOUND, INTERACTIONS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LATER = NOW + 60 * SECOND
DOUBT = Trouble("ambiguous", "timeout_error")


def queued() -> Delivery:
    return Delivery(
        id="i1:0",
        tenant="t1",
        interaction_id="i1",
        channel_id="mc_1",
        conversation_key="mc_1:447700900123",
        to_phone="447700900123",
        to_user_id=None,
        text="Take your time.",
        context_message_id=None,
        user_wrote_at=NOW - SECOND,
        command_id="c1",
        traceparent=None,
        created_at=NOW,
        state=State.QUEUED,
        updated_at=NOW,
        history=(Step(State.QUEUED, NOW),),
        next_attempt_at=NOW,
    )


def sending() -> Delivery:
    return deliveries.begin(queued(), NOW, answer_by=LATER)


def states(delivery: Delivery) -> list[str]:
    return [step.state.value for step in delivery.history]


def emitted(before: Delivery, after: Delivery) -> list[str]:
    """What the world is told; brain is told the same of the interaction."""
    told = events_between(before, after)
    world = [one.routing_key for one in told if one.exchange == INTERACTIONS]
    ours = [one.envelope.data["state"] for one in told if one.exchange == INBOUND]
    assert len(world) == len(ours)
    assert ours == [
        "sent" if key == "reply.sent" else SETTLED.get(after.state, "unknown") for key in world
    ]
    return world


def test_its_repr_shows_neither_text_nor_person():
    assert "Take" not in repr(queued())
    assert "447700900123" not in repr(queued())


def test_an_accepted_send_closes_the_delivery_and_is_told():
    begun = sending()
    sent = deliveries.accepted(begun, LATER, "wamid.1")
    assert (sent.state, sent.wamid, sent.attempts, sent.open) == (State.SENT, "wamid.1", 1, False)
    assert states(sent) == ["queued", "sending", "sent"]
    assert emitted(begun, sent) == ["reply.sent"]


def test_a_callback_that_overtakes_the_answer_is_told_once():
    begun = sending()
    delivered = deliveries.with_status(begun, State.DELIVERED, LATER, wamid="wamid.1", error=None)
    assert delivered is not None
    answered = deliveries.accepted(delivered, LATER, "wamid.1")
    assert answered.state is State.DELIVERED
    assert emitted(begun, delivered) == ["reply.sent"]
    assert emitted(delivered, answered) == []


def test_a_parked_delivery_waits_no_longer_than_the_window():
    parked = deliveries.park(sending(), NOW, until=NOW + timedelta(days=3), waiting=Waiting.CHANNEL)
    assert parked.next_attempt_at == parked.window_ends_at
    assert parked.window_ends_at < parked.user_wrote_at + timedelta(hours=24)
    assert emitted(sending(), parked) == []


def test_doubt_is_settled_by_a_callback():
    doubtful = deliveries.doubt(sending(), NOW, settle_by=LATER, error=DOUBT)
    assert doubtful.next_attempt_at == LATER
    settled = deliveries.with_status(doubtful, State.READ, LATER, wamid="wamid.1", error=None)
    assert settled is not None
    assert (settled.state, settled.wamid, settled.error) == (State.READ, "wamid.1", None)
    assert not settled.open


def test_doubt_ends_in_one_repetition_and_then_in_the_open():
    again = deliveries.send_again(
        deliveries.doubt(sending(), NOW, settle_by=LATER, error=DOUBT), LATER
    )
    assert (again.state, again.resent, again.next_attempt_at) == (State.QUEUED, True, LATER)
    begun = deliveries.begin(again, LATER, answer_by=LATER + SECOND)
    doubtful = deliveries.doubt(begun, LATER, settle_by=LATER, error=DOUBT)
    closed = deliveries.give_up(doubtful, LATER)
    assert (closed.state, closed.open, closed.attempts) == (State.UNKNOWN, False, 2)
    events = events_between(doubtful, closed)
    assert [e.routing_key for e in events][:1] == ["reply.failed"]
    assert events[0].envelope.data["reason"] == "outcome_unknown"
    late = deliveries.with_status(closed, State.SENT, LATER, wamid="wamid.1", error=None)
    assert late is not None
    assert emitted(closed, late) == ["reply.sent"]


def test_the_failure_of_one_copy_says_nothing_about_the_other():
    sent = deliveries.accepted(sending(), LATER, "wamid.second")
    error = Trouble("permanent", "undeliverable", 131026)
    first = deliveries.with_status(sent, State.FAILED, LATER, wamid="wamid.first", error=error)
    second = deliveries.with_status(sent, State.FAILED, LATER, wamid="wamid.second", error=error)
    assert first is None
    assert second is not None
    assert second.error == error
    assert emitted(sent, second) == ["reply.failed"]


def test_events_carry_ids_and_no_text():
    failed = deliveries.fail(sending(), LATER, Trouble("permanent", "undeliverable", 131026))
    envelope = events_between(sending(), failed)[0].envelope
    assert envelope.data == {
        "interaction_id": "i1",
        "delivery_id": "i1:0",
        "channel_id": "mc_1",
        "attempts": 1,
        "reason": "permanent",
        "code": 131026,
    }
    repeated = events_between(sending(), failed)[0].envelope
    assert repeated.id == envelope.id


@pytest.mark.parametrize(
    ("not_before_s", "due_s"), [(None, 0), (-5, 0), (0, 0), (2, 2), (5, 5), (3600, 5)]
)
def test_a_human_pace_is_bounded(not_before_s: int | None, due_s: int):
    not_before = None if not_before_s is None else NOW + not_before_s * SECOND
    assert due_at(not_before, NOW) == NOW + due_s * SECOND


def test_a_hold_reaches_as_far_as_its_limit():
    known = Reach("t", "c1", "w1", "a1")
    assert known.keys == ("channel:c1", "number:c1", "waba:t:w1", "app:a1")
    assert (known.key_for(None), known.key_for(Scope.NUMBER)) == ("channel:c1", "number:c1")
    assert (known.key_for(Scope.WABA), known.key_for(Scope.APP)) == ("waba:t:w1", "app:a1")
    bare = Reach("t", "c1", "", "")
    assert bare.keys == ("channel:c1", "number:c1")
    assert bare.key_for(Scope.WABA) == bare.key_for(Scope.APP) == "number:c1"


def test_an_answer_after_its_refusal_changes_nothing():
    shut = Trouble("window_closed", "window_closed", 131047)
    told = deliveries.with_status(sending(), State.FAILED, NOW, wamid="wamid.1", error=shut)
    assert (told.state, told.outside, told.open) == (State.QUEUED, True, True)
    assert deliveries.accepted(told, LATER, "wamid.1") == told
    assert deliveries.accepted(told, LATER, "wamid.2").state is State.SENT


def test_a_window_that_is_over_bounds_no_wait():
    old = replace(queued(), user_wrote_at=NOW - timedelta(hours=30))
    parked = deliveries.park(old, NOW, until=NOW + 60 * SECOND, waiting=Waiting.TURN)
    assert parked.next_attempt_at == NOW + 60 * SECOND


def test_a_part_knows_the_one_before():
    ids = {"i:0": None, "i:0.01": "i:0", "i:0.02": "i:0.01", "i:0.11": "i:0.10"}
    for name, before in ids.items():
        assert replace(queued(), id=name).part_before == before


def test_of_several_holds_the_longest_that_stands_counts():
    soon, later = Hold(NOW + SECOND, Waiting.THROTTLE), Hold(NOW + 9 * SECOND, Waiting.CHANNEL)
    assert longest((soon, later), NOW) == later
    assert longest((soon, later), NOW + 9 * SECOND) is None
    assert longest((), NOW) is None
