"""What nobody may find in a log or in the database, searched for after everything that happened."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient

from tests.e2e.product import Product

MEANT_FOR_TEXT = frozenset(
    {
        *("interactions", "memories", "end_users", "outgoing", "notices", "unprocessed"),
        *("files", "deliveries"),
    }
)
"""Collections whose purpose is what people said, or what we answered. No other holds a word."""


def forms(secret: str) -> Iterator[bytes]:
    """A secret in every dress that does not hide it."""
    plain = secret.encode()
    yield plain
    yield plain[::-1]
    yield plain.hex().encode()
    yield quote(secret, safe="").encode()
    for encoded in (b64encode(plain), urlsafe_b64encode(plain)):
        yield encoded.rstrip(b"=")


def leaks_in_logs(product: Product) -> list[str]:
    """The first characters of every secret, and of every word of people, that stands in a log."""
    # Meta knows what people wrote; its double may say so.
    ours = product.log_text(simulator=False) + product.rabbit.log_text()
    found = [text for text in product.texts | product.phones if text in ours]
    written = (product.log_text() + product.rabbit.log_text()).encode()
    found += [secret for secret in product.planted if any(f in written for f in forms(secret))]
    return [value[:6] + "…" for value in found]


async def leaks_in_database(product: Product) -> list[str]:
    """The same of the database: collection, and how what is in it begins."""
    found = []
    # Raw bytes: what a thief of the disk reads, whatever its type.
    options: dict[str, Any] = {"document_class": RawBSONDocument}
    async with AsyncMongoClient[Any](product.mongodb_uri, **options) as client:
        database = client.get_default_database()
        for name in await database.list_collection_names():
            dump = b"".join([document.raw async for document in database[name].find({})])
            known = [s for s in product.planted if any(form in dump for form in forms(s))]
            if name not in MEANT_FOR_TEXT:
                known += [text for text in product.texts if text.encode() in dump]
            found += [f"{name}: {value[:6]}…" for value in known]
    return found
