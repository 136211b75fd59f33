"""Settings that do not stand are refused in a sentence, without their value."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from channels_api.settings import Settings
from shared.settings import SettingsError, load

TOKENS = ["a" * 32, "b" * 32]
KEY = urlsafe_b64encode(bytes(32)).decode()


def settings(**overrides: Any) -> Settings:
    values = {
        "amqp_url": "amqp://in-process",
        "mongodb_uri": "mongodb://x",
        **dict.fromkeys(("ingress_tokens", "brain_tokens", "outbound_tokens"), ",".join(TOKENS)),
        "key_encryption_keys": json.dumps({"1": KEY}),
    }
    return load(Settings, **{**values, **overrides})


@pytest.mark.parametrize(
    "tokens", [" , ".join(TOKENS), json.dumps(TOKENS), f" {json.dumps(TOKENS)}"]
)
def test_service_tokens_come_by_commas_or_as_a_list(tokens: str) -> None:
    loaded = settings(ingress_tokens=tokens).ingress_tokens
    assert [token.get_secret_value() for token in loaded] == TOKENS


def test_tokens_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for caller in ("INGRESS", "BRAIN", "OUTBOUND"):
        monkeypatch.setenv(f"CHANNELS_API_{caller}_TOKENS", json.dumps(TOKENS))
    monkeypatch.setenv("CHANNELS_API_KEY_ENCRYPTION_KEYS", json.dumps({"1": KEY}))
    loaded = load(Settings, amqp_url="amqp://x", mongodb_uri="mongodb://x")
    assert [token.get_secret_value() for token in loaded.outbound_tokens] == TOKENS


def test_the_last_key_version_seals() -> None:
    keyring = settings(key_encryption_keys=json.dumps({"old": KEY, "new": KEY})).keyring()
    assert (keyring.current, set(keyring.keys)) == ("new", {"old", "new"})


@pytest.mark.parametrize(
    "missing", ["ingress_tokens", "brain_tokens", "outbound_tokens", "key_encryption_keys"]
)
def test_what_is_needed_has_no_default(missing: str) -> None:
    values = {
        **dict.fromkeys(("ingress_tokens", "brain_tokens", "outbound_tokens"), ",".join(TOKENS)),
        "key_encryption_keys": json.dumps({"1": KEY}),
    }
    del values[missing]
    with pytest.raises(SettingsError, match=f"CHANNELS_API_{missing.upper()}: is not set"):
        load(Settings, amqp_url="amqp://x", mongodb_uri="mongodb://x", **values)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("key_encryption_keys", "nonsense", "must be JSON"),
        ("key_encryption_keys", "[1]", "JSON object"),
        ("key_encryption_keys", "{}", "no key-encryption key"),
        ("key_encryption_keys", '{"1": "c2hvcnQ="}', "32 bytes"),
        ("brain_tokens", "too-short", "32 characters"),
        ("brain_tokens", '["unfinished', "JSON list"),
        ("brain_tokens", ",".join(["x" * 32] * 3), "at most 2"),
        ("bootstrap_api_key", "hx_tooshort", "hx_ and 43"),
        ("bootstrap_api_key", "hx_" + "a" * 43 + "\n", "hx_ and 43"),
        ("bootstrap_tenant", "", "BOOTSTRAP_TENANT"),
    ],
)
def test_settings_that_do_not_stand(setting: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        settings(**{setting: value})
    assert not value or value.strip() not in str(caught.value)
