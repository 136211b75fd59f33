"""So many calls in any minute, told before it is too late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.http import limits
from brain.http.limits import RateLimit
from shared.http.problem import Problem


class Watch:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_headers_count_down_and_the_refusal_says_when() -> None:
    watch = Watch()
    limit = RateLimit(2, watch)
    assert limit.count("k") == {
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "1",
        "RateLimit-Reset": "60",
    }
    watch.now += 20
    assert limit.count("k")["RateLimit-Remaining"] == "0"
    with pytest.raises(Problem) as caught:
        limit.count("k")
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "40")
    assert caught.value.headers["RateLimit-Remaining"] == "0"
    assert limit.count("another")["RateLimit-Remaining"] == "1"
    watch.now += 40
    assert limit.count("k")["RateLimit-Remaining"] == "0"


@given(st.lists(st.floats(0, 30), max_size=80), st.integers(1, 5))
def test_no_minute_sees_more_than_the_limit(gaps: list[float], most: int) -> None:
    watch = Watch()
    limit, taken = RateLimit(most, watch), []
    for gap in gaps:
        watch.now += gap
        try:
            limit.count("k")
        except Problem:
            continue
        taken.append(watch.now)
    assert all(
        sum(start <= at < start + limits.WINDOW_S for at in taken) <= most for start in taken
    )


def test_idle_keys_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 10)
    watch = Watch()
    limit = RateLimit(5, watch)
    for number in range(10):
        limit.count(f"old{number}")
    watch.now += 61
    limit.count("new")
    assert list(limit._calls) == ["new"]
