"""Limits as arithmetic: whatever comes, no window sees more than Meta allows."""

from hypothesis import given
from hypothesis import strategies as st

from outbound.domain.pacing import PAIR_INTERVAL_MS, PAIR_LIMIT, Pace, number_pace, pair_pace


def sent_at(pace: Pace, asked_ms: list[float]) -> list[float]:
    """When messages leave that ask for their places at these times."""
    arrival, sent = 0.0, []
    for now in asked_ms:
        sent.append(now + pace.wait_ms(arrival, now))
        arrival = max(arrival, now) + pace.interval_ms
    return sent


def most_within(times: list[float], window_ms: float) -> int:
    return max(sum(1 for t in times if start <= t < start + window_ms) for start in times)


TIMES = st.lists(st.floats(0, 60_000), min_size=1, max_size=200).map(sorted)


@given(TIMES, st.integers(1, 1000))
def test_no_second_sees_more_than_the_numbers_limit(asked: list[float], limit: int) -> None:
    sent = sent_at(number_pace("c", limit), asked)
    assert most_within(sent, 999.999) <= max(limit, 1)
    assert sent == sorted(sent)
    assert all(left >= when for left, when in zip(sent, asked, strict=True))


@given(TIMES)
def test_a_person_gets_a_burst_and_then_one_in_six_seconds(asked: list[float]) -> None:
    sent = sent_at(pair_pace("k"), asked)
    for seconds in (6, 60, 600):
        allowed = PAIR_LIMIT - 1 + seconds * 1000 / PAIR_INTERVAL_MS
        assert most_within(sent, seconds * 1000 - 0.001) <= allowed


def test_a_burst_of_fifty_borrows_all_but_one() -> None:
    sent = sent_at(pair_pace("k"), [0.0] * 50)
    assert sent[:44] == [0.0] * 44
    assert sent[44:] == [6_000.0 * number for number in range(1, 7)]


def test_who_pauses_gets_the_burst_back() -> None:
    pace = pair_pace("k")
    sent = sent_at(pace, [0.0] * 44 + [44 * 6_000.0] * 44)
    assert sent[44:] == [44 * 6_000.0] * 44
