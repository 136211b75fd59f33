"""Opting out, coming back, asking for a human."""

from datetime import UTC, datetime, timedelta

import pytest

from brain.domain.standing import HELD_FOR, silence_of, standing_after
from brain.domain.state import EndUserState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEW = EndUserState.initial(NOW)


def test_stop_silences_until_start():
    stopped = standing_after(NEW, "opt_out", NOW)
    assert silence_of(stopped, "question", NOW) == "opted_out"
    assert silence_of(stopped, "question", NOW + timedelta(days=400)) == "opted_out"
    assert silence_of(stopped, "opt_in", NOW) is None
    assert silence_of(standing_after(stopped, "opt_in", NOW), "question", NOW) is None


def test_asking_for_a_human_holds_the_bot_for_a_shift():
    held = standing_after(NEW, "human_please", NOW)
    assert silence_of(held, "statement", NOW + HELD_FOR / 2) == "held_for_human"
    assert silence_of(held, "statement", NOW + HELD_FOR) is None
    assert silence_of(held, "human_please", NOW) is None


@pytest.mark.parametrize("intent", ["question", "small_talk", "crisis", "statement"])
def test_other_wishes_change_nothing(intent):
    assert standing_after(NEW, intent, NOW) == NEW
    assert silence_of(NEW, intent, NOW) is None
