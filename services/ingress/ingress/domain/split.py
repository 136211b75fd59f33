"""From one webhook to single messages, notices and statuses. Tolerates every missing key.

Pure and total: for any JSON value it returns what is there and counts the rest.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingress.domain.decode import is_shallow
from ingress.domain.messages import Notice, UserMessage, read_echo, read_message, read_renaming
from ingress.domain.reading import as_dict, as_id, as_list
from ingress.domain.statuses import Status, read_status
from shared.ids import derived_id

ACCOUNT_TOPICS = frozenset(
    {
        *("account_update", "account_review_update", "account_alerts", "security"),
        *("phone_number_quality_update", "phone_number_name_update"),
        *("business_capability_update", "message_template_status_update"),
    }
)
"""Fields that tell about the account or the number, and of no person."""


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """What the provider tells about the account, verbatim."""

    event_id: str
    account_id: str | None
    topic: str
    notice: dict[str, Any]


@dataclass(slots=True)
class Split:
    """What a webhook held. ``foreign``: parts that named another phone number, dropped."""

    messages: list[UserMessage] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    account: list[AccountNotice] = field(default_factory=list)
    ignored: int = 0
    foreign: int = 0
    seen: set[str] = field(default_factory=set, repr=False)

    def take(self, part: UserMessage | Notice | Status | AccountNotice | None) -> None:
        """Keep ``part`` unless it is there already; None counts as ignored."""
        if part is None:
            self.ignored += 1
            return
        if part.event_id in self.seen:
            return
        self.seen.add(part.event_id)
        match part:
            case UserMessage():
                self.messages.append(part)
            case Notice():
                self.notices.append(part)
            case Status():
                self.statuses.append(part)
            case AccountNotice():
                self.account.append(part)


@dataclass(frozen=True, slots=True)
class _Change:
    account_id: str | None
    time: Any
    topic: str
    value: dict[str, Any]


def split(body: Any, *, channel_id: str, phone_number_id: str, waba_id: str | None = None) -> Split:
    """Everything in ``body`` that concerns this channel's number, each provider id once."""
    found = Split()
    for change in _changes(body):
        if change.topic in ACCOUNT_TOPICS:
            _take_account(change, channel_id, waba_id, found)
        elif _is_ours(change, phone_number_id, waba_id):
            _take(change, channel_id, found)
        else:
            # A signature proves the app, not the number: an app may serve many numbers.
            found.foreign += 1
    return found


def _changes(body: Any) -> Iterator[_Change]:
    for item in as_list(as_dict(body).get("entry")):
        entry = as_dict(item)
        for part in as_list(entry.get("changes")):
            change = as_dict(part)
            yield _Change(
                account_id=as_id(entry.get("id")) or None,
                time=entry.get("time"),
                topic=as_id(change.get("field")),
                value=as_dict(change.get("value")),
            )


def _is_ours(change: _Change, phone_number_id: str, waba_id: str | None) -> bool:
    """Whether the number is ours. Only a change of identity may leave it out, as some do."""
    named = as_dict(change.value.get("metadata")).get("phone_number_id")
    if named is not None:
        return bool(named == phone_number_id)
    items = as_list(change.value.get("messages"))
    identity = bool(items) and all(as_dict(item).get("type") == "system" for item in items)
    if not identity:
        return not (items or change.value.get("statuses") or change.value.get("message_echoes"))
    return waba_id is None or change.account_id == waba_id


def _take(change: _Change, channel_id: str, found: Split) -> None:
    value = change.value
    match change.topic:
        case "messages":
            contacts = [
                contact
                for contact in as_list(value.get("contacts"))
                if isinstance(contact, dict) and is_shallow(contact)
            ]
            parts = [read_message(m, contacts, channel_id) for m in as_list(value.get("messages"))]
            ticks = [read_status(s, channel_id) for s in as_list(value.get("statuses"))]
            taken = [*parts, *ticks]
        case "smb_message_echoes":
            taken = [read_echo(m, channel_id) for m in as_list(value.get("message_echoes"))]
        case "user_id_update":
            taken = [read_renaming(u, channel_id) for u in as_list(value.get("user_id_update"))]
        case _:
            taken = []
    for part in taken or [None]:
        found.take(part)


def _take_account(change: _Change, channel_id: str, waba_id: str | None, found: Split) -> None:
    """An app's callback hears of all its accounts."""
    if waba_id is not None and change.account_id not in {None, waba_id}:
        found.foreign += 1
        return
    if not change.value or not is_shallow(change.value):
        found.take(None)
        return
    said = json.dumps([change.time, change.value], sort_keys=True)
    name = derived_id(channel_id, str(change.account_id), change.topic, said)
    found.take(AccountNotice(name, change.account_id, change.topic, change.value))
