"""What the simulator knows: numbers, people, what they wrote to each other, and who called.

All of it in memory. Nothing here does I/O; handlers change it and wake those who wait.
"""

import asyncio
import base64
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from metasim.config import SimConfig
from metasim.limits import TokenBuckets
from metasim.media import MediaStore

HISTORY_SIZE = 20_000
"""Requests and deliveries that are kept: enough for a load test, bounded for a long-lived stack."""

TYPING_S = 25.0
"""How long a typing indicator shows when no reply comes (Meta's number)."""


@dataclass(frozen=True, slots=True)
class Template:
    """A message template of the number's account."""

    name: str
    language: str
    status: str = "APPROVED"
    """Meta's word, in capitals; only ``APPROVED`` can be sent."""
    parameters: int | None = None
    """How many parameters its body takes; None for any."""


@dataclass(frozen=True, slots=True)
class Token:
    """What Meta knows of an access token. Times are unix seconds, 0 for never."""

    kind: str = "SYSTEM_USER"
    valid: bool = True
    issued_at: int = 0
    expires_at: int = 0
    data_access_expires_at: int = 0
    scopes: tuple[str, ...] = ("whatsapp_business_management", "whatsapp_business_messaging")
    target_ids: tuple[str, ...] | None = None
    """What it was granted for; None: the number's own account."""

    def expired(self, now: float) -> bool:
        """Whether it ran out."""
        return self.expires_at != 0 and self.expires_at <= now


@dataclass(slots=True)
class Number:
    """A business phone number with its credentials and callback URLs."""

    phone_number_id: str
    waba_id: str
    app_id: str
    display_phone_number: str
    verified_name: str
    access_token: str = field(repr=False)
    app_secret: str = field(repr=False)
    callback_url: str | None = None
    """The app's callback: what "Verify and Save" stores."""
    override_url: str | None = None
    """The number's own callback; goes before the WABA's and the app's."""
    require_proof: bool = False
    """The app's "Require App Secret": calls without ``appsecret_proof`` are refused."""
    templates: tuple[Template, ...] | None = None
    """What may be sent as a template; None for anything."""
    node: dict[str, Any] = field(default_factory=dict)
    """Fields of its node that are other than they should be."""
    token: Token = field(default_factory=Token)
    subscribed_app_id: str | None = None
    """Another app that the account is subscribed to in place of the number's."""


@dataclass(slots=True)
class Message:
    """One bubble of a conversation, written by a person or by the business."""

    wamid: str
    phone_number_id: str
    author: Literal["person", "business"]
    kind: str
    text: str
    at: float
    content: dict[str, Any] = field(repr=False)
    context_message_id: str | None = None
    callback_data: str | None = None
    statuses: dict[str, float] = field(default_factory=dict)
    """A reply's ticks and when each was set, in order."""
    delivered_at: float | None = None
    """When our webhook of a person's message was first answered with 200."""
    read_at: float | None = None
    typing_at: float | None = None
    sender: Literal["api", "app", "agent"] = "api"
    """Who wrote for the business: the Cloud API, a human in its phone app, or Meta's agent."""
    to_digits: str | None = None
    """The phone number that a reply was addressed to; statuses repeat it."""
    group_id: str | None = None
    edited_at: float | None = None
    revoked: bool = False
    reaction: str | None = None
    """The person's emoji on this bubble."""


@dataclass(slots=True)
class Person:
    """Somebody who writes to businesses. Known by digits, by business-scoped id, or by both."""

    digits: str | None
    user_id: str | None
    name: str = "WhatsApp User"
    username: str | None = None
    phone_hidden: bool = False
    former: set[str] = field(default_factory=set)
    """Digits and ids that were theirs. They still lead here, but are not used again."""
    messages: list[Message] = field(default_factory=list)
    last_wrote_at: dict[str, float] = field(default_factory=dict)
    """By phone number id, from the message's own timestamp: it opens the service window."""
    typing_since: dict[str, float] = field(default_factory=dict)

    @property
    def shown_digits(self) -> str | None:
        """The phone number as businesses may see it: None while it is hidden."""
        return None if self.phone_hidden else self.digits


