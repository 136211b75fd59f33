"""The judgement: what Meta answered and what arrived here, in; findings for the operator, out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from channels_api.domain.diagnosis import Event, diagnosis
from channels_api.domain.findings import Finding, finding
from channels_api.domain.graph import (
    Refused,
    Reply,
    Said,
    Silence,
    Silent,
    is_expired,
    is_permission,
    is_token,
    objects,
    plain,
    texts,
    whole,
)

HOUR_S, DAY_S = 3600, 86_400
SHORT_LIVED_S = 25 * HOUR_S
DATA_ACCESS_WARNING_S = 14 * DAY_S
MESSAGING, MANAGEMENT = "whatsapp_business_messaging", "whatsapp_business_management"
INGRESS_PATH = "/api/ingress/whatsapp/"

RESTRICTED = frozenset({"FLAGGED", "RESTRICTED", "RATE_LIMITED"})
APPROVED_NAMES = frozenset({"APPROVED", "AVAILABLE_WITHOUT_REVIEW"})
LEVELS = {
    "phone_number": "the number's own address",
    "whatsapp_business_account": "the WhatsApp Business Account's address",
    "application": "the app's address",
}
"""Meta's precedence: the first that is set counts."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What our own call to the public address came to."""

    status: int | None = None
    is_ours: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was found out. None: it was not asked."""

    now: datetime
    channel_id: str
    waba_id: str | None
    """As the channel has it."""
    active: bool
    number: Reply
    token: Reply
    """``debug_token`` of the access token, by itself."""
    proof: Reply | None = None
    """``debug_token`` of the access token, by the app's own token: proves the app secret."""
    subscriptions: Reply | None = None
    public_base_url: str | None = None
    probe: Probe | None = None
    events: Sequence[Event] = ()


def examine(evidence: Evidence) -> list[Finding]:
    """Every finding, in the order in which things should be mended."""
    disabled = [] if evidence.active else [finding("channel_disabled")]
    return [
        *disabled,
        *_token(evidence),
        *_app(evidence),
        *_number(evidence.number),
        *_subscription(evidence),
        *_webhook(evidence),
        *_health(evidence.number),
        *probed(evidence.probe),
        diagnosis(evidence.events, INGRESS_PATH + evidence.channel_id),
    ]


def app_id_of(token: Reply, number: Reply) -> str | None:
    """The app of the access token: as the token tells, else as the number's health does."""
    known = _said(token, "data").get("app_id")
    if isinstance(known, str) and known.isdigit():
        return known
    for entity in objects(_said(number, "health_status").get("entities")):
        app_id = entity.get("id")
        if entity.get("entity_type") == "APP" and isinstance(app_id, str) and app_id.isdigit():
            return app_id
    return None


def granted_wabas(token: Reply) -> frozenset[str]:
    """The accounts that the token was granted; empty when it was granted all of them, or none."""
    scopes = objects(_said(token, "data").get("granular_scopes"))
    return frozenset(
        target
        for scope in scopes
        if scope.get("scope") in (MANAGEMENT, MESSAGING)
        for target in texts(scope.get("target_ids"))
    )


def learnt_waba(token: Reply) -> str | None:
    """The one account that the token was granted."""
    granted = granted_wabas(token)
    (only,) = granted if len(granted) == 1 else (None,)
    return only


def _said(reply: Reply | None, name: str) -> Mapping[str, Any]:
    found = reply.data.get(name) if isinstance(reply, Said) else None
    return found if isinstance(found, Mapping) else {}


def _token(evidence: Evidence) -> Iterator[Finding]:
    known = _token_data(evidence)
    if not known:
        yield _unknown_token(evidence)
        return
    now_s = int(evidence.now.timestamp())
    expires_at = whole(known.get("expires_at")) or 0
    error = known.get("error")
    subcode = error.get("subcode") if isinstance(error, Mapping) else None
    if subcode == 463 or 0 < expires_at <= now_s:
        yield finding("token_expired")
        return
    if known.get("is_valid") is not True:
        yield finding("token_rejected")
        return
    yield finding("token_valid")
    yield _kind_of_token(str(known.get("type")).upper())
    yield _life_of_token(expires_at, now_s)
    yield from _data_access(whole(known.get("data_access_expires_at")) or 0, now_s)
    yield from _scopes(texts(known.get("scopes")))
    yield from _grant(evidence)


