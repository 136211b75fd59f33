"""How often an address may be wrong, and whose address it is."""

import pytest

from shared.http import throttle
from shared.http.throttle import FailureBudget, caller


class Watch:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_address_waits_once_its_budget_is_spent() -> None:
    watch = Watch()
    budget = FailureBudget(3, watch)
    for _ in range(2):
        budget.failed("a")
    assert budget.wait_s("a") == 0
    watch.now += 10
    budget.failed("a")
    assert budget.wait_s("a") == 50
    assert budget.wait_s("b") == 0
    watch.now += 50
    assert budget.wait_s("a") == 0
    budget.failed("a")
    assert budget.wait_s("a") == 0


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_ADDRESSES", 3)
    budget = FailureBudget(1, Watch())
    for address in "abcd":
        budget.failed(address)
    assert [bool(budget.wait_s(address)) for address in "abcd"] == [False, True, True, True]


@pytest.mark.parametrize(
    ("forwarded", "hops", "address"),
    [
        ([], 0, "9.9.9.9"),
        (["1.1.1.1"], 0, "9.9.9.9"),
        (["1.1.1.1"], 1, "1.1.1.1"),
        (["6.6.6.6, 1.1.1.1"], 1, "1.1.1.1"),
        (["6.6.6.6", "1.1.1.1, 2.2.2.2"], 2, "1.1.1.1"),
        (["1.1.1.1"], 2, "9.9.9.9"),
        (["x" * 500], 1, "x" * 64),
    ],
)
def test_a_caller_cannot_choose_their_address(
    forwarded: list[str], hops: int, address: str
) -> None:
    assert caller("9.9.9.9", forwarded, hops) == address


def test_without_a_connections_address_there_is_one_all_the_same() -> None:
    assert caller(None, [], 0) == "unknown"