@dataclass(slots=True)
class GraphCall:
    """One request to the Graph side, safe to show: credentials are cut."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    bearer: str | None
    at: float
    fault: str | None = None
    status: int | None = None
    """What was answered, or would have been if a fault had not withheld it."""
    code: int | None = None
    answered: bool = False
    wamid: str | None = None


def new_wamid() -> str:
    """A message id in Meta's form. Meta's contain the phone number; these contain nothing."""
    return "wamid." + base64.b64encode(b"\x1d\x19\x0b" + secrets.token_bytes(28)).decode()


def digits_of(phone: str) -> str:
    """The digits of a phone number as people write it; empty when it is none."""
    digits = phone.strip().removeprefix("+").translate(str.maketrans("", "", " -()."))
    return digits if digits.isascii() and digits.isdigit() else ""


class World:
    """The whole state. ``reset`` empties it."""

    def __init__(self, config: SimConfig) -> None:
        self.now = config.clock
        self.changed = asyncio.Condition()
        self.stopping = asyncio.Event()
        self.statuses = config.statuses
        self._configured_statuses = config.statuses
        self.pairs = TokenBuckets(config.pair_burst, 1 / config.pair_interval_s, config.clock)
        self.throughput = TokenBuckets(
            config.throughput_per_s, config.throughput_per_s, config.clock
        )
        self.media = MediaStore(config)
        self.numbers: dict[str, Number] = {}
        self.subscriptions: dict[str, str | None] = {}
        """Override URL by WABA id; a WABA that is absent is not subscribed and gets nothing."""
        self.calls: deque[GraphCall] = deque(maxlen=HISTORY_SIZE)
        self._people: list[Person] = []
        self._by_alias: dict[str, Person] = {}
        self._written: dict[tuple[str, str], tuple[Person, Message]] = {}

    def reset(self) -> None:
        """Forget everything but the configuration."""
        self.statuses = self._configured_statuses
        self.pairs.clear()
        self.throughput.clear()
        for kept in (self.numbers, self.subscriptions, self._by_alias, self._written):
            kept.clear()
        self._people.clear()
        self.calls.clear()
        self.media.clear()

    async def announce(self) -> None:
        """Wake everybody who waits for ``changed``."""
        async with self.changed:
            self.changed.notify_all()

    def callback_url(self, number: Number, *, overridable: bool = True) -> str | None:
        """Where webhooks of ``number`` go: its own URL, its WABA's, the app's; None for nowhere.

        Only the field ``messages`` can be overridden; all others go to the app.
        """
        if number.waba_id not in self.subscriptions or number.subscribed_app_id:
            return None
        override = number.override_url or self.subscriptions[number.waba_id]
        return (override if overridable else None) or number.callback_url

    def find_person(self, alias: str) -> Person | None:
        """By digits or business-scoped id."""
        return self._by_alias.get(alias)

    def meet_person(self, digits: str | None, user_id: str | None) -> Person:
        """The person with one of these ids, made known when new; both ids then lead to them."""
        found = self._by_alias.get(digits or "") or self._by_alias.get(user_id or "")
        if found is None:
            found = Person(digits, user_id)
            self._people.append(found)
        if digits not in found.former:
            found.digits = digits or found.digits
        if user_id not in found.former:
            found.user_id = user_id or found.user_id
        self._name(found)
        return found

    def move_person(self, person: Person, digits: str, user_id: str | None) -> None:
        """Give somebody a new number and id; the old ones still lead to them."""
        theirs = {digits, user_id}
        for alias in (person.digits, person.user_id):
            if alias and alias not in theirs:
                person.former.add(alias)
        person.digits, person.user_id = digits, user_id
        # Somebody may move back to a number that they had before.
        person.former = {alias for alias in person.former if alias not in theirs}
        self._name(person)

    def _name(self, person: Person) -> None:
        for alias in (person.digits, person.user_id):
            if alias:
                self._by_alias[alias] = person

    def people(self) -> list[Person]:
        """Everybody, in the order they were first met."""
        return list(self._people)

    def add_written(self, person: Person, message: Message) -> None:
        """Record what a person wrote. The same wamid twice is one message."""
        key = (message.phone_number_id, message.wamid)
        if key in self._written:
            return
        self._written[key] = (person, message)
        person.messages.append(message)
        if message.group_id is None:  # a group opens nobody's window
            last = person.last_wrote_at.get(message.phone_number_id, message.at)
            person.last_wrote_at[message.phone_number_id] = max(last, message.at)

    def written(self, phone_number_id: str, wamid: str) -> tuple[Person, Message] | None:
        """A person's message to this number, with its author."""
        return self._written.get((phone_number_id, wamid))

    def bubble(self, person: Person, phone_number_id: str, wamid: str) -> Message | None:
        """A message of their conversation with this number, whoever wrote it."""
        for message in reversed(person.messages):
            if (message.phone_number_id, message.wamid) == (phone_number_id, wamid):
                return message
        return None

    def is_typing(self, person: Person, phone_number_id: str) -> bool:
        """Whether the person sees the business typing now."""
        since = person.typing_since.get(phone_number_id)
        return since is not None and self.now() - since < TYPING_S
