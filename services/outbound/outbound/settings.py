"""Settings of outbound. ``python -m outbound settings`` prints them."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import (
    BusSettings,
    EdgeSettings,
    InternalApiSettings,
    InternalPortSettings,
    MongoSettings,
    ServiceTokens,
)


class Settings(MongoSettings, BusSettings, InternalApiSettings, InternalPortSettings, EdgeSettings):
    """What outbound reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="OUTBOUND_")

    internal_tokens: ServiceTokens = Field(
        description="Service tokens of brain, which asks for files. By commas, 32 characters each; "
        "two while rotating."
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
        default=20.0, gt=0, le=120, description="Seconds for one send, answer included."
    )
    settle_timeout_s: float = Field(
        default=60.0,
        gt=0,
        le=600,
        description="Seconds to wait for a status callback before an unanswered send is repeated.",
    )
    media_hosts: tuple[str, ...] = Field(
        default=("lookaside.fbsbx.com",),
        description="JSON list of hosts that may be sent a token for a file; `.fbsbx.com` is every "
        "host below, `http://127.0.0.1:9099` an origin, for the simulator.",
    )
    media_cap_mb: int = Field(
        default=25, ge=1, le=100, description="Largest file that is fetched, in MiB."
    )
    media_timeout_s: float = Field(
        default=60.0, gt=0, le=300, description="Seconds for the download of one file."
    )
    concurrency: int = Field(default=64, ge=1, le=1000, description="Sends at once, per replica.")
    api_enabled: bool = Field(default=True, description="Serve /api/deliveries on the public port.")
