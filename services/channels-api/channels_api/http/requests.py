"""Bodies of requests, checked with sentences that say what to do."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def _number_id(value: str) -> str:
    if value.startswith("+") or " " in value:
        raise ValueError(
            "that looks like a phone number; give the phone number id that Meta shows under "
            "WhatsApp > API Setup"
        )
    if not value.isascii() or not value.isdigit():
        raise ValueError("a phone number id has digits only")
    return value


def _no_white_space(value: str) -> str:
    if any(character.isspace() or not character.isprintable() for character in value):
        raise ValueError("there is white space inside; copy it again from Meta")
    return value


PhoneNumberId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=32),
    AfterValidator(_number_id),
]
AccessToken = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1024),
    AfterValidator(_no_white_space),
]
AppSecret = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128),
    AfterValidator(_no_white_space),
]
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
    waba_id: PhoneNumberId | None = None


class UpdateChannel(BaseModel):
    """The body of ``PATCH /api/channels/{id}``; what is absent stays."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    label: Label | None = None
    auto_reply: bool | None = None
    state: Literal["active", "disabled"] | None = None
    access_token: AccessToken | None = Field(default=None, repr=False)
    app_secret: AppSecret | None = Field(default=None, repr=False)
    waba_id: PhoneNumberId | None = None
    rotate_verify_token: bool = False


class CreateKey(BaseModel):
    """The body of ``POST /api/keys``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Label
