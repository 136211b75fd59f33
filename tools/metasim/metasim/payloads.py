"""Webhook bodies: the documented shapes, the bytes as Meta writes them, and the signature."""

import hashlib
import hmac
import json
from typing import Any

from metasim.codes import webhook_error
from metasim.world import Message, Number, Person


def envelope(
    number: Number, value: Any, field: str = "messages", *, time: int | None = None
) -> dict[str, Any]:
    """One entry with one change. Only entries about the account itself carry a ``time``."""
    stamp = {} if time is None else {"time": time}
    change = {"value": value, "field": field}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": number.waba_id, **stamp, "changes": [change]}],
    }


def encode(body: Any, *, escape: bool) -> bytes:
    r"""Compact JSON. With ``escape``, ASCII only and ``/`` as ``\/``, as Meta's servers write it."""
    if escape:
        return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    # Half a surrogate pair has no UTF-8 form; its \ud83d escape is what JSON has for it.
    return text.encode(errors="backslashreplace")


def signature(secret: str, body: bytes) -> str:
    """The value of ``X-Hub-Signature-256``."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def written_value(number: Number, person: Person, message: dict[str, Any]) -> dict[str, Any]:
    """``value`` of a webhook for what a person wrote."""
    contact = contact_of(person, message.get("from_user_id"))
    return {**head(number), "contacts": [contact], "messages": [message]}


def contact_of(person: Person, user_id: str | None) -> dict[str, Any]:
    """Who a webhook is about. A hidden phone is absent, not empty."""
    profile = {"name": person.name}
    if person.username:
        profile["username"] = person.username
    contact: dict[str, Any] = {"profile": profile}
    if person.shown_digits:
        contact["wa_id"] = person.shown_digits
    if user_id:
        contact["user_id"] = user_id
    return contact


def status_value(
    number: Number, person: Person, message: Message, status: str, code: int
) -> dict[str, Any]:
    """``value`` of a webhook for one tick of a reply. ``code`` matters to ``failed`` only."""
    entry = status_entry(person, message, status)
    if status == "failed":
        entry["errors"] = [webhook_error(code)]
    value: dict[str, Any] = {**head(number), "statuses": [entry]}
    if person.user_id and status != "failed":
        value["contacts"] = [contact_of(person, person.user_id)]
    return value


def status_entry(person: Person, message: Message, status: str) -> dict[str, Any]:
    """One tick of a reply. A hidden phone is absent."""
    entry: dict[str, Any] = {
        "id": message.wamid,
        "status": status,
        "timestamp": str(int(message.statuses[status])),
    }
    if person.shown_digits:
        entry["recipient_id"] = message.to_digits or person.shown_digits
    if person.user_id:
        entry["recipient_user_id"] = person.user_id
    if message.callback_data is not None:
        entry["biz_opaque_callback_data"] = message.callback_data
    if status in {"sent", "delivered"}:
        category = "utility" if message.kind == "template" else "service"
        entry["pricing"] = {
            "billable": True,
            "pricing_model": "PMP",
            "type": "regular",
            "category": category,
        }
    return entry


def messages_of(body: Any, phone_number_id: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(contact or empty, message) for each message in a webhook that belongs to the number."""
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for entry in _dicts(_get(body, "entry")):
        for change in _dicts(entry.get("changes")):
            value = change.get("value")
            if _get(_get(value, "metadata"), "phone_number_id") != phone_number_id:
                continue
            contacts = _dicts(_get(value, "contacts"))
            for message in _dicts(_get(value, "messages")):
                found.append((_contact(contacts, message), message))  # noqa: PERF401 - three loops
    return found


def _contact(contacts: list[dict[str, Any]], message: dict[str, Any]) -> dict[str, Any]:
    for contact in contacts:
        for theirs, ours in (("user_id", "from_user_id"), ("wa_id", "from")):
            if theirs in contact and contact[theirs] == message.get(ours):
                return contact
    return contacts[0] if contacts else {}


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def head(number: Number) -> dict[str, Any]:
    """What every ``value`` about a number begins with."""
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": number.display_phone_number,
            "phone_number_id": number.phone_number_id,
        },
    }
