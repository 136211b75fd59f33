"""Only the bytes that were signed, by the secret that signed them, in exactly one form."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from humane_ai import verify_webhook_signature

BODY, SECRET = b"Hello, World!", "It's a Secret to Everybody"
"""GitHub's published vector of the same scheme."""
DIGEST = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
HEADER = f"sha256={DIGEST}"

VECTORS = Path(__file__).parents[4] / "shared" / "data" / "webhooks" / "signature-vectors.json"


def test_a_signature_is_recognised() -> None:
    assert verify_webhook_signature(BODY, HEADER, SECRET)
    assert verify_webhook_signature(BODY, f"sha256={DIGEST.upper()}", SECRET)


def test_an_empty_body_is_signed_too() -> None:
    header = "sha256=f685db4c946698bf105ff5b62e30bc1f78216f3914b12bb750f8992aa6748824"
    assert verify_webhook_signature(b"", header, "app-secret")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        DIGEST,
        "sha256=",
        f"sha256={DIGEST[:-1]}",
        f"sha256={DIGEST}0",
        f"SHA256={DIGEST}",
        f"sha1={DIGEST}",
        f" {HEADER}",
        f"{HEADER} ",
        f"{HEADER}\n",
        f"{HEADER},{HEADER}",
        f"sha256={DIGEST[:-1]}\u0661",
        f"sha256={DIGEST[:-1]}g",
        f"sha256={DIGEST[:-1]}8",
        f"sha256={'0' * 64}",
    ],
)
def test_any_other_header_is_refused(header: str | None) -> None:
    assert not verify_webhook_signature(BODY, header, SECRET)


def test_any_other_body_or_secret_is_refused() -> None:
    assert not verify_webhook_signature(BODY + b"\n", HEADER, SECRET)
    assert not verify_webhook_signature(BODY, HEADER, SECRET.lower())


def test_nobody_signs_with_an_empty_secret() -> None:
    empty = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    assert not verify_webhook_signature(b"", empty, "")


@pytest.mark.skipif(not VECTORS.is_file(), reason="no recorded vectors here")
def test_recorded_vectors() -> None:
    vectors = json.loads(VECTORS.read_text("utf-8"))
    assert vectors
    for one in vectors:
        assert verify_webhook_signature(b64decode(one["body_b64"]), one["header"], one["secret"])
    bodies = {one["header"]: b64decode(one["body_b64"]) for one in vectors}
    for header in bodies:
        for other, body in bodies.items():
            is_same = header == other
            assert verify_webhook_signature(body, header, "app-secret") <= is_same
