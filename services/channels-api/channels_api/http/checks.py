"""``POST /api/channels/{id}/check`` and ``…/setup``: the doctor, and setting a number up at Meta."""

from datetime import timedelta
from math import ceil
from typing import TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel

from channels_api.adapters.channel_store import ChannelStore
from channels_api.adapters.collections import CHANNELS
from channels_api.adapters.graph import Credentials
from channels_api.domain.addresses import Policy, base_url
from channels_api.domain.audit import entry
from channels_api.domain.channels import Channel, also_verified_by
from channels_api.domain.findings import overall
from channels_api.domain.pace import Pace
from channels_api.handlers.announce import announcement
from channels_api.handlers.examine import Examine
from channels_api.handlers.setup import Setup, Wanted
from channels_api.http.requests import CheckChannel, SetUpChannel
from channels_api.http.shapes import CheckShape, SetupShape, finding_shape, setup_shape
from shared.bus.outbox import Outbox
from shared.clock import Clock
from shared.crypto.sealing import Keyring, Place
from shared.http.keys import PRINCIPAL
from shared.http.operations import Operation
from shared.http.problem import FieldError, Problem, json_response, not_found, read_model
from shared.ids import new_verify_token, secret_hash

log = structlog.get_logger()

SETUP_TOKEN_LIVES = timedelta(minutes=10)
"""Meta asks for the token while it sets the address, and never again."""

TOO_MANY = (429, "too-many-checks")
M = TypeVar("M", bound=BaseModel)


class Checks:
    """Handlers of both, and what a creation needs of them."""

    def __init__(
        self,
        store: ChannelStore,
        outbox: Outbox,
        keyring: Keyring,
        examine: Examine,
        steps: Setup,
        policy: Policy,
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._keyring = keyring
        self._examine = examine
        self._steps = steps
        self._policy = policy
        self._pace = pace
        self._clock = clock

    def operations(self) -> list[Operation]:
        """Both routes."""
        return [
            Operation(
                *("POST", "/api/channels/{id}/check", self.check, "channels"),
                answer=CheckShape,
                body=CheckChannel,
                body_optional=True,
                problems=(TOO_MANY,),
            ),
            Operation(
                *("POST", "/api/channels/{id}/setup", self.setup, "channels"),
                answer=SetupShape,
                body=SetUpChannel,
                problems=(TOO_MANY,),
            ),
        ]

    async def check(self, request: web.Request) -> web.Response:
        """Find out whether the number works, and why not.

        Every finding has a plain sentence and what to do; also when Meta does not answer.
        """
        asked = await _read(request, CheckChannel)
        base = self.base_url(asked.public_base_url)
        channel = await self._channel(request)
        self.take_turn(request)
        return json_response(await self.report(channel, base))

    async def report(self, channel: Channel, base: str | None) -> CheckShape:
        """What the doctor finds; ``base`` is where Meta should reach this API."""
        findings = await self._examine.findings(channel, self._credentials(channel), base)
        state = overall(findings)
        log.info(
            "channel_checked",
            channel_id=channel.id,
            state=state.value,
            failed=[found.code for found in findings if found.state.value == "failed"],
        )
        return CheckShape(
            channel_id=channel.id,
            state=state.value,
            checked_at=self._clock(),
            findings=[finding_shape(found) for found in findings],
        )

    async def setup(self, request: web.Request) -> web.Response:
        """Set the number up at Meta: callback URL, subscription or both.

        A finding for each step; safe to repeat.
        """
        asked = await _read(request, SetUpChannel)
        wanted = self.wanted(asked.public_base_url, subscribe=asked.subscribe)
        if wanted.public_base_url is None and not wanted.subscribe:
            raise Problem(
                422,
                "invalid-request",
                "Nothing to set up: give public_base_url, subscribe or both.",
            )
        channel = await self._channel(request)
        self.take_turn(request)
        token = new_verify_token()
        if wanted.public_base_url is not None:
            channel = await self._admit(request, channel, token)
        return json_response(await self.run(channel, token, wanted))

    def wanted(self, public_base_url: str | None, *, subscribe: bool) -> Wanted:
        """What a body asks to be set up. Raises Problem 422 for an address that will not do."""
        return Wanted(self.base_url(public_base_url), subscribe)

    async def run(self, channel: Channel, verify_token: str, wanted: Wanted) -> SetupShape:
        """Set up a channel whose ingress accepts ``verify_token``."""
        who = self._credentials(channel)
        steps = await self._steps.steps(channel, who, verify_token, wanted)
        log.info("channel_set_up", channel_id=channel.id, steps=[step.code for step in steps])
        return setup_shape(channel, steps)

    def base_url(self, pasted: str | None) -> str | None:
        """``pasted`` as we use it. Raises Problem 422."""
        if pasted is None:
            return None
        try:
            return base_url(pasted, self._policy)
        except ValueError as error:
            said = f"public_base_url: {error}"
            errors = [FieldError(field="public_base_url", message=str(error))]
            raise Problem(422, "invalid-request", said, errors=errors) from None

    def take_turn(self, request: web.Request) -> None:
        """Raises Problem 429 when the tenant has had us call Meta too often."""
        wait_s = self._pace.wait_s(request[PRINCIPAL].tenant)
        if wait_s:
            raise Problem(
                429,
                "too-many-checks",
                "Too many checks and setups in a minute: Meta counts them. Try again later.",
                headers={"Retry-After": str(ceil(wait_s))},
            )

    async def _channel(self, request: web.Request) -> Channel:
        channel = await self._store.get(request[PRINCIPAL].tenant, request.match_info["id"])
        if channel is None:
            raise not_found("channel")
        return channel

    async def _admit(self, request: web.Request, channel: Channel, token: str) -> Channel:
        """Let ``token`` pass handshakes for a while: the channel's own is known by its hash alone."""
        while True:
            now = self._clock()
            until = now + SETUP_TOKEN_LIVES
            after = also_verified_by(channel, secret_hash(token), now, until)
            events = [announcement(after, "updated")]
            who = request[PRINCIPAL]
            audit = entry(
                "updated",
                ("webhook",),
                key_label=who.label,
                key_hash=who.key_hash,
                version=after.version,
                at=now,
            )
            if await self._store.replace(channel, after, events, audit):
                await self._outbox.flush(channel.id, events)
                return after
            channel = await self._channel(request)

    def _credentials(self, channel: Channel) -> Credentials:
        return Credentials(
            phone_number_id=channel.phone_number_id,
            access_token=self._opened(channel, "access_token", channel.access_token),
            app_secret=self._opened(channel, "app_secret", channel.app_secret),
            with_proof=channel.settings.appsecret_proof,
        )

    def _opened(self, channel: Channel, field: str, sealed: str) -> str:
        return self._keyring.open(sealed, Place(CHANNELS, channel.id, field))


async def _read(request: web.Request, model: type[M]) -> M:
    """The body, which may be left out."""
    return await read_model(request, model) if request.can_read_body else model()
