"""Settings of brain. ``python -m brain settings`` prints them."""

from typing import Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import BusSettings, InternalApiSettings, MongoSettings


class Settings(MongoSettings, BusSettings, InternalApiSettings):
    """What brain reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="BRAIN_")

    llm_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LLM_BASE_URL", "llm_base_url"),
        description="OpenAI-compatible endpoint that writes replies; unset: none does.",
    )
    llm_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("LLM_API_KEY", "llm_api_key"),
        description="Its key; may stay unset for an endpoint of your own.",
    )
    llm_model: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LLM_MODEL", "llm_model"),
        description="Its model; needed with LLM_BASE_URL.",
    )
    llm_timeout_s: float = Field(
        default=20.0,
        gt=0,
        le=120,
        validation_alias=AliasChoices("LLM_TIMEOUT_S", "llm_timeout_s"),
        description="Seconds for one reply; then the person gets an honest fallback.",
    )
    offline_replies: bool = Field(
        default=False,
        description="Without a model, answer with the labelled offline demo responder.",
    )
    reply_delay_cap_ms: int = Field(
        default=800,
        ge=0,
        le=5000,
        description="Longest human pause before a reply goes out on WhatsApp; crisis never waits.",
    )
    process_rate_per_minute: int = Field(
        default=60, ge=1, description="Calls of /api/sdk/process per key and minute."
    )
    recall_window: int = Field(
        default=500, ge=1, le=5000, description="Newest memories of a person that are searched."
    )
    memory_cap: int = Field(
        default=5000, ge=1, description="Memories kept per person; the oldest go first."
    )

    @model_validator(mode="after")
    def _whole_model(self) -> Self:
        """Half of a model would silently mean none."""
        if bool(self.llm_base_url) != bool(self.llm_model):
            raise ValueError("LLM_BASE_URL and LLM_MODEL are set together or not at all")
        return self
