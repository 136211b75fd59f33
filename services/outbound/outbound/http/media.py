"""``GET /internal/media``: a person's file, for the services that hold no token."""

import structlog
from aiohttp import web

from outbound.adapters.channels import Channels
from outbound.adapters.media import CHUNK_BYTES, MediaClient
from outbound.domain.media import GONE, TOO_LARGE, UNAVAILABLE, MediaError
from shared.cache import SourceUnavailableError
from shared.http.problem import Problem, not_found

log = structlog.get_logger()

_STATUS = {GONE: 404, TOO_LARGE: 413, UNAVAILABLE: 503}


class MediaFiles:
    """Handlers of the internal port."""

    def __init__(self, media: MediaClient, channels: Channels) -> None:
        self._media = media
        self._channels = channels

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [web.get("/internal/media", self.file)]

    async def file(self, request: web.Request) -> web.StreamResponse:
        """``?tenant=&channel_id=&media_id=&sha256=``: the bytes, whole and checked."""
        query = request.query
        try:
            channel = await self._channels.get(query["channel_id"], query["tenant"])
            media_id = query["media_id"]
        except KeyError as error:
            raise Problem(422, "invalid-request", f"{error.args[0]} is required.") from None
        except SourceUnavailableError:
            raise Problem(503, "unavailable", "The channel's credentials cannot be read.") from None
        if channel is None:
            raise not_found("channel")
        try:
            async with self._media.fetch(channel, media_id, query.get("sha256")) as fetched:
                response = web.StreamResponse(
                    headers={
                        "Content-Type": fetched.mime_type,
                        "Content-Length": str(fetched.size),
                        "X-Content-Type-Options": "nosniff",
                    }
                )
                await response.prepare(request)
                while chunk := fetched.content.read(CHUNK_BYTES):
                    await response.write(chunk)
                await response.write_eof()
                return response
        except MediaError as error:
            log.warning("media_not_fetched", reason=error.reason, channel_id=channel.channel_id)
            slug = error.reason.replace("_", "-")
            raise Problem(_STATUS.get(error.reason, 502), slug, error.detail) from None
