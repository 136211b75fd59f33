"""Settings from the environment and from mounted secret files, checked before anything starts.

A service's settings class mixes what it needs, ``class Settings(MongoSettings, BusSettings)``,
and sets its own prefix. Names of connections are shared and carry no prefix.
"""

import json
import os
import socket
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError

SECRETS_DIR_VARIABLE = "SECRETS_DIR"


class SettingsError(Exception):
    """The configuration does not stand. ``problems`` has one plain sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ServiceSettings(BaseSettings):
    """What every service has. Subclasses set ``env_prefix``, such as ``BRAIN_``."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_nested_delimiter="__")

    log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Least level that is logged.",
    )
    instance: str = Field(
        default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}",
        description="Unique among running replicas; names queues and log lines.",
    )
    host: str = Field(default="0.0.0.0", description="Address of the public port.")  # noqa: S104 - in a container; network policy decides who reaches it
    port: int = Field(default=8080, ge=0, le=65535, description="Public port; 0 picks a free one.")
    admin_host: str = Field(default="0.0.0.0", description="Address of the admin port.")  # noqa: S104 - likewise
    admin_port: int = Field(
        default=9090, ge=0, le=65535, description="Port of /livez, /readyz, /startupz, /metrics."
    )
    shutdown_s: float = Field(
        default=40.0, gt=0, le=600, description="Seconds for work in progress after SIGTERM."
    )


class BusSettings(ServiceSettings):
    """A connection to the broker."""

    amqp_url: SecretStr = Field(
        validation_alias=AliasChoices("AMQP_URL", "amqp_url"),
        description="amqp://user:password@host:port/vhost",
    )
    bus_declare: bool = Field(
        default=True,
        validation_alias=AliasChoices("BUS_DECLARE", "bus_declare"),
        description="Make exchanges and queues at start; false only checks that they are there.",
    )


class MongoSettings(ServiceSettings):
    """A connection to the database."""

    mongodb_uri: SecretStr = Field(
        validation_alias=AliasChoices("MONGODB_URI", "mongodb_uri"),
        description="mongodb://…; the path names the database.",
    )
    mongodb_database: str = Field(
        default="platform",
        validation_alias=AliasChoices("MONGODB_DATABASE", "mongodb_database"),
        description="Database when the URI names none.",
    )
    mongodb_ensure_indexes: bool = Field(
        default=True,
        validation_alias=AliasChoices("MONGODB_ENSURE_INDEXES", "mongodb_ensure_indexes"),
        description="Make indexes at start; false only checks that they are there.",
    )


class EdgeSettings(ServiceSettings):
    """A port that strangers reach."""

    failures_per_minute: int = Field(
        default=60,
        ge=1,
        description="Wrong tokens, signatures or API keys of one address in a minute; then 429.",
    )
    forwarded_hops: int = Field(
        default=0,
        ge=0,
        le=10,
        description="Proxies of our own before us: the address is that many from the right in "
        "X-Forwarded-For. 0 takes the connection's.",
    )


class InternalApiSettings(ServiceSettings):
    """How to reach channels-api's internal port."""

    internal_api_url: str = Field(
        default="http://channels-api:8081",
        validation_alias=AliasChoices("INTERNAL_API_URL", "internal_api_url"),
        description="Base URL of channels-api's internal port.",
    )
    internal_api_token: SecretStr = Field(
        min_length=32,
        validation_alias=AliasChoices("INTERNAL_API_TOKEN", "internal_api_token"),
        description="Service token, at least 32 characters.",
    )


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return tuple(token.strip() for token in value.split(","))
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("must be tokens separated by commas, or a JSON list of them") from None


def _long_enough(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(len(token.get_secret_value()) < 32 for token in value):
        raise ValueError("each service token has 32 characters at least")
    return value


ServiceTokens = Annotated[
    tuple[SecretStr, ...],
    NoDecode,
    BeforeValidator(_split),
    AfterValidator(_long_enough),
    Field(min_length=1, max_length=2),
]
"""Tokens of one caller, by commas or as a JSON list, 32 characters at least; two while rotating."""


class InternalPortSettings(ServiceSettings):
    """A port that other services call with a service token."""

    internal_host: str = Field(
        default="0.0.0.0",  # noqa: S104 - in a container; network policy decides who reaches it
        description="Address of the internal port.",
    )
    internal_port: int = Field(
        default=8081, ge=0, le=65535, description="Port of /internal; never exposed."
    )


S = TypeVar("S", bound=ServiceSettings)


def load(cls: type[S], **overrides: Any) -> S:
    """Read and check. Raises SettingsError with every problem at once, values never shown."""
    directory = os.environ.get(SECRETS_DIR_VARIABLE)
    problems = _unknown_names(cls, directory)
    if directory is not None and not Path(directory).is_dir():
        problems.append(f"{SECRETS_DIR_VARIABLE}: there is no such folder")
        directory = None
    try:
        settings = cls(_secrets_dir=directory, **overrides)
    except UnreadableError as error:
        # Its message names the field and the source; its cause, which we drop, quotes the value.
        raise SettingsError(sorted([*problems, f"not valid JSON: {error}"])) from None
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False, include_context=False):
            hint = (
                "is not set"
                if item["type"] == "missing"
                else item["msg"].removeprefix("Value error, ")
            )
            # What is about several settings together names them itself.
            name = f"{_variable(cls, str(item['loc'][0]))}: " if item["loc"] else ""
            problems.append(name + hint)
    if problems:
        raise SettingsError(sorted(problems))
    return settings


def _unknown_names(cls: type[ServiceSettings], directory: str | None) -> list[str]:
    """A misspelt name must not pass for a default: pydantic-settings ignores unknown variables."""
    prefix = cls.model_config.get("env_prefix", "").upper()
    if not prefix:
        return []
    known = {_variable(cls, name) for name in cls.model_fields}
    present = {name.upper(): name for name in os.environ}
    if directory is not None and Path(directory).is_dir():
        present |= {path.name.upper(): path.name for path in Path(directory).iterdir()}
    return [
        f"{original}: there is no such setting"
        for upper, original in present.items()
        if upper.startswith(prefix) and upper.split("__")[0] not in known
    ]


def _variable(cls: type[ServiceSettings], field_name: str) -> str:
    field = cls.model_fields.get(field_name)
    if field is not None and isinstance(field.validation_alias, AliasChoices):
        return str(field.validation_alias.choices[0])
    if field is None:
        return field_name.upper()
    return (cls.model_config.get("env_prefix", "") + field_name).upper()


def describe(cls: type[ServiceSettings]) -> str:
    """A table of every setting: variable, default, meaning. For ``python -m <service> settings``."""
    rows = []
    for name, field in sorted(cls.model_fields.items()):
        required = field.is_required()
        default = "(required)" if required else "" if field.default_factory else field.default
        rows.append(f"{_variable(cls, name):34} {default!s:28} {field.description or ''}")
    return "\n".join(rows)
