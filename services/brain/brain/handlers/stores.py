"""Everything that is kept, in one hand."""

from dataclasses import dataclass

from brain.adapters.interaction_store import InteractionStore
from brain.adapters.memory_store import MemoryStore
from brain.adapters.outgoing_store import OutgoingStore
from brain.adapters.user_store import UserStore
from shared.bus.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Stores:
    """Where people, interactions, memories and messages of humans are kept."""

    users: UserStore
    interactions: InteractionStore
    memories: MemoryStore
    outgoing: OutgoingStore
    outbox: Outbox
    """Of the interactions."""
