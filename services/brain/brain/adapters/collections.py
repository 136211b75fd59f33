"""Brain's collections and indexes, in one place."""

from shared.bus.outbox import outbox_index
from shared.mongo.indexes import Index

END_USERS = "end_users"
INTERACTIONS = "interactions"
MEMORIES = "memories"
UNPROCESSED = "unprocessed"

INDEXES = (
    # An alias belongs to one person of a tenant: the race of two first messages ends here.
    Index(END_USERS, (("tenant", 1), ("aliases", 1)), name="tenant_alias", unique=True),
    Index(END_USERS, (("tenant", 1), ("last_seen", -1), ("_id", -1)), name="tenant_last_seen"),
    Index(
        INTERACTIONS,
        (("tenant", 1), ("user_id", 1), ("at", -1), ("_id", -1)),
        name="tenant_user_at",
    ),
    Index(INTERACTIONS, (("tenant", 1), ("at", -1), ("_id", -1)), name="tenant_at"),
    outbox_index(INTERACTIONS),
    Index(
        MEMORIES,
        (("tenant", 1), ("user_id", 1), ("created_at", -1), ("_id", -1)),
        name="tenant_user_newest",
    ),
    Index(
        MEMORIES,
        (("tenant", 1), ("user_id", 1), ("stored_at", 1)),
        name="tenant_user_stored",
    ),
    # The empty record of a forgotten memory has told every replica long before.
    Index(MEMORIES, (("forgotten_at", 1),), name="forgotten", expire_after_s=7 * 86_400),
)
