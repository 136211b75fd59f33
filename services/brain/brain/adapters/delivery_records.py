"""What became of the parts of something that we sent, kept in a list on its document."""

from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

Document = dict[str, Any]


async def record_delivery(
    collection: AsyncCollection[Document], mine: Document, field: str, delivery: Document
) -> bool:
    """Put ``delivery`` in place of the entry with its ``id``, or add it. False: no such document."""
    known = await collection.update_one(
        {**mine, f"{field}.id": delivery["id"]}, {"$set": {f"{field}.$": delivery}}
    )
    if known.matched_count:
        return True
    added = await collection.update_one(
        {**mine, f"{field}.id": {"$ne": delivery["id"]}}, {"$push": {field: delivery}}
    )
    return bool(added.matched_count)
