"""Settings of ingress. ``python -m ingress settings`` prints them."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import BusSettings, EdgeSettings, InternalApiSettings


class Settings(BusSettings, InternalApiSettings, EdgeSettings):
    """What ingress reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="INGRESS_")

    publish_timeout_s: float = Field(
        default=3.0,
        gt=0,
        le=20,
        description="Seconds for the broker to confirm a webhook; then 503 and Meta repeats.",
    )
