"""The collections of channels-api and their indexes, in one place."""

from shared.bus.outbox import outbox_index
from shared.mongo.indexes import Index

CHANNELS = "channels"
API_KEYS = "api_keys"
ACTIVITY = "activity"
CREATIONS = "channel_creations"
KEYRING = "keyring"

CREATION_KEPT_S = 86_400
"""How long an ``Idempotency-Key`` is remembered."""

INDEXES = (
    Index(CHANNELS, (("tenant", 1), ("created_at", 1), ("_id", 1)), name="tenant_created_at"),
    # Not unique: one number may be subscribed to by several apps, each with its own secret.
    Index(CHANNELS, (("tenant", 1), ("phone_number_id", 1)), name="tenant_number"),
    Index(CHANNELS, (("verify_token_hash", 1),), name="verify_token_hash"),
    outbox_index(CHANNELS),
    Index(API_KEYS, (("tenant", 1), ("created_at", 1)), name="tenant_created_at"),
    Index(API_KEYS, (("tenant", 1), ("public_id", 1)), name="tenant_public_id", unique=True),
    outbox_index(API_KEYS),
    Index(
        ACTIVITY,
        (("tenant", 1), ("channel_id", 1), ("at", -1), ("_id", -1)),
        name="tenant_channel_at",
    ),
    Index(CREATIONS, (("tenant", 1), ("channel_id", 1)), name="tenant_channel"),
    Index(CREATIONS, (("at", 1),), name="expire", expire_after_s=CREATION_KEPT_S),
)
