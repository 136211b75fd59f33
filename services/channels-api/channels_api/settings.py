"""Settings of channels-api. ``python -m channels_api settings`` prints them."""

import json
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from shared.crypto.sealing import Keyring, SealError
from shared.http.keys import API_KEY
from shared.settings import BusSettings, MongoSettings


class Settings(MongoSettings, BusSettings):
    """What channels-api reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="CHANNELS_API_")

    internal_host: str = Field(
        default="0.0.0.0",  # noqa: S104 - in a container; network policy decides who reaches it
        description="Address of the internal port.",
    )
    internal_port: int = Field(
        default=8081, ge=0, le=65535, description="Port of /internal; never exposed."
    )
    internal_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        min_length=1,
        max_length=2,
        description="Service tokens, by commas or as a JSON list, 32 characters at least; two "
        "while rotating.",
    )
    key_encryption_keys: SecretStr = Field(
        description='JSON: {"1": "<base64 of 32 bytes>"}; the last version seals, all open.'
    )
    secret_grace_s: int = Field(
        default=86_400,
        ge=0,
        le=30 * 86_400,
        description="Seconds that a replaced app secret and verify token stay valid.",
    )
    bootstrap_api_key: SecretStr | None = Field(
        default=None, description="First API key; unset: one is made and printed once."
    )
    bootstrap_tenant: str = Field(
        default="default", min_length=1, description="Tenant of the first key."
    )

    @field_validator("internal_tokens", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not value.lstrip().startswith("["):
            return tuple(token.strip() for token in value.split(","))
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("must be tokens separated by commas, or a JSON list of them") from None

    @field_validator("internal_tokens")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(token.get_secret_value()) < 32 for token in value):
            raise ValueError("each service token has 32 characters at least")
        return value

    @field_validator("bootstrap_api_key")
    @classmethod
    def _looks_like_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not API_KEY.fullmatch(value.get_secret_value()):
            raise ValueError("must be hx_ and 43 letters or digits")
        return value

    @field_validator("key_encryption_keys")
    @classmethod
    def _forms_a_keyring(cls, value: SecretStr) -> SecretStr:
        try:
            _keyring(value)
        except SealError as error:
            raise ValueError(str(error)) from None
        return value

    def keyring(self) -> Keyring:
        """The key-encryption keys."""
        return _keyring(self.key_encryption_keys)


def _keyring(value: SecretStr) -> Keyring:
    try:
        keys = json.loads(value.get_secret_value())
    except ValueError:
        raise SealError('must be JSON: {"1": "<base64 of 32 bytes>"}') from None
    if not isinstance(keys, dict) or not all(isinstance(key, str) for key in keys.values()):
        raise SealError("must be a JSON object of version to base64 text")
    return Keyring.from_text(keys)
