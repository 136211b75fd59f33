"""Who wrote, and how people change: by the ids inside one signed payload, never by a guess."""

import re
from dataclasses import dataclass
from typing import Any

from brain.domain.people import Address, whatsapp_address
from brain.domain.whatsapp.reading import as_dict, as_text, label

NAME_CHARS = 200
_SCOPED_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
"""A business-scoped id: country, dot, up to 128 letters and digits; it may stand in ``from``."""
_RENAMED = re.compile(r"from (\S{1,160}) to (\S{1,160})")


def address_of(message: dict[str, Any], contact: dict[str, Any] | None) -> Address:
    """Who wrote. Raises ValueError when the message does not say."""
    known = as_dict(contact)
    profile = as_dict(known.get("profile"))
    phone, user_id = _split(message.get("from"), message.get("from_user_id"))
    if not user_id or known.get("user_id") in {None, user_id}:
        phone_known, id_known = _split(known.get("wa_id"), known.get("user_id"))
    else:
        phone_known, id_known = None, None
    aliases = (phone_known,) if phone and phone_known and phone_known != phone else ()
    return whatsapp_address(
        phone=phone or phone_known,
        user_id=user_id or id_known,
        name=label(profile.get("name"), NAME_CHARS) or None,
        username=label(profile.get("username"), NAME_CHARS) or None,
        other_phones=aliases,
    )


def _split(phone: Any, user_id: Any) -> tuple[str | None, str | None]:
    """A phone and a business-scoped id; some payloads put the latter where the former belongs."""
    number, scoped = as_text(phone), as_text(user_id)
    if _SCOPED_ID.fullmatch(number):
        number, scoped = "", scoped or number
    return number or None, scoped or None


@dataclass(frozen=True, slots=True)
class Renaming:
    """A person has a new number, a new business-scoped id, or both. Each may be unknown."""

    old_phone: str | None
    old_user_id: str | None
    new_phone: str | None
    new_user_id: str | None


def renaming_of(message: dict[str, Any]) -> Renaming | None:
    """What a system message says of a new identity; None when it is about something else."""
    system = as_dict(message.get("system"))
    kind = as_text(system.get("type"))
    if kind not in {"user_changed_number", "user_changed_user_id", "customer_changed_number", ""}:
        return None
    new_phone, new_user_id = _split(system.get("wa_id"), system.get("user_id"))
    old_phone, old_user_id = _split(
        message.get("from") or system.get("customer"),
        system.get("previous_user_id") or message.get("from_user_id"),
    )
    said = _RENAMED.search(as_text(system.get("body")))
    if said is not None:
        phone, user_id = _split(said.group(1), None)
        if user_id and said.group(2) == new_user_id:
            old_user_id = old_user_id or user_id
        elif phone and said.group(2).lstrip("+") == (new_phone or "").lstrip("+"):
            old_phone = old_phone or phone.lstrip("+")
    if not (old_phone or old_user_id) or not (new_phone or new_user_id):
        return None
    return Renaming(old_phone, old_user_id, new_phone, new_user_id)
