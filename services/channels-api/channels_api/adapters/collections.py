"""The collections of channels-api and their indexes, in one place."""

from shared.bus.outbox import outbox_index
from shared.mongo.indexes import Index

CHANNELS = "channels"
API_KEYS = "api_keys"
ACTIVITY = "activity"
CREATIONS = "channel_creations"

INDEXES = (
    Index(CHANNELS, (("tenant", 1), ("created_at", 1), ("_id", 1)), name="tenant_created_at"),
    # A number has one channel in a tenant; a deleted one makes room.
    Index(
        CHANNELS,
        (("tenant", 1), ("phone_number_id", 1)),
        name="tenant_phone_number_id",
        unique=True,
        partial={"deleted": False},
    ),
    outbox_index(CHANNELS),
    Index(API_KEYS, (("tenant", 1), ("created_at", 1)), name="tenant_created_at"),
    Index(API_KEYS, (("tenant", 1), ("public_id", 1)), name="tenant_public_id", unique=True),
    outbox_index(API_KEYS),
    Index(ACTIVITY, (("channel_id", 1), ("at", -1), ("_id", -1)), name="channel_at"),
    Index(CREATIONS, (("at", 1),), name="expire", expire_after_s=86_400),
)
