"""Settings of channels-api. ``python -m channels_api settings`` prints them."""

import json
from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.crypto.sealing import Keyring, LocalKeys, SealError
from shared.http.keys import API_KEY
from shared.settings import (
    BusSettings,
    EdgeSettings,
    InternalPortSettings,
    MongoSettings,
    ServiceTokens,
)


class Settings(MongoSettings, BusSettings, InternalPortSettings, EdgeSettings):
    """What channels-api reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="CHANNELS_API_")

    ingress_tokens: ServiceTokens = Field(
        description="Service tokens of ingress: it is told app secrets and verify-token hashes. By "
        "commas, 32 characters each; two while rotating."
    )
    brain_tokens: ServiceTokens = Field(
        description="Service tokens of brain: it is told whose an API key is."
    )
    outbound_tokens: ServiceTokens = Field(
        description="Service tokens of outbound: it is told access tokens and whose a key is."
    )
    key_encryption_keys: SecretStr | None = Field(
        default=None,
        description='JSON: {"1": "<base64 of 32 bytes>"}; the last version seals, all open.',
    )
    key_encryption_keys_dir: Path | None = Field(
        default=None,
        description="In its place a folder, as a secret is mounted: a file for each version, named "
        "by it. The highest version seals, all open.",
    )
    key_encryption_current: str | None = Field(
        default=None, description="Version that seals, where it is not the last."
    )
    secret_grace_s: int = Field(
        default=86_400,
        ge=0,
        le=30 * 86_400,
        description="Seconds that a replaced app secret and verify token stay valid.",
    )
    graph_base_url: str = Field(
        default="https://graph.facebook.com",
        pattern="^https?://[^/]+",
        description="Where the Graph API is; the simulator's address in tests.",
    )
    graph_version: str = Field(
        default="v25.0",
        pattern=r"^v\d+\.\d+$",
        description="Graph API version; one lives about two years.",
    )
    graph_timeout_s: float = Field(
        default=6.0,
        gt=0,
        le=30,
        description="Seconds for one question to Graph, a second try included.",
    )
    probe_timeout_s: float = Field(
        default=5.0, gt=0, le=30, description="Seconds for our own call to a public address."
    )
    setup_wait_s: float = Field(
        default=10.0,
        gt=0,
        le=60,
        description="Seconds to wait for Meta's handshake after a webhook was set.",
    )
    checks_per_minute: int = Field(
        default=30,
        ge=1,
        le=10_000,
        description="Checks and setups of a tenant in a minute; Meta counts what they ask.",
    )
    allow_private_addresses: bool = Field(
        default=False,
        description="Let public_base_url be plain http and in private networks: for development, "
        "never where strangers have keys.",
    )
    bootstrap_api_key: SecretStr | None = Field(
        default=None, description="First API key; unset: one is made and printed once."
    )
    bootstrap_tenant: str = Field(
        default="default", min_length=1, description="Tenant of the first key."
    )

    @field_validator("bootstrap_api_key")
    @classmethod
    def _looks_like_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not API_KEY.fullmatch(value.get_secret_value()):
            raise ValueError("must be hx_ and 43 letters or digits")
        return value

    @model_validator(mode="after")
    def _forms_a_keyring(self) -> "Settings":
        try:
            self.keyring()
        except SealError as error:
            name = "KEYS" if self.key_encryption_keys_dir is None else "KEYS_DIR"
            raise ValueError(f"CHANNELS_API_KEY_ENCRYPTION_{name}: {error}") from None
        return self

    def keyring(self) -> Keyring:
        """The key-encryption keys. Raises SealError when they do not stand."""
        given, folder = self.key_encryption_keys, self.key_encryption_keys_dir
        if given is not None and folder is not None:
            raise SealError("CHANNELS_API_KEY_ENCRYPTION_KEYS is given too; give one of them")
        if given is not None:
            return Keyring(_from_json(given, self.key_encryption_current))
        if folder is not None:
            return Keyring(_from_folder(folder, self.key_encryption_current))
        raise SealError("is not set, nor is CHANNELS_API_KEY_ENCRYPTION_KEYS_DIR")


def _from_json(value: SecretStr, current: str | None) -> LocalKeys:
    try:
        keys = json.loads(value.get_secret_value())
    except ValueError:
        raise SealError('must be JSON: {"1": "<base64 of 32 bytes>"}') from None
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
        raise SealError("must be a JSON object of version to base64 text")
    return LocalKeys.from_text(keys, current)


def _from_folder(folder: Path, current: str | None) -> LocalKeys:
    try:
        # A mounted secret has links and folders of its own, all of them hidden.
        files = [path for path in folder.iterdir() if not path.name.startswith(".")]
        keys = {path.name: path.read_text(encoding="ascii").strip() for path in files}
    except (OSError, UnicodeDecodeError) as error:
        raise SealError(f"cannot be read: {type(error).__name__}") from None
    ordered = sorted(keys, key=lambda name: (len(name), name))
    return LocalKeys.from_text({version: keys[version] for version in ordered}, current)
