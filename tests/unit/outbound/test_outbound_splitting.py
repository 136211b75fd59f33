"""Long texts: nothing lost, nothing torn, cut where a reader would pause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound.domain.splitting import PART_CHARACTERS, parts_of

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
FLAG = "\U0001f1ea\U0001f1f8"


def test_what_fits_is_one_part() -> None:
    assert parts_of("hello") == ["hello"]
    assert parts_of("x" * PART_CHARACTERS) == ["x" * PART_CHARACTERS]
    assert parts_of("") == [""]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One two three. Four five six.", ["One two three.", "Four five six."]),
        ("One two\n\nthree. Four five six.", ["One two", "three.", "Four five six."]),
        ("One two three four five six", ["One two three", "four five six"]),
        ("क्या आप ठीक हैं। मैं यहाँ हूँ।", ["क्या आप ठीक हैं।", "मैं यहाँ हूँ।"]),
        ("abcdefghijklmnopqrstuvwxyz", ["abcdefghijklmnopqr", "stuvwxyz"]),
    ],
)
def test_a_cut_is_where_a_reader_pauses(text: str, parts: list[str]) -> None:
    assert parts_of(text, 18) == parts


@pytest.mark.parametrize(
    "cluster", [FAMILY, FLAG, "e\u0301", "\U0001f44d\U0001f3fd", "1\ufe0f\u20e3"]
)
def test_what_is_one_character_to_a_reader_stays_whole(cluster: str) -> None:
    for shift in range(1, 12):
        parts = parts_of("x" * shift + cluster * 12, 19)
        assert "".join(parts) == "x" * shift + cluster * 12
        assert all(part.lstrip("x").replace(cluster, "") == "" for part in parts), parts


@given(st.text(max_size=400), st.integers(8, 60))
def test_nothing_is_lost_but_space_at_the_cuts(text: str, most: int) -> None:
    parts = parts_of(text, most)
    assert all(0 < len(part) <= most for part in parts) or parts == [""]
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert parts == parts_of(text, most)
