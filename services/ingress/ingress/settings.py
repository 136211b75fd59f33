"""Settings of ingress. ``python -m ingress settings`` prints them."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import BusSettings, InternalApiSettings


class Settings(BusSettings, InternalApiSettings):
    """What ingress reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="INGRESS_")

    publish_timeout_s: float = Field(
        default=3.0,
        gt=0,
        le=20,
        description="Seconds for the broker to confirm a webhook; then 503 and Meta repeats.",
    )
    failures_per_minute: int = Field(
        default=60,
        ge=1,
        description="Wrong tokens and signatures of one address in a minute; then 429.",
    )
    forwarded_hops: int = Field(
        default=0,
        ge=0,
        le=10,
        description="Proxies of our own before us: the address is that many from the right in "
        "X-Forwarded-For. 0 takes the connection's.",
    )
