"""Which lane a conversation lies in: the same for ever, on every machine, and well spread."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.topology import INBOUND_LANES, OUTBOUND_LANES, lane_key, partition

GOLDEN = [
    ("mc_0000000000000000000001:491701234567", 4, 4),
    ("mc_0000000000000000000001:491701234568", 12, 4),
    ("mc_0000000000000000000002:491701234567", 12, 4),
    ("mc_0000000000000000000001:US.13491208655302741918", 11, 3),
    ("", 4, 4),
    ("mc_ü:日本", 7, 7),
]


@pytest.mark.parametrize(("key", "of_16", "of_8"), GOLDEN)
def test_lanes_never_move(key: str, of_16: int, of_8: int) -> None:
    assert partition(key, INBOUND_LANES) == of_16
    assert partition(key, OUTBOUND_LANES) == of_8


@given(key=st.text(), lanes=st.integers(min_value=1, max_value=99))
def test_every_conversation_has_one_lane(key: str, lanes: int) -> None:
    lane = partition(key, lanes)
    assert 0 <= lane < lanes
    assert partition(key, lanes) == lane
    assert lane_key(key, lanes) == f"p{lane:02d}"


def test_lanes_are_evenly_used() -> None:
    used = Counter(partition(f"mc_x:4917{n:08d}", INBOUND_LANES) for n in range(16_000))
    assert len(used) == INBOUND_LANES
    assert max(used.values()) < 1.2 * min(used.values())
