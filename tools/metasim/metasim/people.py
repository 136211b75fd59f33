"""Who a command is about: somebody known, or somebody met by writing."""

import re

from metasim.fields import BadCommandError, Fields
from metasim.kinds import NAMES_ANOTHER
from metasim.world import Person, World, digits_of

USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
"""A business-scoped user id: a country, a dot, letters and digits."""


def writer(world: World, fields: Fields) -> Person:
    """The person named by ``from``, with what the command says of them. Raises BadCommandError."""
    digits, user_id = _named(fields)
    known = world.find_person(digits or user_id or "")
    hidden = fields.flag("hide_phone", default=known is not None and known.phone_hidden)
    if hidden and user_id is None and (known is None or known.user_id is None):
        raise BadCommandError("hide_phone needs a user_id")
    person = world.meet_person(digits, user_id)
    person.name = _profile_name(fields) or person.name
    person.username = fields.optional_text("username") or person.username
    person.phone_hidden = hidden
    return person


def addressee(world: World, fields: Fields, name: str) -> Person:
    """The person that the business writes to; met if new. Raises BadCommandError."""
    who = fields.text(name)
    digits = digits_of(who)
    known = world.find_person(digits or who)
    if known is not None:
        return known
    if USER_ID.fullmatch(who):
        return world.meet_person(None, who)
    return world.meet_person(checked_digits(who, name), None)


def known_person(world: World, who: str) -> Person:
    """Somebody who wrote or was written to. Raises BadCommandError (404)."""
    person = world.find_person(digits_of(who) or who)
    if person is None:
        raise BadCommandError("no such person: nobody with this number or id has written", 404)
    return person


def checked_digits(phone: str, name: str) -> str:
    """The digits of a phone number. Raises BadCommandError."""
    digits = digits_of(phone)
    if not 5 <= len(digits) <= 15:
        raise BadCommandError(f"{name}: a phone number is needed, such as +15551234567")
    return digits


def _named(fields: Fields) -> tuple[str | None, str | None]:
    """Digits and user id: ``from`` may be either."""
    who, user_id = fields.text("from"), fields.optional_text("user_id")
    if USER_ID.fullmatch(who):
        return None, who
    return checked_digits(who, "from"), user_id


def _profile_name(fields: Fields) -> str | None:
    given = fields.optional_text("profile_name")
    if given is None and fields.value("kind", None) not in NAMES_ANOTHER:
        given = fields.optional_text("name")
    return given
