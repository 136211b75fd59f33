"""Brain's collections and indexes, in one place."""

from shared.bus.outbox import outbox_index
from shared.mongo.indexes import Index

END_USERS = "end_users"
FORMER_USERS = "former_users"
"""Ids of records that were joined to another."""
INTERACTIONS = "interactions"
MEMORIES = "memories"
UNPROCESSED = "unprocessed"
NOTICES = "notices"
OUTGOING = "outgoing"
ERASURES = "erasures"
ERASED_MESSAGES = "erased_messages"
"""Hashes of the ids of messages that must not come back."""

NOTICE_KEPT_S = 8 * 86_400
"""Meta repeats a webhook for 7 days: a notice waits a little longer for its message."""

ERASED_KEPT_S = 8 * 86_400

INDEXES = (
    Index(
        ERASURES,
        (("settles_at", 1),),
        name="settles_at",
        partial={"settles_at": {"$exists": True}},
    ),
    outbox_index(ERASURES),
    Index(ERASED_MESSAGES, (("at", 1),), name="expiry", expire_after_s=ERASED_KEPT_S),
    # An alias belongs to one person of a tenant: the race of two first messages ends here.
    Index(END_USERS, (("tenant", 1), ("aliases", 1)), name="tenant_alias", unique=True),
    # The mood is there to be filtered by without reading anybody's record.
    Index(
        END_USERS,
        (("tenant", 1), ("last_seen", -1), ("_id", -1), ("state.human.mood", 1)),
        name="tenant_last_seen_mood",
    ),
    Index(
        END_USERS,
        (("tenant", 1), ("channel", 1), ("last_seen", -1), ("_id", -1)),
        name="tenant_channel_last_seen",
    ),
    Index(
        END_USERS,
        (("tenant", 1), ("last_action", 1), ("last_seen", -1), ("_id", -1)),
        name="tenant_action_last_seen",
    ),
    Index(END_USERS, (("tenant", 1), ("search", 1)), name="tenant_search"),
    Index(
        INTERACTIONS,
        (("tenant", 1), ("user_id", 1), ("at", -1), ("_id", -1)),
        name="tenant_user_at",
    ),
    # What follows the id is for the overview, which reads the index alone.
    Index(
        INTERACTIONS,
        (
            *(("tenant", 1), ("at", -1), ("_id", -1)),
            *(("safety.action", 1), ("reply.status", 1), ("reply.at", 1), ("user_id", 1)),
        ),
        name="tenant_at_outcome",
    ),
    Index(
        INTERACTIONS,
        (("tenant", 1), ("safety.action", 1), ("at", -1), ("_id", -1)),
        name="tenant_action_at",
    ),
    Index(
        INTERACTIONS,
        (("tenant", 1), ("channel_id", 1), ("at", -1), ("_id", -1)),
        name="tenant_channel_id_at",
    ),
    Index(
        INTERACTIONS,
        (("tenant", 1), ("alert.open", 1), ("alert.raised_at", -1), ("_id", -1)),
        name="tenant_alert",
        partial={"alert.raised_at": {"$exists": True}},
    ),
    Index(
        INTERACTIONS,
        (("tenant", 1), ("alert.raised_at", -1), ("_id", -1)),
        name="tenant_alert_all",
        partial={"alert.raised_at": {"$exists": True}},
    ),
    outbox_index(INTERACTIONS),
    Index(
        INTERACTIONS,
        (("reply.due_at", 1),),
        name="reply_due",
        partial={"reply.due_at": {"$exists": True}},
    ),
    Index(
        INTERACTIONS,
        (("tenant", 1), ("user_id", 1), ("reply.due_at", 1)),
        name="tenant_user_reply_due",
        partial={"reply.due_at": {"$exists": True}},
    ),
    Index(
        INTERACTIONS,
        (("fetch.due_at", 1),),
        name="fetch_due",
        partial={"fetch.due_at": {"$exists": True}},
    ),
    Index(
        INTERACTIONS,
        (("reply.into", 1),),
        name="reply_into",
        partial={"reply.into": {"$exists": True}},
    ),
    # A reaction names our message by the provider's id.
    Index(
        INTERACTIONS,
        (("tenant", 1), ("reply.deliveries.provider_message_id", 1)),
        name="reply_provider_id",
        partial={"reply.deliveries.provider_message_id": {"$exists": True}},
    ),
    Index(NOTICES, (("target", 1), ("at", 1)), name="target"),
    Index(NOTICES, (("at", 1),), name="expiry", expire_after_s=NOTICE_KEPT_S),
    Index(
        OUTGOING,
        (("tenant", 1), ("user_id", 1), ("at", -1), ("_id", -1)),
        name="tenant_user_at",
    ),
    Index(
        OUTGOING,
        (("tenant", 1), ("deliveries.provider_message_id", 1)),
        name="provider_id",
        partial={"deliveries.provider_message_id": {"$exists": True}},
    ),
    outbox_index(OUTGOING),
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
