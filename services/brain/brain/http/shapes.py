"""What the API shows of stored things. Field by field: nothing leaves because it was stored."""

from datetime import date, datetime
from typing import Any, Literal, NotRequired, cast

from typing_extensions import TypedDict

from brain.adapters.user_store import EndUser
from brain.domain.memory import Memory
from brain.domain.state import EndUserState
from brain.domain.wire import ProcessAnswer, Share, StoredParts, described
from brain.handlers.records import STORED_PARTS

Document = dict[str, Any]


class UserChannel(TypedDict):
    """A number on which the person has written."""

    channel_id: str
    last_message_at: datetime


@described
class ProfileFact(TypedDict):
    """One thing that a person told of themselves."""

    kind: str
    """name, age, work, employer, home, family, pet, event, like, dislike, health or language."""
    key: str
    value: str
    said: str
    """How they put it."""
    interaction_id: str
    stated_at: datetime
    on: date | None
    """The day of an event, where it is certain."""


@described
class UserShape(TypedDict):
    """A person, with their state at this moment; each variable 0..1."""

    id: str
    external_id: str
    """Your own id of the person, or the provider's."""
    channel: str
    """Where they were met."""
    name: str | None
    username: str | None
    mood: Share
    energy: Share
    fatigue: Share
    boredom: Share
    social_load: Share
    focus: Share
    trust: Share
    sentiment: Share
    grudge: Share
    familiarity: Share
    interaction_count: int
    known_since: datetime | None
    last_seen: datetime | None
    opted_out: bool
    """They asked not to be answered."""
    last_action: Literal["PROCEED", "HOLD", "BLOCK"] | None
    """The verdict of the safety check on their last message."""
    held_until: datetime | None
    """The machine is silent until then; in the year 9999: until it is switched on again."""
    channels: list[UserChannel]
    profile: list[ProfileFact]


class UserPage(TypedDict):
    """People, last seen first."""

    users: list[UserShape]
    next_cursor: str | None


@described
class DeliverySummary(TypedDict):
    """What became of one part of what was said; `/api/deliveries` tells more."""

    id: str
    state: str
    at: datetime | None
    code: int | None
    """Meta's error code."""
    detail: str | None
    """A stable name of the trouble."""


class Reaction(TypedDict):
    """An emoji on a message."""

    emoji: str
    at: datetime


class MessageVersion(TypedDict):
    """What a message said before it was edited."""

    text: str
    until: datetime


@described
class MessageShape(TypedDict):
    """What a person sent."""

    type: str
    """text, image, audio, location and so on; `unsupported` for what nobody knows yet."""
    text: str
    """All of it in one readable piece; personal data masked. Empty once it was taken back."""
    pii: list[str]
    """Kinds of personal data that were masked."""
    content: dict[str, Any] | None
    """The typed object, such as the place of a location."""
    reaction: Reaction | None
    edited_at: datetime | None
    revoked_at: datetime | None
    versions: list[MessageVersion]


@described
class ReplyShape(TypedDict):
    """What was said in return."""

    status: Literal["pending", "none", "fixed", "model", "joined"]
    """`fixed`: a reviewed text. `joined`: a later message's reply answers this one too."""
    text: str | None
    model: str | None
    reason: str | None
    """Why it is as it is, or why there is none; a stable name."""
    at: datetime | None
    answered_with: str | None
    """The later interaction of the same burst whose reply answers this one too."""
    reaction: Reaction | None
    deliveries: list[DeliverySummary]


@described
class InteractionShape(StoredParts):
    """A message, how it was understood and what was said in return."""

    id: str
    user_id: str
    external_id: str
    channel: str
    channel_id: str | None
    provider_message_id: str | None
    at: datetime
    """When it arrived here."""
    sent_at: datetime | None
    """When the person sent it, by the provider's clock."""
    message: MessageShape
    mood: Share
    energy: Share
    reply: ReplyShape


class InteractionPage(TypedDict):
    """Interactions, newest first."""

    interactions: list[InteractionShape]
    next_cursor: str | None


@described
class OutgoingShape(TypedDict):
    """What a human of the business wrote to a person."""

    id: str
    user_id: str
    channel_id: str
    author: str
    """`operator`: through the API; `phone_app`: with the number's own app."""
    text: str
    """Personal data masked; it was sent as it was given."""
    template: str | None
    """Name of the template, where one was sent."""
    at: datetime
    reaction: Reaction | None
    deliveries: list[DeliverySummary]


class OutgoingPage(TypedDict):
    """What humans wrote to a person, newest first."""

    messages: list[OutgoingShape]
    next_cursor: str | None


@described
class MemoryShape(TypedDict):
    """Something that a person said."""

    id: str
    text: str
    similarity: NotRequired[Share]
    """To the query."""
    timestamp: datetime


@described
class MemoriesShape(TypedDict):
    """Some of what is remembered of a person."""

    memories: list[MemoryShape]
    """The nearest first for a query, else the newest first."""
    total_stored: int
    """How many there are of the person in all."""


