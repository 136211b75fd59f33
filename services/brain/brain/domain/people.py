"""How a person is addressed: the names under which the same human writes to us, and one from two."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from brain.domain.state import EndUserState


@dataclass(frozen=True, slots=True)
class Address:
    """Who wrote. Any alias finds the person; ``external_id`` is the name shown to the tenant.

    ``aliases`` are typed (``phone:…``, ``bsuid:…``, ``api:…``) and belong to one person each.
    ``phone`` is digits without a plus; ``provider_user_id`` the provider's own id of the person.
    """

    external_id: str
    aliases: tuple[str, ...]
    phone: str | None = None
    provider_user_id: str | None = None
    name: str | None = None
    username: str | None = None
    """Shown only; people change it, so it finds nobody."""


@dataclass(frozen=True, slots=True)
class Route:
    """How a person was last met on one channel, which is how a human of the business answers."""

    conversation_key: str
    phone: str | None
    provider_user_id: str | None
    wrote_at: datetime
    """By the provider's clock; the 24-hour window counts from here."""
    provider_message_id: str


def api_address(user_id: str) -> Address:
    """A person named by the tenant's own system."""
    return Address(external_id=user_id, aliases=(f"api:{user_id}",))


def aliases_of(name: str) -> tuple[str, ...]:
    """What a name that the tenant gives us may stand for, the tenant's own id first."""
    return (f"api:{name}", f"bsuid:{name}", f"phone:{name.removeprefix('+')}")


def whatsapp_address(
    *,
    phone: str | None,
    user_id: str | None,
    name: str | None,
    username: str | None = None,
    other_phones: tuple[str, ...] = (),
) -> Address:
    """A person on WhatsApp: the business-scoped id is the key when there is one, the phone too.

    ``other_phones``: the same number as WhatsApp spells it (Brazil's ninth digit, Mexico's 1).
    Raises ValueError without any: nobody wrote.
    """
    aliases = [f"bsuid:{user_id}"] if user_id else []
    aliases += [f"phone:{number}" for number in (phone, *other_phones) if number]
    if not aliases:
        raise ValueError("neither a phone nor a user id")
    return Address(
        external_id=phone or user_id or "",
        aliases=tuple(aliases),
        phone=phone,
        provider_user_id=user_id,
        name=name,
        username=username,
    )


def is_somebody_else(address: Address, aliases: Iterable[str], route: Route | None) -> bool:
    """Whether the person with ``aliases``, met on the channel by ``route``, cannot be who writes.

    A business-scoped id changes only together with the number (Meta). Who writes from a known number
    under another id than the one it had on this very channel is a new owner of that number: what the
    old one told us is none of their business.
    """
    scoped = address.provider_user_id
    if scoped is None or f"bsuid:{scoped}" in aliases:
        return False
    return route is not None and route.provider_user_id not in {None, scoped}


def joined(kept: EndUserState, gone: EndUserState) -> EndUserState:
    """The state of one person who had two records: that of the later talk, with both histories."""
    later = kept if kept.updated_at >= gone.updated_at else gone
    held = [until for until in (kept.held_until, gone.held_until) if until is not None]
    return replace(
        later,
        interaction_count=kept.interaction_count + gone.interaction_count,
        known_since=min(kept.known_since, gone.known_since),
        opted_out=kept.opted_out or gone.opted_out,
        held_until=max(held, default=None),
    )
