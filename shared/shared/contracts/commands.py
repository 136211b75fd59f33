"""What one service asks of another: payloads of commands, imperative."""

from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.envelope import Payload


class MarkMessageRead(Payload):
    """Show the person that their message was read and, while we think, that we type."""

    TYPE: ClassVar[str] = "message.mark_read.v1"
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"conversation_key", "provider_message_id"})

    interaction_id: str
    channel_id: str
    conversation_key: str
    provider_message_id: str
    typing: bool = True


class Template(BaseModel):
    """A message that the provider has approved; the only kind allowed outside the window."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    language: str = Field(description="Code of an approved translation, such as `en_US`.")
    components: tuple[dict[str, Any], ...] = ()


class SendReply(Payload):
    """Send one text, or one template, to one person. ``delivery_id`` makes a repeat harmless."""

    TYPE: ClassVar[str] = "reply.send.v1"
    PRIVATE: ClassVar[frozenset[str]] = frozenset(
        {"conversation_key", "to_phone", "to_user_id", "text", "template", "context_message_id"}
    )

    interaction_id: str
    delivery_id: str = Field(description="Interaction id, colon, part number from 0.")
    channel_id: str
    conversation_key: str
    to_phone: str | None = Field(default=None, description="Digits, as the provider wrote them.")
    to_user_id: str | None = Field(default=None, description="The provider's business-scoped id.")
    text: str = Field(default="", description="Longer than the provider's limit: sent in parts.")
    template: Template | None = Field(default=None, description="Sent in place of a text.")
    author: Literal["assistant", "operator"] = "assistant"
    context_message_id: str | None = Field(
        default=None, description="The provider's id of the message that is answered."
    )
    not_before: AwareDatetime | None = Field(
        default=None, description="A human pace: do not send earlier. Never later than seconds."
    )
    urgent: bool = Field(
        default=False,
        description="Somebody may be in danger: does not wait behind other replies to the person.",
    )
    user_wrote_at: AwareDatetime = Field(
        description="The provider's time of the answered message; the 24-hour window counts on it."
    )


class ForgetConversation(Payload):
    """Remove what is kept of one person on one channel: they are erased."""

    TYPE: ClassVar[str] = "conversation.forget.v1"
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"conversation_key"})

    channel_id: str
    conversation_key: str


COMMANDS: tuple[type[Payload], ...] = (MarkMessageRead, SendReply, ForgetConversation)