class ProcessResult(ProcessAnswer):
    """How a message was understood and what to say; every key is always there."""

    interaction_id: str


class Entry(TypedDict):
    """One line of a conversation."""

    role: Literal["user", "assistant"]
    content: str
    at: datetime


@described
class ErasedShape(TypedDict):
    """What went."""

    user_id: str
    complete: Literal[True]
    erased: dict[str, int]
    """How many of each kind."""


def user_shape(user: EndUser, now_state: EndUserState) -> UserShape:
    """An end user with their state at this moment, each variable 0..1."""
    human, relation = now_state.human, now_state.relation
    return {
        "id": user.id,
        "external_id": user.external_id,
        "channel": user.channel,
        "name": user.name,
        "username": user.username,
        "mood": human.mood,
        "energy": human.energy,
        "fatigue": human.fatigue,
        "boredom": human.boredom,
        "social_load": human.social_load,
        "focus": human.focus,
        "trust": relation.trust,
        "sentiment": relation.sentiment,
        "grudge": relation.grudge,
        "familiarity": relation.familiarity,
        "interaction_count": now_state.interaction_count,
        "known_since": now_state.known_since,
        "last_seen": now_state.last_seen,
        "opted_out": now_state.opted_out,
        "last_action": cast("Literal['PROCEED', 'HOLD', 'BLOCK'] | None", user.last_action),
        "held_until": now_state.held_until,
        "channels": [
            {"channel_id": channel_id, "last_message_at": route.wrote_at}
            for channel_id, route in user.routes.items()
        ],
        "profile": [
            {
                "kind": fact.kind,
                "key": fact.key,
                "value": fact.value,
                "said": fact.sentence,
                "interaction_id": fact.source_id,
                "stated_at": fact.stated_at,
                "on": fact.on,
            }
            for fact in user.profile.facts
        ],
    }


def interaction_shape(document: Document) -> InteractionShape:
    """An interaction as the read API shows it."""
    reply = document["reply"]
    return {
        "id": document["_id"],
        "user_id": document["user_id"],
        "external_id": document["external_id"],
        "channel": document["channel"],
        "channel_id": document["channel_id"],
        "provider_message_id": document["provider_message_id"],
        "at": document["at"],
        "sent_at": document["sent_at"],
        "message": _message_shape(document["message"]),
        "mood": document["user"]["mood"],
        "energy": document["user"]["energy"],
        **_stored(document),
        "reply": {
            "status": reply["status"],
            "text": reply.get("text"),
            "model": reply.get("model"),
            "reason": reply.get("reason"),
            "at": reply.get("at"),
            "answered_with": reply.get("into"),
            "reaction": reply.get("reaction"),
            "deliveries": _deliveries_shape(reply.get("deliveries")),
        },
    }


def _stored(document: Document) -> StoredParts:
    return cast("StoredParts", {part: document[part] for part in STORED_PARTS})


def _message_shape(message: Document) -> MessageShape:
    return {
        "type": message["type"],
        "text": message["text"],
        "pii": message["pii"],
        "content": message.get("content"),
        "reaction": message.get("reaction"),
        "edited_at": message.get("edited_at"),
        "revoked_at": message.get("revoked_at"),
        "versions": message.get("versions", []),
    }


def _deliveries_shape(deliveries: list[Document] | None) -> list[DeliverySummary]:
    return [
        {
            "id": one["id"],
            "state": one["state"],
            "at": one.get("at"),
            "code": one.get("code"),
            "detail": one.get("detail"),
        }
        for one in deliveries or ()
    ]


def outgoing_shape(document: Document) -> OutgoingShape:
    """What a human wrote to a person."""
    return {
        "id": document["_id"],
        "user_id": document["user_id"],
        "channel_id": document["channel_id"],
        "author": document["author"],
        "text": document["text"],
        "template": document["template"],
        "at": document["at"],
        "reaction": document.get("reaction"),
        "deliveries": _deliveries_shape(document["deliveries"]),
    }


def memory_shape(memory: Memory) -> MemoryShape:
    """A memory that was not asked for by a query."""
    return {"id": memory.id, "text": memory.text, "timestamp": memory.created_at}


def process_shape(document: Document) -> ProcessResult:
    """The answer of ``/api/sdk/process`` for a stored interaction; every key present."""
    reply = document["reply"]
    return {
        "response": reply.get("text"),
        **_stored(document),
        "model": reply.get("model"),
        "error": reply.get("error"),
        "setup_required": reply.get("reason") == "setup_required",
        "interaction_id": document["_id"],
    }


def history_shape(document: Document) -> list[Entry]:
    """One interaction as the turns of a conversation, oldest first."""
    said = document["message"]["text"]
    turns = [entry("user", said, document["at"])] if said else []
    reply = document["reply"]
    if reply.get("text"):
        turns.append(entry("assistant", reply["text"], reply["at"]))
    return turns


def entry(role: Literal["user", "assistant"], content: str, at: datetime) -> Entry:
    """One line of history."""
    return {"role": role, "content": content, "at": at}
