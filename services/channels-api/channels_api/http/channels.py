"""``/api/channels``."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

import orjson
import structlog
from aiohttp import web
from pydantic import Field

from channels_api.adapters.activity_store import KEPT_PER_CHANNEL, ActivityStore, Item
from channels_api.adapters.channel_store import ChannelStore
from channels_api.adapters.collections import CHANNELS, CREATIONS
from channels_api.domain.audit import KEPT, Action, Entry, entry
from channels_api.domain.channels import (
    Changes,
    Channel,
    ChannelSettings,
    Creation,
    changed,
    last4,
    mended_sentence,
    same_but_for_health,
)
from channels_api.domain.health import difference
from channels_api.handlers.announce import announcement, health_news
from channels_api.handlers.examine import Examine
from channels_api.http.checks import TOO_MANY, Checks
from channels_api.http.requests import CreateChannel, UpdateChannel
from channels_api.http.shapes import (
    ActivityShape,
    AuditShape,
    ChannelPage,
    ChannelShape,
    CreatedChannelShape,
    TenantAuditShape,
    channel_shape,
    finding_shape,
)
from shared.bus.outbox import Outbox
from shared.clock import Clock
from shared.crypto.sealing import Keyring, Place
from shared.http.idempotency import IDEMPOTENCY_KEY, KEY_REUSED, idempotency_key, key_reused
from shared.http.keys import PRINCIPAL
from shared.http.operations import Header, Operation
from shared.http.pages import PageQuery, Query, page_of
from shared.http.problem import Problem, json_response, not_found, read_model, read_query
from shared.ids import derived_id, new_channel_id, new_verify_token, secret_hash

log = structlog.get_logger()


IF_MATCH = Header(
    "If-Match",
    "`ETag` of the channel as you know it: 412 when somebody changed it since.",
)


class ActivityQuery(Query):
    """Of a channel's activity."""

    limit: int = Field(default=100, ge=1, le=KEPT_PER_CHANNEL, description="Lines at most.")


class AuditQuery(Query):
    """Of a channel's audit log."""

    limit: int = Field(default=100, ge=1, le=KEPT, description="Entries at most.")


