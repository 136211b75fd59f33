"""One window template for a person until they write again: each is billed, and one says enough."""

from datetime import datetime, timedelta

from pymongo.errors import DuplicateKeyError

from shared.clock import Clock
from shared.mongo.indexes import Database, Index

CLAIMS = "template_claims"
KEPT = timedelta(days=30)

INDEXES = (Index(CLAIMS, (("expires_at", 1),), name="expiry", expire_after_s=0),)


class TemplateClaims:
    """The ``template_claims`` collection."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._claims = database[CLAIMS]
        self._clock = clock

    async def claim(self, conversation_key: str, delivery_id: str, wrote_at: datetime) -> bool:
        """Whether this delivery may send the template; another one did since the person wrote."""
        try:
            await self._claims.update_one(
                {
                    "_id": conversation_key,
                    "$or": [{"wrote_at": {"$lt": wrote_at}}, {"delivery_id": delivery_id}],
                },
                {
                    "$set": {
                        "wrote_at": wrote_at,
                        "delivery_id": delivery_id,
                        "expires_at": self._clock() + KEPT,
                    }
                },
                upsert=True,
            )
        except DuplicateKeyError:
            return False
        return True

    async def forget(self, conversation_key: str) -> None:
        """The person is gone."""
        await self._claims.delete_one({"_id": conversation_key})
