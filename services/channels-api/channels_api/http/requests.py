"""Bodies of requests. What is wrong with a credential is said by ``domain/rules``."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from channels_api.domain import rules

PhoneNumberId = Annotated[str, AfterValidator(rules.phone_number_id)]
WabaId = Annotated[str, AfterValidator(rules.waba_id)]
AccessToken = Annotated[str, AfterValidator(rules.access_token)]
AppSecret = Annotated[str, AfterValidator(rules.app_secret)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class CreateChannel(BaseModel):
    """The body of ``POST /api/channels``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    type: Literal["whatsapp"] = "whatsapp"
    phone_number_id: PhoneNumberId
    access_token: AccessToken = Field(repr=False)
    app_secret: AppSecret = Field(repr=False)
    label: Label | None = None
    auto_reply: bool = False
    waba_id: WabaId | None = None


class UpdateChannel(BaseModel):
    """The body of ``PATCH /api/channels/{id}``; what is absent stays."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    label: Label | None = None
    auto_reply: bool | None = None
    state: Literal["active", "disabled"] | None = None
    access_token: AccessToken | None = Field(default=None, repr=False)
    app_secret: AppSecret | None = Field(default=None, repr=False)
    waba_id: WabaId | None = None
    rotate_verify_token: bool = False


class CreateKey(BaseModel):
    """The body of ``POST /api/keys``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Label