class Channels:
    """Handlers of ``/api/channels``."""

    def __init__(
        self,
        store: ChannelStore,
        activity: ActivityStore,
        outbox: Outbox,
        keyring: Keyring,
        clock: Clock,
        grace: timedelta,
        examine: Examine,
        checks: Checks,
    ) -> None:
        self._store = store
        self._activity = activity
        self._outbox = outbox
        self._keyring = keyring
        self._clock = clock
        self._grace = grace
        self._examine = examine
        self._checks = checks

    def operations(self) -> list[Operation]:
        """Every route under ``/api/channels``."""
        return [
            Operation(
                *("POST", "/api/channels", self.create, "channels"),
                answer=CreatedChannelShape,
                status=201,
                body=CreateChannel,
                headers=(IDEMPOTENCY_KEY,),
                problems=(KEY_REUSED, (409, "not-repeatable"), TOO_MANY),
            ),
            Operation(
                *("GET", "/api/channels", self.list, "channels"),
                answer=ChannelPage,
                query=PageQuery,
            ),
            Operation(*("GET", "/api/channels/{id}", self.get, "channels"), answer=ChannelShape),
            Operation(
                *("PATCH", "/api/channels/{id}", self.update, "channels"),
                answer=ChannelShape,
                body=UpdateChannel,
                headers=(IF_MATCH,),
                problems=((409, "changed-meanwhile"), (412, "changed-meanwhile")),
            ),
            Operation(
                *("DELETE", "/api/channels/{id}", self.delete, "channels"),
                answer=None,
                status=204,
                headers=(IF_MATCH,),
                problems=((412, "changed-meanwhile"),),
            ),
            Operation(
                *("GET", "/api/channels/{id}/activity", self.activity, "channels"),
                answer=ActivityShape,
                query=ActivityQuery,
            ),
            Operation(
                *("GET", "/api/audit", self.tenant_audit, "channels"),
                answer=TenantAuditShape,
                query=AuditQuery,
            ),
            Operation(
                *("GET", "/api/channels/{id}/audit", self.audit, "channels"),
                answer=AuditShape,
                query=AuditQuery,
            ),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Connect a number. The answer has the verify token, this once.

        With `public_base_url` or `subscribe` it is set up at Meta too; with `check` the doctor looks
        at it. The channel is there either way.
        """
        tenant = request[PRINCIPAL].tenant
        asked = await read_model(request, CreateChannel)
        wanted = self._checks.wanted(asked.public_base_url, subscribe=asked.subscribe)
        to_set_up = wanted.public_base_url is not None or wanted.subscribe
        if to_set_up or asked.check:
            self._checks.take_turn(request)
        channel_id, verify_token = await self._identity(request, tenant, asked)
        channel = self._new_channel(channel_id, tenant, asked, verify_token)
        shown: Channel | None = channel
        if not await self._inserted(request, channel, asked.model_fields_set):
            shown = await self._store.get(tenant, channel_id)
        if shown is None:
            raise _not_repeatable()
        others = await self._store.others_of_number(shown)
        connected = channel_shape(shown, self._clock(), verify_token=verify_token)
        shape = cast("CreatedChannelShape", {**connected, "warnings": _warnings(others)})
        if to_set_up:
            shape["setup"] = await self._checks.run(shown, verify_token, wanted)
        if asked.check:
            shape["check"] = await self._checks.report(shown, wanted.public_base_url)
        return json_response(shape, status=201)

    async def _identity(
        self, request: web.Request, tenant: str, asked: CreateChannel
    ) -> tuple[str, str]:
        """Id and verify token: new ones, or those of the first call with this key."""
        channel_id, verify_token = new_channel_id(), new_verify_token()
        key = idempotency_key(request)
        if key is None:
            return channel_id, verify_token
        creation_id = derived_id("create-channel", tenant, key)
        place = Place(CREATIONS, creation_id, "verify_token")
        asked_for = Creation(
            id=creation_id,
            tenant=tenant,
            channel_id=channel_id,
            fingerprint=_fingerprint(asked),
            verify_token=self._keyring.seal(verify_token, place),
        )
        first = await self._store.reserve(asked_for)
        if first.fingerprint != asked_for.fingerprint:
            raise key_reused()
        if first.verify_token is None:
            raise _not_repeatable()
        return first.channel_id, self._keyring.open(first.verify_token, place)

    async def _inserted(
        self, request: web.Request, channel: Channel, fields: Collection[str]
    ) -> bool:
        events = [announcement(channel, "created")]
        inserted = await self._store.insert(
            channel, events, self._entry(request, "created", fields, channel.version)
        )
        if inserted:
            await self._outbox.flush(channel.id, events)
            log.info("channel_created", channel_id=channel.id)
        return inserted

    def _new_channel(
        self, channel_id: str, tenant: str, asked: CreateChannel, verify_token: str
    ) -> Channel:
        now = self._clock()
        return Channel(
            id=channel_id,
            tenant=tenant,
            label=asked.label,
            phone_number_id=asked.phone_number_id,
            waba_id=asked.waba_id,
            auto_reply=asked.auto_reply,
            state="active",
            access_token=self._seal(channel_id, "access_token", asked.access_token),
            access_token_last4=last4(asked.access_token),
            app_secret=self._seal(channel_id, "app_secret", asked.app_secret),
            app_secret_last4=last4(asked.app_secret),
            verify_token_hash=secret_hash(verify_token),
            version=1,
            created_at=now,
            updated_at=now,
            settings=ChannelSettings(**asked.chosen()),
        )

    def _seal(self, channel_id: str, field: str, secret: str) -> str:
        return self._keyring.seal(secret, Place(CHANNELS, channel_id, field))

    async def list(self, request: web.Request) -> web.Response:
        """Connected numbers, oldest first."""
        asked = read_query(request, PageQuery)
        rows = await self._store.page(
            request[PRINCIPAL].tenant, limit=asked.limit + 1, after=asked.cursor
        )
        shown, cursor = page_of(rows, asked.limit, lambda channel: (channel.created_at, channel.id))
        now = self._clock()
        channels = [channel_shape(channel, now) for channel in shown]
        return json_response({"channels": channels, "next_cursor": cursor})

    async def _channel(self, request: web.Request) -> Channel:
        channel = await self._store.get(request[PRINCIPAL].tenant, request.match_info["id"])
        if channel is None:
            raise not_found("channel")
        return channel

    async def get(self, request: web.Request) -> web.Response:
        """One number, without any secret. `ETag` names what you saw."""
        return self._shown(await self._channel(request))

    def _shown(self, channel: Channel, verify_token: str | None = None) -> web.Response:
        shape = channel_shape(channel, self._clock(), verify_token=verify_token)
        return json_response(shape, headers={"ETag": etag(channel)})

    def _entry(
        self, request: web.Request, action: Action, fields: Collection[str], version: int
    ) -> Entry:
        who = request[PRINCIPAL]
        return entry(
            action,
            fields,
            key_label=who.label,
            key_hash=who.key_hash,
            version=version,
            at=self._clock(),
        )

    async def update(self, request: web.Request) -> web.Response:
        """Change what is given; what is absent stays.

        A new verify token is shown this once. The previous app secret and verify token are accepted
        for a while, so that no webhook in flight is refused.
        """
        asked = await read_model(request, UpdateChannel)
        channel = await self._channel(request)
        _check_match(request, channel)
        verify_token = new_verify_token() if asked.rotate_verify_token else None
        changes = self._changes(channel, asked, verify_token)
        fields = asked.model_fields_set
        while (after := await self._changed(request, channel, changes, fields)) is None:
            current = await self._channel(request)
            _check_match(request, current)
            if not same_but_for_health(channel, current):
                raise Problem(
                    409, "changed-meanwhile", "The channel was changed by somebody else. Try again."
                )
            channel = current
        await self._note_mended(channel, after, changes)
        log.info("channel_updated", channel_id=channel.id, version=after.version)
        return self._shown(after, verify_token)

    async def _changed(
        self, request: web.Request, channel: Channel, changes: Changes, fields: Collection[str]
    ) -> Channel | None:
        """The channel after ``changes``; None when it was changed since it was read."""
        after = changed(channel, changes, self._clock(), self._grace)
        events = [announcement(after, "updated"), *health_news(channel, after)]
        audit = self._entry(request, "updated", fields, after.version)
        if not await self._store.replace(channel, after, events, audit):
            return None
        if changes.verify_token_hash is not None:
            await self._store.forget_token(channel.tenant, channel.id)
        await self._outbox.flush(channel.id, events)
        return after

    async def _note_mended(self, before: Channel, after: Channel, changes: Changes) -> None:
        """Say in the activity that problems count as mended, and why: nobody has proved it yet."""
        for problem in difference(before.health, after.health).ended:
            detail = {"problem": problem.slug, "message": mended_sentence(problem, changes)}
            item = Item(after.tenant, after.id, after.updated_at, "mended", detail)
            line_id = derived_id("mended", after.id, str(after.version), problem.slug)
            await self._activity.add(line_id, item)

    def _changes(self, channel: Channel, asked: UpdateChannel, verify_token: str | None) -> Changes:
        token, secret = asked.access_token, asked.app_secret
        return Changes(
            label=asked.label,
            auto_reply=asked.auto_reply,
            state=asked.state,
            waba_id=asked.waba_id,
            access_token=None if token is None else self._seal(channel.id, "access_token", token),
            access_token_last4=last4(token or ""),
            app_secret=None if secret is None else self._seal(channel.id, "app_secret", secret),
            app_secret_last4=last4(secret or ""),
            verify_token_hash=None if verify_token is None else secret_hash(verify_token),
            settings=asked.chosen(),
            try_again=asked.health == "ok",
        )

    async def delete(self, request: web.Request) -> web.Response:
        """Disconnect a number: its credentials are destroyed at once.

        The history of conversations stays.
        """
        channel = await self._channel(request)
        _check_match(request, channel)
        await self._store.forget_token(channel.tenant, channel.id)
        while not await self._deleted(request, channel):
            channel = await self._channel(request)
            _check_match(request, channel)
        return web.Response(status=204)

    async def _deleted(self, request: web.Request, channel: Channel) -> bool:
        events = [announcement(replace(channel, version=channel.version + 1), "deleted")]
        audit = self._entry(request, "deleted", (), channel.version + 1)
        deleted = await self._store.delete(channel, events, audit)
        if deleted:
            await self._outbox.flush(channel.id, events)
            log.info("channel_deleted", channel_id=channel.id)
        return deleted

    async def audit(self, request: web.Request) -> web.Response:
        """Who changed what of a number, newest first; never the values. Outlives the channel."""
        limit = read_query(request, AuditQuery).limit
        tenant, channel_id = request[PRINCIPAL].tenant, request.match_info["id"]
        entries = await self._store.audit(tenant, channel_id, limit)
        if entries is None:
            raise not_found("channel")
        return json_response({"audit": entries})

    async def tenant_audit(self, request: web.Request) -> web.Response:
        """Who changed what of any of your numbers, deleted ones too, newest first."""
        limit = read_query(request, AuditQuery).limit
        return json_response(
            {"audit": await self._store.tenant_audit(request[PRINCIPAL].tenant, limit)}
        )

    async def activity(self, request: web.Request) -> web.Response:
        """What happened at a number's webhook and at Meta, in plain sentences, newest first."""
        limit = read_query(request, ActivityQuery).limit
        channel = await self._channel(request)
        # In this order the list has whatever the diagnosis speaks of.
        diagnosis = finding_shape(await self._examine.diagnosis(channel))
        newest = await self._activity.newest(channel.tenant, channel.id, limit)
        return json_response({"activity": newest, "diagnosis": diagnosis})


def etag(channel: Channel) -> str:
    """Changes whenever a person changes the channel; its health comes and goes without."""
    return f'"{int(channel.updated_at.timestamp() * 1000):x}"'


def _check_match(request: web.Request, channel: Channel) -> None:
    """412 when the caller has seen another channel than there is now."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return
    if etag(channel) not in {tag.strip() for tag in wanted.split(",")}:
        raise Problem(
            412, "changed-meanwhile", "The channel was changed since you read it. Read it again."
        )


def _fingerprint(asked: CreateChannel) -> str:
    return secret_hash(orjson.dumps(asked.model_dump(), option=orjson.OPT_SORT_KEYS).decode())


def _warnings(others: Sequence[str]) -> list[str]:
    """What an operator should know who connects a number for the second time."""
    if not others:
        return []
    warning = (
        f"This number is connected to {', '.join(others)} too. If Meta delivers its messages to "
        "both, people are answered twice: delete the one that you do not need."
    )
    return [warning]


def _not_repeatable() -> Problem:
    return Problem(
        409,
        "not-repeatable",
        "The channel that this Idempotency-Key created was deleted, or its verify token was "
        "replaced, so the first answer cannot be given again. Use a new key for a new channel.",
    )
