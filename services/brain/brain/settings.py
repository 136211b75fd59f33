"""Settings of brain. ``python -m brain settings`` prints them."""

from typing import Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import BusSettings, EdgeSettings, InternalApiSettings, MongoSettings


class Settings(MongoSettings, BusSettings, InternalApiSettings, EdgeSettings):
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
    llm_safety_model: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LLM_SAFETY_MODEL", "llm_safety_model"),
        description="Model there that reads messages a second time for danger; unset: none does.",
    )
    llm_safety_timeout_s: float = Field(
        default=1.5,
        gt=0,
        le=30,
        validation_alias=AliasChoices("LLM_SAFETY_TIMEOUT_S", "llm_safety_timeout_s"),
        description="Seconds for that reading; then the verdict stands as it was.",
    )
    llm_transcribe_model: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LLM_TRANSCRIBE_MODEL", "llm_transcribe_model"),
        description="Model there that writes down voice notes; unset: an honest line is the answer.",
    )
    llm_vision_model: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LLM_VISION_MODEL", "llm_vision_model"),
        description="Model there that describes pictures; unset: an honest line is the answer.",
    )
    media_api_url: str = Field(
        default="http://outbound:8081",
        pattern="^https?://[^/]+",
        description="Base URL of outbound's internal port, which fetches files.",
    )
    media_eager: bool = Field(
        default=False,
        description="Fetch and keep every file as it comes; otherwise Meta keeps it for 7 days.",
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
        default=5000, ge=1, le=50_000, description="Newest memories of a person that are searched."
    )
    memory_cache: int = Field(
        default=40_000,
        ge=1_000,
        description="Memories kept ready in this process for all people together; about 3 KB each.",
    )
    reading_time_box_ms: float = Field(
        default=25.0,
        gt=0,
        description="CPU time for one message in the accurate model; longer ones go to the fast one.",
    )
    hurry_after_s: float = Field(
        default=10.0,
        gt=0,
        description="A message that waited longer than this is read by the fast model.",
    )
    memory_cap: int = Field(
        default=5000, ge=1, description="Memories kept per person; the oldest go first."
    )

    @model_validator(mode="after")
    def _whole_model(self) -> Self:
        """Half of a model would silently mean none."""
        if bool(self.llm_base_url) != bool(self.llm_model):
            raise ValueError("LLM_BASE_URL and LLM_MODEL are set together or not at all")
        for name in ("llm_safety_model", "llm_transcribe_model", "llm_vision_model"):
            if getattr(self, name) and not self.llm_base_url:
                raise ValueError(f"{name.upper()} needs LLM_BASE_URL")
        return self
