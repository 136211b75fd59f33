"""Indexes as data: each service declares its own in one place, one call makes or checks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase

Database = AsyncDatabase[dict[str, Any]]


class IndexMissingError(Exception):
    """The database lacks indexes that the code relies on."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index of one collection."""

    collection: str
    keys: tuple[tuple[str, int], ...]
    name: str
    unique: bool = False
    partial: dict[str, Any] | None = None
    """Only documents that match this are indexed."""
    expire_after_s: int | None = None
    """Documents go this long after the indexed moment."""

    def model(self) -> IndexModel:
        """The driver's form."""
        options: dict[str, Any] = {"name": self.name, "unique": self.unique}
        if self.partial is not None:
            options["partialFilterExpression"] = self.partial
        if self.expire_after_s is not None:
            options["expireAfterSeconds"] = self.expire_after_s
        return IndexModel(list(self.keys), **options)


async def ensure_indexes(database: Database, indexes: Sequence[Index]) -> None:
    """Make every index that is not there. Safe to run from many processes at once."""
    by_collection: dict[str, list[IndexModel]] = {}
    for index in indexes:
        by_collection.setdefault(index.collection, []).append(index.model())
    for collection, models in by_collection.items():
        await database[collection].create_indexes(models)


async def check_indexes(database: Database, indexes: Sequence[Index]) -> None:
    """Raises IndexMissingError naming each ``collection.index`` that is not there."""
    missing = []
    for collection in {index.collection for index in indexes}:
        present = await database[collection].index_information()
        missing += [
            f"{collection}.{index.name}"
            for index in indexes
            if index.collection == collection and index.name not in present
        ]
    if missing:
        raise IndexMissingError(f"missing indexes: {', '.join(sorted(missing))}")
