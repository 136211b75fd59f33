from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound.domain.lattice import OURS, State, join, reported

STATUSES = [State.SENT, State.DELIVERED, State.READ, State.PLAYED, State.FAILED]


def joined(start: State, statuses: list[State]) -> State:
    for status in statuses:
        start = join(start, status)
    return start


@pytest.mark.parametrize("current", sorted(OURS))
@pytest.mark.parametrize("status", STATUSES)
def test_any_word_of_the_provider_settles_a_state_of_ours(current: State, status: State):
    assert join(current, status) is status


@pytest.mark.parametrize(
    ("current", "status", "after"),
    [
        (State.SENT, State.DELIVERED, State.DELIVERED),
        (State.DELIVERED, State.SENT, State.DELIVERED),
        (State.READ, State.DELIVERED, State.READ),
        (State.READ, State.PLAYED, State.PLAYED),
        (State.SENT, State.FAILED, State.FAILED),
        (State.DELIVERED, State.FAILED, State.DELIVERED),
        (State.READ, State.FAILED, State.READ),
        (State.FAILED, State.SENT, State.FAILED),
        (State.FAILED, State.DELIVERED, State.DELIVERED),
    ],
)
def test_callbacks_only_move_upwards(current: State, status: State, after: State):
    assert join(current, status) is after


@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=5), st.sampled_from(sorted(OURS)))
def test_order_and_repetition_of_callbacks_do_not_matter(statuses: list[State], start: State):
    outcomes = {joined(start, list(order)) for order in permutations(statuses)}
    assert outcomes == {joined(start, statuses + statuses)}


@given(st.text())
def test_only_known_statuses_are_followed(status: str):
    assert (reported(status) is not None) == (status in {s.value for s in STATUSES})
