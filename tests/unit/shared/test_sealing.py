"""Sealed secrets open where they were sealed, by who has the key, unchanged; and nowhere else."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto.sealing import Keyring, LocalKeys, Place, SealError, version_of

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = Place("channels", "mc_1", "access_token")


def keyring(*versions: str) -> Keyring:
    keys = {"k1": OLD, "k2": NEW}
    return Keyring(LocalKeys({v: keys[v] for v in versions}, current=versions[-1]))


@given(secret=st.text())
def test_what_was_sealed_opens(secret: str) -> None:
    ring = keyring("k1")
    assert ring.open(ring.seal(secret, PLACE), PLACE) == secret


def test_sealing_twice_gives_different_values_and_shows_nothing() -> None:
    ring = keyring("k1")
    first, second = (ring.seal("EAAB-the-token", PLACE) for _ in range(2))
    assert first != second
    assert "EAAB" not in first
    assert first.startswith("v1.k1.")


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("channels", "mc_2", "access_token"),
        Place("channels", "mc_1", "app_secret"),
        Place("other", "mc_1", "access_token"),
    ],
)
def test_a_value_moved_elsewhere_does_not_open(elsewhere: Place) -> None:
    ring = keyring("k1")
    with pytest.raises(SealError, match="changed or belongs elsewhere"):
        ring.open(ring.seal("s", PLACE), elsewhere)


@pytest.mark.parametrize("part", [2, 3, 4])
def test_a_changed_part_does_not_open(part: int) -> None:
    ring = keyring("k1")
    parts = ring.seal("a secret", PLACE).split(".")
    parts[part] = ("B" if parts[part][0] == "A" else "A") + parts[part][1:]
    with pytest.raises(SealError, match="changed or belongs elsewhere"):
        ring.open(".".join(parts), PLACE)


@pytest.mark.parametrize(
    ("sealed", "says"),
    [
        ("", "not a sealed value"),
        ("plain text", "not a sealed value"),
        ("v1.k1.AAAA", "not a sealed value"),
        ("v2.k1.AAAA.AAAA.AAAA", "unknown sealed form 'v2'"),
        ("v1.k1.AA.AA.AA", "changed or belongs elsewhere"),
        ("v1.k1...", "changed or belongs elsewhere"),
    ],
)
def test_what_was_never_sealed_says_so(sealed: str, says: str) -> None:
    with pytest.raises(SealError, match=says):
        keyring("k1").open(sealed, PLACE)


def test_a_missing_key_version_is_named() -> None:
    sealed = keyring("k1").seal("s", PLACE)
    with pytest.raises(SealError, match="key version 'k1' is needed and not configured"):
        keyring("k2").open(sealed, PLACE)


def test_after_a_rotation_the_new_key_seals_and_the_old_still_opens() -> None:
    before, after = keyring("k1"), keyring("k1", "k2")
    assert after.open(before.seal("old", PLACE), PLACE) == "old"
    assert after.seal("new", PLACE).startswith("v1.k2.")


def test_the_last_key_of_the_settings_is_current() -> None:
    text = {"k1": urlsafe_b64encode(OLD).decode(), "k2": urlsafe_b64encode(NEW).decode()}
    assert LocalKeys.from_text(text).current == "k2"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({}, "no key-encryption key"),
        ({"k1": "A"}, "not base64"),
        ({"k1": urlsafe_b64encode(b"short").decode()}, "not 32 bytes"),
        ({"k.1": urlsafe_b64encode(OLD).decode()}, "must not contain a dot"),
    ],
)
def test_a_keyring_that_cannot_work_is_refused(keys: dict[str, str], says: str) -> None:
    with pytest.raises(SealError, match=says):
        LocalKeys.from_text(keys)


def test_a_current_version_without_a_key_is_refused() -> None:
    with pytest.raises(SealError, match="'k9' is not among the keys"):
        LocalKeys({"k1": OLD}, current="k9")


def test_keys_are_not_in_the_repr() -> None:
    assert "ooo" not in repr(keyring("k1"))


@given(secret=st.text())
def test_a_rewrapped_secret_opens_with_the_new_key_alone(secret: str) -> None:
    sealed = keyring("k1").seal(secret, PLACE)
    both, new = keyring("k1", "k2"), keyring("k2")
    again = both.rewrap(sealed, PLACE)
    assert (version_of(sealed), version_of(again)) == ("k1", "k2")
    assert sealed.split(".")[3:] == again.split(".")[3:], "the ciphertext stays as it is"
    assert both.needs_rewrap(sealed)
    assert not both.needs_rewrap(again)
    assert new.open(again, PLACE) == secret
    assert both.open(sealed, PLACE) == secret


def test_only_what_belongs_here_is_rewrapped() -> None:
    sealed = keyring("k1").seal("s", PLACE)
    with pytest.raises(SealError, match="changed or belongs elsewhere"):
        keyring("k1", "k2").rewrap(sealed, Place("channels", "mc_2", "access_token"))
    with pytest.raises(SealError, match="'k1' is needed"):
        keyring("k2").rewrap(sealed, PLACE)
    with pytest.raises(SealError, match="not a sealed value"):
        keyring("k2").rewrap("plain", PLACE)
