"""Identifiers: derived ones never change, random ones have their form."""

import re
from collections.abc import Callable

import pytest

from shared import ids


@pytest.mark.parametrize(
    ("channel_id", "message_id", "expected"),
    [
        ("mc_0000000000000000000001", "wamid.AAA=", "688fc0da-7a5b-5e89-8ec0-068edb675dea"),
        ("mc_0000000000000000000001", "wamid.AAB=", "0150e20a-5f6c-57f7-829a-48291480f4ac"),
        ("mc_0000000000000000000002", "wamid.AAA=", "d540b51f-bacf-5f7c-8a86-5499448a21e2"),
    ],
)
def test_event_ids_are_the_same_for_ever(channel_id: str, message_id: str, expected: str) -> None:
    assert ids.event_id(channel_id, message_id) == expected


def test_derived_ids_are_the_same_for_ever_and_keep_parts_apart() -> None:
    assert (
        ids.derived_id("interaction", "user.created.v1") == "b229c1fa-cb4c-59b4-ac84-8992089bd344"
    )
    assert ids.derived_id("ab", "c") != ids.derived_id("a", "bc")


def test_hashes_are_sha256_hex() -> None:
    assert (
        ids.secret_hash("hx_abc")
        == "506ea0b6b835e5a4e0b1145b157afb394515bf247ef2f5497948105b26e4108e"
    )


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (ids.new_channel_id, r"mc_[0-9A-Za-z]{22}"),
        (ids.new_user_id, r"eu_[0-9A-Za-z]{22}"),
        (ids.new_api_key, r"hx_[0-9A-Za-z]{43}"),
        (ids.new_verify_token, r"vt_[0-9A-Za-z]{43}"),
        (ids.new_request_id, r"[0-9a-f]{32}"),
    ],
)
def test_random_ids_have_their_form_and_never_repeat(make: Callable[[], str], form: str) -> None:
    made = {make() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(form, one) for one in made)
