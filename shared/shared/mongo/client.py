"""How a process reaches MongoDB: PyMongo's own async client (ADR 0004)."""

from typing import Any

from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.uri_parser import parse_uri

from shared.mongo.indexes import Database

OPERATION_TIMEOUT_MS = 10_000
"""Of every operation, retries included; shorter than the consumer's patience."""
SERVER_SELECTION_TIMEOUT_MS = 5_000

MongoClient = AsyncMongoClient[dict[str, Any]]


def open_client(uri: str, *, app_name: str) -> MongoClient:
    """A client whose writes are acknowledged by a majority and whose dates are UTC-aware.

    Connects in the background; close it with ``await client.close()``.
    """
    return AsyncMongoClient(
        uri,
        appname=app_name,
        tz_aware=True,
        timeoutMS=OPERATION_TIMEOUT_MS,
        serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT_MS,
        w="majority",
        retryWrites=True,
    )


def database_of(client: MongoClient, uri: str, *, default: str) -> Database:
    """The database that the URI names, else ``default``."""
    name = parse_uri(uri)["database"] or default
    return client.get_database(name, codec_options=CodecOptions(tz_aware=True))
