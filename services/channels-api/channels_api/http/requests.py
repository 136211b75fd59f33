"""Bodies of requests. What is wrong with a credential is said by ``domain/rules``."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from channels_api.domain import rules
from channels_api.domain.keys import DEFAULT_SCOPES
from shared.http.problem import WHOLE
from shared.principal import Scope


def _told(pattern: str) -> Any:
    """The schema's pattern for what is checked elsewhere, with better words."""
    return Field(json_schema_extra={"pattern": pattern})


PhoneNumberId = Annotated[
    str,
    AfterValidator(rules.phone_number_id),
    _told(rf"^\s*[0-9]{{1,{rules.LONGEST_NUMBER_ID}}}\s*$"),
]
WabaId = Annotated[
    str,
    AfterValidator(rules.waba_id),
    _told(rf"^\s*[0-9]{{1,{rules.LONGEST_NUMBER_ID}}}\s*$"),
]
AccessToken = Annotated[
    str,
    AfterValidator(rules.access_token),
    _told(rf"^\s*[!-~]{{1,{rules.LONGEST_ACCESS_TOKEN}}}\s*$"),
]
AppSecret = Annotated[
    str,
    AfterValidator(rules.app_secret),
    _told(rf"^\s*[!-~]{{1,{rules.LONGEST_APP_SECRET}}}\s*$"),
]
BaseUrl = Annotated[str, Field(json_schema_extra={"format": "base-url"})]
"""Of ``domain/addresses``, which says what is wrong with one."""
TemplateName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,512}$")]
TemplateLanguage = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Za-z]{2,4})?$")]
Tenant = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), _told(r"\S")
]


class Settings(BaseModel):
    """What may be set at creation and later; ``domain/channels.ChannelSettings`` says what it does."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    reply_debounce_ms: Annotated[int, Field(ge=0, le=10_000), WHOLE] | None = None
    echo_pause_s: Annotated[int, Field(ge=0, le=7 * 86_400), WHOLE] | None = None
    read_receipts: bool | None = None
    messages_per_second: Annotated[int, Field(ge=1, le=1_000), WHOLE] | None = None
    window_template: TemplateName | None = None
    window_template_language: TemplateLanguage | None = None
    appsecret_proof: bool | None = None

    def chosen(self) -> dict[str, Any]:
        """The settings that the body gives; an explicit null takes the template away."""
        given = {name: getattr(self, name) for name in Settings.model_fields}
        return {
            name: value
            for name, value in given.items()
            if value is not None or (name == "window_template" and name in self.model_fields_set)
        }


class CreateChannel(Settings):
    """The body of ``POST /api/channels``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "label": "Support",
                    "phone_number_id": "123456789012345",
                    "access_token": "EAAexample",
                    "app_secret": "0123456789abcdef0123456789abcdef",
                    "auto_reply": True,
                }
            ]
        }
    )

    type: Literal["whatsapp"] = "whatsapp"
    phone_number_id: PhoneNumberId
    access_token: AccessToken = Field(repr=False)
    app_secret: AppSecret = Field(repr=False)
    label: Label | None = None
    auto_reply: bool = False
    waba_id: WabaId | None = None
    public_base_url: BaseUrl | None = None
    subscribe: bool = False
    check: bool = False


class CheckChannel(BaseModel):
    """The body of ``POST /api/channels/{id}/check``; what an address looks like is said elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    public_base_url: BaseUrl | None = None


class SetUpChannel(CheckChannel):
    """The body of ``POST /api/channels/{id}/setup``."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {
                    "required": ["public_base_url"],
                    "properties": {"public_base_url": {"type": "string"}},
                },
                {"required": ["subscribe"], "properties": {"subscribe": {"const": True}}},
            ],
            "examples": [{"public_base_url": "https://care.example", "subscribe": True}],
        }
    )

    subscribe: bool = False


class UpdateChannel(Settings):
    """The body of ``PATCH /api/channels/{id}``; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rotate_verify_token": True}]})

    label: Label | None = None
    auto_reply: bool | None = None
    state: Literal["active", "disabled"] | None = None
    health: Literal["ok"] | None = None
    access_token: AccessToken | None = Field(default=None, repr=False)
    app_secret: AppSecret | None = Field(default=None, repr=False)
    waba_id: WabaId | None = None
    rotate_verify_token: bool = False


class CreateKey(BaseModel):
    """The body of ``POST /api/keys``. Without an end the key works until it is revoked."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "not": {
                "required": ["expires_at", "expires_in_days"],
                "properties": {
                    "expires_at": {"type": "string"},
                    "expires_in_days": {"type": "integer"},
                },
            },
            "examples": [{"label": "Dashboard", "scopes": ["read"], "expires_in_days": 90}],
        },
    )

    label: Label
    scopes: list[Scope] = Field(default=list(DEFAULT_SCOPES), min_length=1)
    expires_at: AwareDatetime | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=3650), WHOLE] | None = None
    tenant: Tenant | None = None

    @model_validator(mode="after")
    def _one_end(self) -> "CreateKey":
        if self.expires_at is not None and self.expires_in_days is not None:
            raise ValueError("give expires_at or expires_in_days, not both")
        return self

    def ends(self, now: datetime) -> datetime | None:
        """When the key stops working; None: never."""
        if self.expires_in_days is not None:
            return now + timedelta(days=self.expires_in_days)
        return None if self.expires_at is None else self.expires_at.astimezone(UTC)
