"""The four ways a handler can fail, and the judgement that every service starts from."""

from pymongo.errors import ConnectionFailure, PyMongoError

from shared.contracts import ContractError


class Failure(Exception):  # noqa: N818 - the four words are the vocabulary of docs/messaging.md
    """Base of the four. ``reason`` is a stable slug for logs and dead letters, never text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Transient(Failure):
    """The message could not be handled now: hold its conversation, back off, try again."""


class Throttled(Failure):
    """Somebody told us to wait ``after_s`` seconds before this conversation goes on."""

    def __init__(self, reason: str, after_s: float) -> None:
        super().__init__(reason)
        self.after_s = after_s


class Outage(Failure):
    """Nothing can be handled now: hold everything until a probe succeeds. Never dead-letter."""


class Permanent(Failure):
    """The message can never be handled: record it, dead-letter it, let the next one flow."""


def classify(error: Exception) -> Failure:
    """Which of the four failures an error is, when its handler did not say.

    What nobody foresaw is Transient: it may succeed, and the consumer's budget ends it if not.
    """
    if isinstance(error, ContractError):
        return Permanent("contract")
    if isinstance(error, ConnectionFailure):
        return Outage("database_unreachable")
    if isinstance(error, PyMongoError) and error.timeout:
        return Outage("database_timeout")
    return Transient(type(error).__name__)
