"""How a person is addressed: the names under which the same human writes to us."""

from dataclasses import dataclass


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


def api_address(user_id: str) -> Address:
    """A person named by the tenant's own system."""
    return Address(external_id=user_id, aliases=(f"api:{user_id}",))


def aliases_of(name: str) -> tuple[str, ...]:
    """What a name that the tenant gives us may stand for, the tenant's own id first."""
    return (f"api:{name}", f"bsuid:{name}", f"phone:{name.removeprefix('+')}")


def whatsapp_address(*, phone: str | None, user_id: str | None, name: str | None) -> Address:
    """A person on WhatsApp: the business-scoped id is the key when there is one, the phone too.

    Raises ValueError without either: nobody wrote.
    """
    aliases = [f"bsuid:{user_id}"] if user_id else []
    aliases += [f"phone:{phone}"] if phone else []
    if not aliases:
        raise ValueError("neither a phone nor a user id")
    return Address(
        external_id=phone or user_id or "",
        aliases=tuple(aliases),
        phone=phone,
        provider_user_id=user_id,
        name=name,
    )
