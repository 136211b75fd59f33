"""Settings of outbound. ``python -m outbound settings`` prints them."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import BusSettings, InternalApiSettings, MongoSettings


class Settings(MongoSettings, BusSettings, InternalApiSettings):
    """What outbound reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="OUTBOUND_")

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
        default=20.0, gt=0, le=120, description="Seconds for one send, answer included."
    )
    settle_timeout_s: float = Field(
        default=60.0,
        gt=0,
        le=600,
        description="Seconds to wait for a status callback before an unanswered send is repeated.",
    )
    concurrency: int = Field(default=64, ge=1, le=1000, description="Sends at once, per replica.")
    api_enabled: bool = Field(default=True, description="Serve /api/deliveries on the public port.")
