"""One person, one record: joining two on evidence, and following a new number or id.

Evidence is a single signed payload that holds names of both. Every step may be repeated after a
crash: what was moved is not found again, and a state is counted once.
"""

import structlog

from brain.adapters.user_store import EndUser, SamePersonError
from brain.domain.people import Address, is_somebody_else
from brain.domain.whatsapp.identity import Renaming
from brain.handlers.stores import Stores
from shared.bus.failures import Transient

log = structlog.get_logger()

TRIES = 10


class Identities:
    """Keeps names, states and memories of a person together."""

    def __init__(self, stores: Stores) -> None:
        self._users = stores.users
        self._interactions = stores.interactions
        self._memories = stores.memories
        self._outgoing = stores.outgoing

    async def settle(self, user: EndUser, address: Address, channel_id: str | None) -> EndUser:
        """Give all of the address to one person, and return them. Raises Transient."""
        for other in await self._users.holders(user, address.aliases):
            if is_somebody_else(address, other.aliases, other.routes.get(channel_id or "")):
                await self._users.disown(other, address.aliases)
                log.info("number_has_a_new_owner", former_user_id=other.id)
            else:
                user = await self._joined(user, other)
        return user

    async def rename(self, tenant: str, renaming: Renaming, channel_id: str) -> EndUser | None:
        """Follow a person to a new number or id; None when we do not know them. Raises Transient."""
        old = _aliases(renaming.old_user_id, renaming.old_phone)
        new = _aliases(renaming.new_user_id, renaming.new_phone)
        for _ in range(TRIES):
            user = await self._users.find(tenant, old)
            if user is None:
                return await self._users.find(tenant, new)
            try:
                if await self._users.rename(user, renaming, channel_id):
                    log.info("person_renamed", user_id=user.id)
                    return await self._users.get(tenant, user.id)
            except SamePersonError:
                for other in await self._users.holders(user, new):
                    await self._joined(user, other)
        raise Transient("user_contended")

    async def _joined(self, one: EndUser, other: EndUser) -> EndUser:
        """Make one record of two; the older one stays."""
        kept, gone = sorted((one, other), key=lambda user: (user.state.known_since, user.id))
        await self._move_past(kept, gone)
        for _ in range(TRIES):
            if await self._users.has_absorbed(kept, gone) or await self._users.absorb(kept, gone):
                break
            kept, gone = (
                await self._users.existing(kept.tenant, kept.id),
                await self._users.existing(gone.tenant, gone.id),
            )
            if kept.id == gone.id:
                return kept
        else:
            raise Transient("user_contended")
        await self._users.retire(kept, gone)
        # What was written for the other record until this moment.
        await self._move_past(kept, gone)
        log.info("people_joined", user_id=kept.id, former_user_id=gone.id)
        return await self._users.existing(kept.tenant, kept.id)

    async def _move_past(self, kept: EndUser, gone: EndUser) -> None:
        await self._interactions.move(gone.tenant, gone.id, kept.id)
        await self._memories.move(gone.tenant, gone.id, kept.id)
        await self._outgoing.move(gone.tenant, gone.id, kept.id)


def _aliases(user_id: str | None, phone: str | None) -> tuple[str, ...]:
    names = (user_id and f"bsuid:{user_id}", phone and f"phone:{phone}")
    return tuple(filter(None, names))
