"""Where a token may go, and what counts as the same bytes."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound.domain.media import ELSEWHERE, MediaError, check_host, is_digest

HOSTS = ("lookaside.fbsbx.com", ".fbcdn.net", "http://127.0.0.1:9099")


@pytest.mark.parametrize(
    "url",
    [
        "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
        "https://lookaside.fbsbx.com:443/x",
        "https://scontent.xx.fbcdn.net/v/1",
        "http://127.0.0.1:9099/media/1",
    ],
)
def test_the_token_may_go_to_meta(url: str) -> None:
    check_host(url, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com.evil.example/x",
        "https://evil.example/lookaside.fbsbx.com",
        "https://lookaside.fbsbx.com@evil.example/x",
        "https://me:it@lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com:8443/x",
        "https://evilfbcdn.net/x",
        "https://fbcdn.net.evil.example/x",
        "http://127.0.0.1:9098/media/1",
        "http://127.0.0.1/media/1",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "//lookaside.fbsbx.com/x",
        "lookaside.fbsbx.com",
        "",
    ],
)
def test_the_token_goes_nowhere_else(url: str) -> None:
    with pytest.raises(MediaError) as caught:
        check_host(url, HOSTS)
    assert caught.value.reason == ELSEWHERE


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_a_digest_is_known_in_either_spelling(content: bytes, other: bytes) -> None:
    digest = hashlib.sha256(content).digest()
    spelled = (digest.hex(), digest.hex().upper(), base64.b64encode(digest).decode())
    for claimed in (*spelled, spelled[2].rstrip("=")):
        assert is_digest(claimed, digest)
        assert is_digest(claimed, hashlib.sha256(other).digest()) == (content == other)


@pytest.mark.parametrize("claimed", ["abc123def456", "x" * 64, "é", "====", "00" * 31])
def test_another_text_is_no_digest(claimed: str) -> None:
    assert not is_digest(claimed, hashlib.sha256(b"").digest())


def test_without_a_claim_there_is_nothing_to_compare() -> None:
    assert is_digest(None, b"")
    assert is_digest("", b"")
