"""What Meta's credentials look like, and what is said of those that do not."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_api.domain import rules

Rule = Callable[[str], str]
VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=128)


@pytest.mark.parametrize(
    ("rule", "pasted", "taken"),
    [
        (rules.phone_number_id, " 1158201444\n", "1158201444"),
        (rules.waba_id, "102290129340398\t", "102290129340398"),
        (rules.access_token, " EAAx ", "EAAx"),
        (rules.access_token, "E" * 1024, "E" * 1024),
        (rules.app_secret, "\n" + "0123456789abcdef" * 2, "0123456789abcdef" * 2),
        (rules.app_secret, "It's a Secret", "It's a Secret"),
        (rules.app_secret, "s" * 128, "s" * 128),
    ],
)
def test_what_is_right_is_taken_without_blanks_around(rule: Rule, pasted: str, taken: str) -> None:
    assert rule(pasted) == taken


@pytest.mark.parametrize(
    ("rule", "pasted", "said"),
    [
        (rules.phone_number_id, "+15551234567", "looks like a phone number, not the id"),
        (rules.phone_number_id, "555-123-4567", "looks like a phone number, not the id"),
        (rules.phone_number_id, "(555) 1234567", "looks like a phone number, not the id"),
        (rules.phone_number_id, "", "digits only"),
        (rules.phone_number_id, "12a4", "digits only"),
        (rules.phone_number_id, "١٢٣", "digits only"),
        (rules.phone_number_id, "1" * 33, "digits only"),
        (rules.waba_id, "acme", "WhatsApp Business Account id"),
        (rules.access_token, " \n", "empty"),
        (rules.access_token, "E" * 1025, "longer than 1024"),
        (rules.access_token, "EAA two", "white space inside"),
        (rules.access_token, "EAA\u200bhidden", "white space inside, or a character"),
        (rules.app_secret, "", "at most 128 characters"),
        (rules.app_secret, "s" * 129, "at most 128 characters"),
        (rules.app_secret, "two\nlines", "one line"),
    ],
)
def test_what_is_wrong_is_told_without_repeating_it(rule: Rule, pasted: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        rule(pasted)
    assert len(pasted.strip()) < 5 or pasted.strip() not in str(caught.value)


@given(VISIBLE, st.text(" \t\r\n", max_size=3), st.text(" \t\r\n", max_size=3))
def test_any_visible_secret_survives_pasting(secret: str, before: str, after: str) -> None:
    assert rules.app_secret(before + secret + after) == secret
    assert rules.access_token(before + secret + after) == secret
