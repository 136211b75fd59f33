"""What a caller is told while we cannot work: 503 and when to come back, never 500."""

from aiohttp import web
from pymongo.errors import PyMongoError

from shared.bus.failures import Failure, Outage, Transient, classify
from shared.http.problem import Problem
from shared.http.server import Handler

RETRY_AFTER_S = 2


@web.middleware
async def outages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The consumers' own judgement of errors, as HTTP says it."""
    try:
        return await handler(request)
    except (Failure, PyMongoError) as error:
        failure = error if isinstance(error, Failure) else classify(error)
        if not isinstance(failure, (Outage, Transient)):
            raise
        raise Problem(
            503,
            "unavailable",
            "We cannot work on this right now. Nothing was lost; try again.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        ) from error
