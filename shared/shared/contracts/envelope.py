"""The one wire form of every message: CloudEvents 1.0 attributes as structured JSON.

Payload models live in ``events`` and ``commands``; this module knows none of them by name.
"""

import builtins
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self, TypeVar
from uuid import uuid4

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

SCHEMA_ROOT = "urn:platform:schema:"


class ContractError(ValueError):
    """A message does not have the form its type promises. Never carries the message's text."""


class Payload(BaseModel):
    """Base of every ``data`` object. Writers forbid unknown fields; readers ignore them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    TYPE: ClassVar[str]
    """Wire name with its version, such as ``interaction.processed.v1``."""

    PRIVATE: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold text or an address of a person; ``Envelope.redacted`` drops them."""


P = TypeVar("P", bound=Payload)


class Envelope(BaseModel):
    """CloudEvents 1.0 attributes plus ``tenant``, ``traceparent`` and ``causation``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1, description="Unique for this fact; equal on every redelivery.")
    source: str = Field(description="The service that wrote it, such as `brain`.")
    type: str = Field(description="Payload type with version, such as `user.created.v1`.")
    specversion: Literal["1.0"] = "1.0"
    time: AwareDatetime = Field(description="When the fact became true, UTC.")
    subject: str = Field(
        description="Id of what it is about; a conversation, which names a person, on lanes only."
    )
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str = Field(description="Name of the JSON Schema of `data`.")
    tenant: str = Field(description="Whose data it is.")
    traceparent: str | None = Field(default=None, description="W3C trace context.")
    causation: str | None = Field(default=None, description="Id of the message that led to it.")
    data: dict[str, Any]

    @classmethod
    def of(
        cls,
        payload: Payload,
        *,
        source: str,
        subject: str,
        tenant: str,
        id: str | None = None,  # noqa: A002 - the CloudEvents attribute is called id
        time: datetime | None = None,
        traceparent: str | None = None,
        causation: str | None = None,
    ) -> Self:
        """Wrap ``payload``. Without ``id`` the message is new; give one to make a repeat equal."""
        return cls(
            id=id or str(uuid4()),
            source=source,
            type=payload.TYPE,
            time=time or datetime.now(UTC),
            subject=subject,
            dataschema=SCHEMA_ROOT + payload.TYPE,
            tenant=tenant,
            traceparent=traceparent,
            causation=causation,
            data=payload.model_dump(mode="json"),
        )

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the wire form. Raises ContractError naming the fields at fault, without values."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise ContractError(f"not an envelope: {fields_at_fault(error)}") from None

    def encode(self) -> bytes:
        """The wire form, UTF-8 JSON."""
        return orjson.dumps(self.model_dump(mode="json"))

    def payload(self, model: "builtins.type[P]") -> P:
        """``data`` as ``model``, unknown fields ignored. Raises ContractError."""
        if self.type != model.TYPE:
            raise ContractError(f"expected {model.TYPE}, got {self.type}")
        try:
            return model.model_validate(self.data, extra="ignore")
        except ValidationError as error:
            raise ContractError(f"{self.type}: {fields_at_fault(error)}") from None

    def redacted(self, private: Mapping[str, frozenset[str]]) -> Self:
        """A copy without the fields that ``private`` lists for this type; for dead letters.

        A type that is not listed loses all of its data: better an empty dead letter than a leak.
        A subject that repeats a dropped value, such as a conversation key, goes with it.
        """
        names = private.get(self.type, frozenset(self.data))
        kept = {name: value for name, value in self.data.items() if name not in names}
        dropped = [value for name, value in self.data.items() if name in names]
        known = self.type in private and self.subject not in dropped
        return self.model_copy(
            update={"data": kept, "subject": self.subject if known else "redacted"}
        )


def fields_at_fault(error: ValidationError) -> str:
    """``a.b: missing; c: int_type``: places and kinds of a validation error, never the input."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or '(whole)'}: {item['type']}"
        for item in error.errors(include_input=False, include_context=False, include_url=False)
    )
