"""The Graph API's routes: messages, the number's own node, token and subscription checks."""

import json
from typing import Any

from aiohttp import web

from metasim.auth import check_proof, needed_token, no_such_object, owner, same
from metasim.codes import GraphError
from metasim.edge import CALL, FAULT
from metasim.media_api import MediaApi
from metasim.messages import MarkRead, parse
from metasim.sending import Sender
from metasim.standing import MANAGEMENT, MESSAGING, check_scope, check_token, token_data
from metasim.webhooks import Courier
from metasim.world import Number, World

VERSION = r"/{version:v\d+\.\d+}"
OVERRIDE_URL_MAX = 200
DEFAULT_FIELDS = "verified_name,code_verification_status,display_phone_number,quality_rating,platform_type,throughput,webhook_configuration"


class GraphApi:
    """Handlers. Each raises GraphError for what Meta would refuse."""

    def __init__(self, world: World, courier: Courier, sender: Sender, media: MediaApi) -> None:
        self._world = world
        self._media = media
        self._courier = courier
        self._sender = sender

    def routes(self) -> list[web.RouteDef]:
        """Every documented path that is doubled."""
        subscribed_apps = VERSION + "/{waba_id}/subscribed_apps"
        return [
            web.get(VERSION + "/debug_token", self.debug_token, allow_head=False),
            web.get(VERSION + "/{node}", self.read_node, allow_head=False),
            web.post(VERSION + "/{node}", self.change_number),
            web.post(VERSION + "/{node}/messages", self.post_message),
            web.get(subscribed_apps, self.subscribed_apps, allow_head=False),
            web.post(subscribed_apps, self.subscribe),
            web.delete(subscribed_apps, self.unsubscribe),
        ]

    async def post_message(self, request: web.Request) -> web.Response:
        """``POST /{phone_number_id}/messages``: send, or mark read."""
        number = self._own_number(request)
        check_scope(number, MESSAGING)
        asked = parse(await _body(request))
        if isinstance(asked, MarkRead):
            return web.json_response(await self._sender.mark_read(number, asked))
        fault = request.get(FAULT)
        failing_code = fault.code if fault is not None and fault.type == "fails_later" else None
        answer = await self._sender.send(number, asked, failing_code)
        request[CALL].wamid = answer["messages"][0]["id"]
        return web.json_response(answer)

    async def read_node(self, request: web.Request) -> web.Response:
        """``GET /{node}``: Graph knows by the id what is asked about."""
        node = request.match_info["node"]
        if node == "me":
            raise GraphError(
                2500,
                message="An active access token must be used to query information about the "
                "current user.",
            )
        if self._world.media.was_kept(node):
            return await self._media.describe(request)
        return await self._read_number(request)

    async def _read_number(self, request: web.Request) -> web.Response:
        """``GET /{phone_number_id}?fields=…``."""
        number = self._own_number(request)
        check_scope(number, MANAGEMENT)
        known = self._node(number) | number.node
        answer = {}
        for name in request.query.get("fields", DEFAULT_FIELDS).split(","):
            field = name.strip().partition("{")[0]
            if field not in known:
                raise GraphError(
                    100,
                    message=f"(#100) Tried accessing nonexisting field ({field[:60]}) on node type "
                    "(WhatsAppBusinessPhoneNumber)",
                )
            answer[field] = known[field]
        return web.json_response({**answer, "id": number.phone_number_id})

    async def change_number(self, request: web.Request) -> web.Response:
        """``POST /{phone_number_id}``: set or (empty string) delete the number's own callback."""
        number = self._own_number(request)
        check_scope(number, MANAGEMENT)
        body = await _body(request)
        wanted = body.get("webhook_configuration") if isinstance(body, dict) else None
        if not isinstance(wanted, dict) or not isinstance(wanted.get("override_callback_uri"), str):
            raise GraphError(100, "webhook_configuration.override_callback_uri is required.")
        number.override_url = await self._verified_override(wanted)
        return web.json_response({"success": True})

    async def debug_token(self, request: web.Request) -> web.Response:
        """``GET /debug_token``: by the app's own token, which proves the app secret, or by itself."""
        bearer, token = needed_token(request), request.query.get("input_token", "")
        now = self._world.now()
        app_id, is_app, secret = bearer.partition("|")
        known = self._world.numbers.values()
        if is_app:
            ours = [n for n in known if n.app_id == app_id and same(n.app_secret, secret)]
        else:
            ours = [n for n in known if same(n.access_token, bearer)]
        if not ours:
            raise GraphError(190, message="Invalid OAuth access token signature.")
        if is_app:
            check_proof(self._world, request, secret, bearer, needed=False)
        else:
            check_token(ours[0], now)
        found = next((number for number in ours if same(number.access_token, token)), None)
        if found is None:
            problem = {"code": 190, "message": "Invalid OAuth access token."}
            return web.json_response({"data": {"error": problem, "is_valid": False, "scopes": []}})
        return web.json_response({"data": token_data(found, now)})

    async def subscribed_apps(self, request: web.Request) -> web.Response:
        """``GET /{waba_id}/subscribed_apps``."""
        number = self._number_of_waba(request)
        if number.waba_id not in self._world.subscriptions:
            return web.json_response({"data": []})
        app_id = number.subscribed_app_id or number.app_id
        app: dict[str, Any] = {
            "whatsapp_business_api_data": {
                "id": app_id,
                "link": f"https://www.facebook.com/games/?app_id={app_id}",
                "name": "metasim",
            }
        }
        if override := self._world.subscriptions[number.waba_id]:
            app["override_callback_uri"] = override
        return web.json_response({"data": [app]})

    async def subscribe(self, request: web.Request) -> web.Response:
        """``POST /{waba_id}/subscribed_apps``; an empty body also removes an override."""
        number = self._number_of_waba(request)
        body = await _body(request) if await request.read() else {}
        override = await self._verified_override(body if isinstance(body, dict) else {})
        self._world.subscriptions[number.waba_id] = override
        number.subscribed_app_id = None
        return web.json_response({"success": True})

    async def unsubscribe(self, request: web.Request) -> web.Response:
        """``DELETE /{waba_id}/subscribed_apps``: from now on no webhook is sent."""
        self._world.subscriptions.pop(self._number_of_waba(request).waba_id, None)
        return web.json_response({"success": True})

    async def _verified_override(self, wanted: dict[str, Any]) -> str | None:
        url = wanted.get("override_callback_uri") or None
        if url is None:
            return None
        if not isinstance(url, str) or len(url) > OVERRIDE_URL_MAX:
            raise GraphError(100, "override_callback_uri must be at most 200 characters long.")
        handshake = await self._courier.handshake(url, str(wanted.get("verify_token", "")))
        if not handshake.ok:
            raise GraphError(2200, message=handshake.message)
        return url

    def _own_number(self, request: web.Request) -> Number:
        needed_token(request)
        number = self._world.numbers.get(request.match_info["node"])
        if number is None:
            raise no_such_object(request, request.match_info["node"])
        return owner(self._world, request, [number])

    def _number_of_waba(self, request: web.Request) -> Number:
        needed_token(request)
        waba_id = request.match_info["waba_id"]
        numbers = [item for item in self._world.numbers.values() if item.waba_id == waba_id]
        if not numbers:
            raise no_such_object(request, waba_id)
        number = owner(self._world, request, numbers)
        check_scope(number, MANAGEMENT)
        targets = number.token.target_ids
        if targets and waba_id not in targets:
            raise no_such_object(request, waba_id)
        return number

    def _node(self, number: Number) -> dict[str, Any]:
        waba_override = self._world.subscriptions.get(number.waba_id)
        callbacks = {
            "phone_number": number.override_url,
            "whatsapp_business_account": waba_override,
            "application": number.callback_url,
        }
        entities = (
            ("PHONE_NUMBER", number.phone_number_id),
            ("WABA", number.waba_id),
            ("APP", number.app_id),
        )
        return {
            "id": number.phone_number_id,
            "display_phone_number": number.display_phone_number,
            "verified_name": number.verified_name,
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "name_status": "APPROVED",
            "status": "CONNECTED",
            "account_mode": "LIVE",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
            "webhook_configuration": {name: url for name, url in callbacks.items() if url},
            "health_status": {
                "can_send_message": "AVAILABLE",
                "entities": [
                    {"entity_type": kind, "id": node, "can_send_message": "AVAILABLE"}
                    for kind, node in entities
                ],
            },
        }


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError:
        raise GraphError(100, "The request body is not valid JSON.") from None
