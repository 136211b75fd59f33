"""Fetching media as Meta's clients do: an id gives a short-lived link, the link gives the bytes."""

from aiohttp import web

from metasim.auth import needed_token, no_such_object, owner, same
from metasim.codes import GraphError
from metasim.fields import BadCommandError
from metasim.media import Media
from metasim.world import World
from metasim.writing import origin_of

GONE = 404
"""Status for media that Meta no longer keeps."""


class MediaApi:
    """The links' own path, and the part of ``GET /{node}`` that is about media."""

    def __init__(self, world: World, media_path: str) -> None:
        self._world = world
        self._media_path = media_path

    def routes(self) -> list[web.RouteDef]:
        """The links, and the same bytes without a token for the phone's page."""
        return [
            web.get(self._media_path, self.download, allow_head=False),
            web.get("/sim/media/{id}", self.look, allow_head=False),
        ]

    async def describe(self, request: web.Request) -> web.Response:
        """``GET /{media_id}?phone_number_id=``: a fresh link and what it leads to.

        The digest is hexadecimal here and base64 in webhooks; the size is a string: both as Meta
        answers.
        """
        media_id = request.match_info["node"]
        asking = owner(self._world, request, self._world.numbers.values())
        media = self._world.media.find(media_id)
        if media is None:
            raise no_such_object(request, media_id, status=GONE)
        owned = self._world.numbers.get(media.phone_number_id)
        # One token may serve several numbers; the parameter says which one is meant.
        meant = request.query.get("phone_number_id", media.phone_number_id)
        ours = owned is not None and same(owned.access_token, asking.access_token)
        if not ours or meant != media.phone_number_id:
            raise no_such_object(request, media_id)
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "url": self._world.media.link(media, origin_of(request)),
                "mime_type": media.mime_type,
                "sha256": media.digest.hex(),
                "file_size": str(len(media.data)),
                "id": media.id,
            }
        )

    async def download(self, request: web.Request) -> web.Response:
        """The bytes, for the token of the number that the media was sent to."""
        token = needed_token(request)
        query = request.query
        media_id = query.get("mid", "")
        media = self._world.media.opened(media_id, query.get("ext", ""), query.get("hash", ""))
        if media is None:
            raise no_such_object(request, media_id, status=GONE)
        number = self._world.numbers.get(media.phone_number_id)
        if number is None or not same(number.access_token, token):
            raise GraphError(190)
        return _bytes_of(media)

    async def look(self, request: web.Request) -> web.Response:
        """The bytes as the person has them."""
        media = self._world.media.find(request.match_info["id"])
        if media is None:
            raise BadCommandError("no such media", 404)
        return _bytes_of(media)


def _bytes_of(media: Media) -> web.Response:
    return web.Response(body=media.data, headers={"Content-Type": media.mime_type})
