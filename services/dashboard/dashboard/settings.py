"""Settings of the dashboard. ``python -m dashboard settings`` prints them."""

from typing import Annotated

from cryptography.fernet import Fernet, MultiFernet
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from shared.settings import BusSettings, EdgeSettings


class Settings(BusSettings, EdgeSettings):
    """What the dashboard reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="DASHBOARD_")

    api_url: str = Field(
        default="http://gateway", description="Base URL of the public API, as one origin."
    )
    api_timeout_s: float = Field(default=10.0, gt=0, le=60, description="Seconds for one call.")
    public_url: str = Field(
        pattern=r"^https?://[^/?#\s]+/?$",
        description="Where Meta reaches the API from outside, such as https://chat.example.com.",
    )
    phone_url: str | None = Field(
        default=None, description="Base URL of the simulator, whose phone is then a page here."
    )
    session_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        min_length=1,
        description="Fernet keys, comma separated: the first seals sessions, the others still open "
        "them. `python -c 'from cryptography.fernet import Fernet as F; print(F.generate_key())'`",
    )
    session_s: int = Field(
        default=8 * 3600, ge=300, le=7 * 86_400, description="Seconds that a session lasts."
    )
    secure_cookies: bool = Field(
        default=True, description="Cookies over HTTPS only; off on a machine of one's own."
    )

    @field_validator("session_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.split(",")) if isinstance(value, str) else value

    @field_validator("session_keys")
    @classmethod
    def _each_is_a_key(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for number, key in enumerate(keys, 1):
            try:
                Fernet(key.get_secret_value())
            except ValueError:
                raise ValueError(f"key {number} is no Fernet key: 32 bytes in base64") from None
        return keys

    def seal(self) -> MultiFernet:
        """What seals and opens sessions."""
        return MultiFernet([Fernet(key.get_secret_value()) for key in self.session_keys])