def _token_data(evidence: Evidence) -> Mapping[str, Any]:
    """What the app sees goes before what the token sees of itself: the app sees dead ones too."""
    return _said(evidence.proof, "data") or _said(evidence.token, "data")


def _unknown_token(evidence: Evidence) -> Finding:
    replies = (evidence.token, evidence.number)
    refusals = [reply for reply in replies if isinstance(reply, Refused) and is_token(reply)]
    if any(is_expired(refused) for refused in refusals):
        return finding("token_expired")
    if refusals:
        return finding("token_rejected")
    return finding("token_unanswered", why=_why(evidence.token).value)


def _kind_of_token(kind: str) -> Finding:
    if kind == "SYSTEM_USER":
        return finding("token_of_system")
    if kind == "USER":
        return finding("token_of_person")
    return finding("token_wrong_kind", value=plain(kind, 20))


def _life_of_token(expires_at: int, now_s: int) -> Finding:
    left_s = expires_at - now_s
    if not expires_at:
        return finding("token_lasting")
    if left_s <= SHORT_LIVED_S:
        return finding("token_short_lived", left=_counted(ceil(left_s / HOUR_S), "hour"))
    return finding("token_expires", left=_counted(left_s // DAY_S, "day"))


def _counted(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def _data_access(ends_at: int, now_s: int) -> Iterator[Finding]:
    if not ends_at:
        return
    if ends_at <= now_s:
        yield finding("token_data_access_ended")
    elif ends_at - now_s < DATA_ACCESS_WARNING_S:
        yield finding("token_data_access_ends", left=_counted((ends_at - now_s) // DAY_S, "day"))


def _scopes(scopes: Sequence[str]) -> Iterator[Finding]:
    if MESSAGING not in scopes:
        yield finding("scope_messaging_missing")
    if MANAGEMENT not in scopes:
        yield finding("scope_management_missing")
    if {MESSAGING, MANAGEMENT} <= set(scopes):
        yield finding("scopes_granted")


def _grant(evidence: Evidence) -> Iterator[Finding]:
    told = evidence.proof if _said(evidence.proof, "data") else evidence.token
    granted = granted_wabas(told) if told is not None else frozenset()
    if evidence.waba_id is None:
        only = learnt_waba(told) if told is not None else None
        yield finding("waba_unknown") if only is None else finding("waba_learnt", waba_id=only)
    elif granted and evidence.waba_id not in granted:
        yield finding("waba_not_granted")
    else:
        yield finding("waba_granted")


def _app(evidence: Evidence) -> Iterator[Finding]:
    match evidence.proof:
        case None:
            yield finding("app_secret_unproven")
        case Said():
            yield finding("app_secret_proven")
        case Refused() as refused if is_token(refused) or refused.about_proof:
            yield finding("app_secret_wrong")
        case reply:
            yield finding("app_secret_unanswered", why=_why(reply).value)


def _number(reply: Reply) -> Iterator[Finding]:
    match reply:
        case Silent():
            yield finding("number_unanswered", why=reply.why.value)
        case Refused():
            found = _refused_number(reply)
            if found is not None:
                yield found
        case Said():
            yield finding("number_readable")
            yield from _node(reply.data)


def _refused_number(refused: Refused) -> Finding | None:
    if refused.about_proof:
        return finding("proof_rejected")
    if is_token(refused):
        return None  # said of the token already
    if is_permission(refused):
        return finding("number_not_permitted")
    if refused.code == 33 or (refused.code == 100 and refused.subcode == 33):
        return finding("number_unknown")
    return finding("number_refused", code=refused.code or f"HTTP {refused.http_status}")


def _node(node: Mapping[str, Any]) -> Iterator[Finding]:
    def value(name: str) -> str:
        return plain(node.get(name), 40)

    if value("platform_type") not in ("", "CLOUD_API"):
        yield finding("number_not_cloud", value=value("platform_type"))
    if value("status") in RESTRICTED:
        yield finding("number_restricted", value=value("status"))
    elif value("status") == "CONNECTED":
        yield finding("number_connected")
    elif value("status"):
        yield finding("number_not_connected", value=value("status"))
    if value("account_mode") == "SANDBOX":
        yield finding("number_sandbox")
    if value("quality_rating") in ("YELLOW", "RED"):
        yield finding("number_quality", value=value("quality_rating"))
    if value("code_verification_status") in ("NOT_VERIFIED", "EXPIRED"):
        yield finding("number_unverified", value=value("code_verification_status"))
    if value("name_status") and value("name_status") not in APPROVED_NAMES:
        yield finding("name_not_approved", value=value("name_status"))


def _subscription(evidence: Evidence) -> Iterator[Finding]:
    match evidence.subscriptions:
        case None:
            return
        case Silent() as silent:
            yield finding("subscription_unanswered", why=silent.why.value)
        case Refused() as refused:
            # Of a refused token enough is said already.
            if not is_token(refused):
                yield finding("subscription_refused")
        case Said() as said:
            yield _subscribed(said, app_id_of(evidence.token, evidence.number))


def _subscribed(said: Said, app_id: str | None) -> Finding:
    apps = objects(said.data.get("data"))
    ids = {_said(Said(app), "whatsapp_business_api_data").get("id") for app in apps}
    if not apps:
        return finding("waba_not_subscribed")
    if app_id is not None and app_id not in ids:
        return finding("waba_subscribed_elsewhere")
    return finding("waba_subscribed")


def _webhook(evidence: Evidence) -> Iterator[Finding]:
    if not isinstance(evidence.number, Said):
        return
    targets = webhook_targets(evidence.number)
    if targets:
        yield _target(*targets[0], evidence)
    else:
        yield finding("webhook_unset")


def webhook_targets(number: Reply) -> list[tuple[str, str]]:
    """Addresses that are set at Meta and how they are set; the first one counts."""
    configured = _said(number, "webhook_configuration")
    found = ((configured.get(name), level) for name, level in LEVELS.items())
    return [(target, level) for target, level in found if isinstance(target, str) and target]


def _target(target: str, level: str, evidence: Evidence) -> Finding:
    try:
        parts = urlsplit(target)
        base = urlsplit(evidence.public_base_url or target)
    except ValueError:
        return finding("webhook_elsewhere", target="an address that cannot be read", level=level)
    path = INGRESS_PATH + evidence.channel_id
    if not evidence.public_base_url:
        ours = parts.path.endswith(path)
    else:
        ours = (parts.netloc.lower(), parts.path) == (base.netloc.lower(), base.path + path)
    if ours:
        return finding("webhook_here")
    if INGRESS_PATH in parts.path and not parts.path.endswith(path):
        return finding("webhook_other_channel", level=level)
    # Neither user nor query: they may hold a secret.
    shown = plain(f"{parts.scheme}://{parts.hostname or ''}{parts.path}")
    return finding("webhook_elsewhere", target=shown, level=level)


def _health(reply: Reply) -> Iterator[Finding]:
    health = _said(reply, "health_status")
    state = health.get("can_send_message")
    if state == "AVAILABLE":
        yield finding("health_available")
    elif state in ("LIMITED", "BLOCKED"):
        errors = _health_errors(objects(health.get("entities")))
        yield finding("health_limited" if state == "LIMITED" else "health_blocked", errors=errors)


def _health_errors(entities: Sequence[Mapping[str, Any]]) -> str:
    said: list[str] = []
    for entity in entities:
        if entity.get("can_send_message") == "AVAILABLE":
            continue
        kind = plain(entity.get("entity_type"), 30)
        errors = objects(entity.get("errors"))
        said += [
            f"{kind}: {plain(e.get('error_description'))} {plain(e.get('possible_solution'))}"
            for e in errors
        ] or [f"{kind} without a reason."]
    return " ".join(said)[:600] or "without a reason."


def probed(probe: Probe | None) -> Iterator[Finding]:
    """What our own call to the public address says."""
    if probe is None:
        return
    if probe.problem == "refused":
        yield finding("address_refused")
    elif probe.problem is not None or probe.status is None:
        yield finding("address_unreachable", why=_UNREACHED.get(probe.problem or "", "no answer"))
    elif probe.is_ours:
        yield finding("address_reachable")
    else:
        yield finding("address_answers_otherwise", status=probe.status)


_UNREACHED = {
    "name": "its name does not resolve",
    "certificate": "its certificate is not valid",
    "tls": "it does not speak TLS there",
    "timeout": "it did not answer in time",
    "connection": "it takes no connection",
}


def _why(reply: Reply) -> Silence:
    return reply.why if isinstance(reply, Silent) else Silence.UNASKED
