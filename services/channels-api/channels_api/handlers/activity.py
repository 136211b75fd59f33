"""Keeps what ingress and outbound tell about a channel, in words for its operator."""

from datetime import datetime
from functools import partial
from typing import Any

from channels_api.adapters.activity_store import ActivityStore, Item
from channels_api.adapters.channel_store import ChannelStore
from channels_api.domain import notices
from channels_api.domain.channels import Channel
from channels_api.domain.health import PROBLEM_ENDED, Verdict, problem_detected
from channels_api.handlers.health import WatchHealth
from shared.bus.failures import Permanent
from shared.contracts import (
    ChannelAccountNoticeReceived,
    ChannelDeliveryObserved,
    ChannelHandshakeAstray,
    ChannelHandshakeAttempted,
    ChannelProblemDetected,
    ChannelProblemEnded,
    Envelope,
)

HANDSHAKE_MESSAGES = {
    "verified": "Meta verified the webhook.",
    "token_mismatch": (
        "Refused: the verify token is another one. Copy the token of this channel to Meta's "
        "configuration page, or rotate it to get a new one."
    ),
    "token_has_whitespace": (
        "Refused: the verify token is right but for white space around it. Remove the stray "
        "newline or blank on Meta's configuration page."
    ),
    "wrong_mode": "Refused: the request was no subscription (hub.mode). It did not come from Meta.",
}

ASTRAY_MESSAGE = (
    "Refused: the verify token is this channel's, but the address is not. Compare the end of the "
    "callback address on Meta's configuration page with webhook_url_hint."
)


class KeepActivity:
    """Handles every event of the ``activity`` exchange."""

    def __init__(self, store: ActivityStore, channels: ChannelStore, health: WatchHealth) -> None:
        self._store = store
        self._channels = channels
        self._health = health

    async def handle(self, envelope: Envelope) -> None:
        """Judge it, then store its line. Safe to repeat."""
        item = await self._item(envelope)
        if item is not None:
            await self._store.add(envelope.id, item)

    async def _item(self, envelope: Envelope) -> Item | None:
        match envelope.type:
            case ChannelHandshakeAttempted.TYPE:
                tried = envelope.payload(ChannelHandshakeAttempted)
                message = HANDSHAKE_MESSAGES[tried.outcome]
                detail = {"outcome": tried.outcome, "message": message}
                return _line(envelope, tried.channel_id, "handshake", detail)
            case ChannelHandshakeAstray.TYPE:
                return await self._astray(envelope, envelope.payload(ChannelHandshakeAstray))
            case ChannelDeliveryObserved.TYPE:
                seen = envelope.payload(ChannelDeliveryObserved)
                return _line(envelope, seen.channel_id, "delivery", _delivery(seen))
            case ChannelProblemDetected.TYPE:
                return await self._problem(envelope, envelope.payload(ChannelProblemDetected))
            case ChannelProblemEnded.TYPE:
                return await self._problem_ended(envelope, envelope.payload(ChannelProblemEnded))
            case ChannelAccountNoticeReceived.TYPE:
                return await self._notice(envelope, envelope.payload(ChannelAccountNoticeReceived))
            case _:
                raise Permanent("unknown_activity")

    async def _astray(self, envelope: Envelope, astray: ChannelHandshakeAstray) -> Item | None:
        """A line for the channel whose token it is; None when it is nobody's."""
        channel = await self._channels.of_verify_token(astray.token_hash)
        if channel is None:
            return None
        detail = {"outcome": "wrong_integration_id", "message": ASTRAY_MESSAGE}
        return Item(channel.tenant, channel.id, envelope.time, "handshake_astray", detail)

    async def _problem(self, envelope: Envelope, problem: ChannelProblemDetected) -> Item | None:
        verdict = problem_detected(problem.problem, problem.detail, problem.code)
        if await self._judged(envelope, problem.channel_id, envelope.time, verdict) is None:
            return None
        detail = {"problem": problem.problem, "message": verdict.message, "code": problem.code}
        return _line(envelope, problem.channel_id, "problem", detail)

    async def _problem_ended(self, envelope: Envelope, ended: ChannelProblemEnded) -> Item | None:
        if await self._judged(envelope, ended.channel_id, envelope.time, PROBLEM_ENDED) is None:
            return None
        detail = {"message": PROBLEM_ENDED.message}
        return _line(envelope, ended.channel_id, "problem_ended", detail)

    async def _judged(
        self, envelope: Envelope, channel_id: str, at: datetime, verdict: Verdict
    ) -> Verdict | None:
        return await self._health.judge(envelope, channel_id, at, lambda _: verdict)

    async def _notice(self, envelope: Envelope, heard: ChannelAccountNoticeReceived) -> Item | None:
        verdict = await self._health.judge(
            envelope, heard.channel_id, heard.received_at, partial(_judged_notice, heard)
        )
        if verdict is None:
            return None
        found = None if verdict.found is None else verdict.found.slug
        detail = {"topic": heard.topic, "problem": found, "message": verdict.message}
        return _line(envelope, heard.channel_id, "account_notice", detail)


def _judged_notice(heard: ChannelAccountNoticeReceived, channel: Channel) -> Verdict:
    if not notices.concerns(channel.waba_id, heard.account_id, heard.notice):
        return notices.about_another_account(heard.topic, heard.notice)
    name, language = channel.settings.window_template, channel.settings.window_template_language
    own = None if name is None else notices.OwnTemplate(name, language)
    return notices.judged(heard.topic, heard.notice, own)


def _line(envelope: Envelope, channel_id: str, kind: str, detail: dict[str, Any]) -> Item:
    return Item(envelope.tenant, channel_id, envelope.time, kind, detail)


def _delivery(seen: ChannelDeliveryObserved) -> dict[str, Any]:
    parts = [
        f"{count} {one if count == 1 else many}{rest}"
        for count, one, many, rest in (
            (seen.messages, "message", "messages", ""),
            (seen.statuses, "status", "statuses", ""),
            (seen.ignored, "part", "parts", " ignored"),
            (seen.foreign, "part", "parts", " dropped for naming another phone number id"),
        )
        if count
    ]
    return {
        "messages": seen.messages,
        "statuses": seen.statuses,
        "ignored": seen.ignored,
        "foreign": seen.foreign,
        "message": f"Webhooks arrived: {', '.join(parts) or 'nothing in them'}.",
    }


def channel_of(envelope: Envelope) -> str:
    """Activity of one channel is kept in order."""
    return envelope.subject
