"""Bodies of Graph's messages endpoint: what is asked, or the error that Meta would answer."""

from dataclasses import dataclass, field
from typing import Any

from metasim.codes import GraphError
from metasim.templates import check_shape
from metasim.world import digits_of

TEXT_MAX = 4096
CALLBACK_DATA_MAX = 512
INTERACTIVE_KINDS = frozenset(
    {
        "button",
        "list",
        "cta_url",
        "flow",
        "location_request_message",
        "address_message",
        "request_contact_info",
        "call_permission_request",
        "voice_call",
    }
)


@dataclass(frozen=True, slots=True)
class SendMessage:
    """An accepted wording of a message; nothing was checked against the world yet."""

    kind: str
    """``text``, ``template`` or ``interactive``."""
    to: str | None
    """Digits; when None the person is addressed by ``user_id``."""
    user_id: str | None
    addressed_as: str
    """The recipient as it was given; the answer repeats it."""
    text: str = field(repr=False)
    """What the person reads."""
    content: dict[str, Any] = field(repr=False)
    """The object under the type's key."""
    context_message_id: str | None
    callback_data: str | None


@dataclass(frozen=True, slots=True)
class MarkRead:
    """``status: read``, with or without the typing indicator."""

    message_id: str
    typing: bool


def parse(body: Any) -> SendMessage | MarkRead:
    """Read a body of ``POST /{phone_number_id}/messages``. Raises GraphError."""
    if not isinstance(body, dict):
        raise GraphError(100, "The request body is not a JSON object.")
    if body.get("messaging_product") != "whatsapp":
        raise GraphError(100, "Param messaging_product must be one of {WHATSAPP}.")
    if "status" in body:
        return _mark_read(body)
    if body.get("recipient_type", "individual") != "individual":
        raise GraphError(100, "Param recipient_type must be one of {INDIVIDUAL}.")
    to, user_id = _recipient(body)
    kind = str(body.get("type", "text"))
    if kind not in _READERS:
        raise GraphError(131051, f"Message type {kind[:40]!r} is not supported.")
    content = _object(body, kind)
    callback_data = body.get("biz_opaque_callback_data")
    if callback_data is not None:
        _text(callback_data, "biz_opaque_callback_data", CALLBACK_DATA_MAX)
    quoted = None
    if body.get("context") is not None:
        quoted = _text(_object(body, "context").get("message_id"), "context['message_id']")
    return SendMessage(
        kind=kind,
        to=to,
        user_id=user_id,
        addressed_as=str(body.get("to") or body["recipient"]),
        text=_READERS[kind](content),
        content=content,
        context_message_id=quoted,
        callback_data=callback_data,
    )


def kinds_of(body: Any) -> frozenset[str]:
    """What faults may match on: ``read`` and ``typing``, or the message's type; may be empty."""
    if not isinstance(body, dict):
        return frozenset()
    if body.get("status") == "read":
        return frozenset({"read", "typing"} if body.get("typing_indicator") else {"read"})
    if body.get("messaging_product") == "whatsapp":
        return frozenset({str(body.get("type", "text"))})
    return frozenset()


def _mark_read(body: dict[str, Any]) -> MarkRead:
    if body["status"] != "read":
        raise GraphError(100, "Param status must be one of {READ}.")
    message_id = _text(body.get("message_id"), "message_id")
    indicator = body.get("typing_indicator")
    if indicator is not None and (
        not isinstance(indicator, dict) or indicator.get("type") != "text"
    ):
        raise GraphError(100, "Param typing_indicator['type'] must be one of {TEXT}.")
    return MarkRead(message_id, typing=indicator is not None)


def _recipient(body: dict[str, Any]) -> tuple[str | None, str | None]:
    """``to`` wins over ``recipient``, as documented."""
    if body.get("to"):
        to = digits_of(str(body["to"]))
        if not 5 <= len(to) <= 15:
            raise GraphError(131009, "Param to is not a valid phone number.")
        return to, None
    if body.get("recipient"):
        return None, _text(body["recipient"], "recipient", 150)
    raise GraphError(
        100, "The parameter to is required.", message="(#100) The parameter to is required."
    )


def _read_text(content: dict[str, Any]) -> str:
    return _text(content.get("body"), "text['body']", TEXT_MAX)


def _read_template(content: dict[str, Any]) -> str:
    name = _text(content.get("name"), "template['name']", 512)
    _text(_object(content, "language").get("code"), "template['language']['code']")
    check_shape(content)
    return f"[template {name}]"


def _read_interactive(content: dict[str, Any]) -> str:
    kind = str(content.get("type"))
    if kind not in INTERACTIVE_KINDS:
        raise GraphError(131009, "Param interactive['type'] is not a known type.")
    limit = TEXT_MAX if kind == "list" else 1024
    text = _text(_object(content, "body").get("text"), "interactive['body']['text']", limit)
    action = content.get("action")
    if kind == "button":
        buttons = _items(action, "buttons", 1, 3)
        for button in buttons:
            reply = _object(button, "reply")
            _text(reply.get("title"), "button title", 20)
            _text(reply.get("id"), "button id", 256)
    if kind == "list":
        rows = [
            row for part in _items(action, "sections", 1, 10) for row in _items(part, "rows", 1, 10)
        ]
        if len(rows) > 10:
            raise GraphError(131009, "A list has at most 10 rows.")
        for row in rows:
            _text(row.get("title"), "row title", 24)
    return text


_READERS = {
    "text": _read_text,
    "template": _read_template,
    "interactive": _read_interactive,
}
"""Types that are doubled. Others are refused with 131051 rather than half accepted."""


def _text(value: Any, name: str, limit: int | None = None) -> str:
    if value is None or value == "":
        raise GraphError(131008, f"Parameter {name} is required.")
    if not isinstance(value, str):
        raise GraphError(131009, f"Param {name} must be a string.")
    if limit is not None and len(value) > limit:
        raise GraphError(100, f"Param {name} must be at most {limit} characters long.")
    return value


def _object(parent: Any, name: str) -> dict[str, Any]:
    value = parent.get(name) if isinstance(parent, dict) else None
    if value is None:
        raise GraphError(131008, f"Parameter {name} is required.")
    if not isinstance(value, dict):
        raise GraphError(131009, f"Param {name} must be an object.")
    return value


def _items(parent: Any, name: str, least: int, most: int) -> list[dict[str, Any]]:
    value = parent.get(name) if isinstance(parent, dict) else None
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise GraphError(131009, f"Param {name} must have {least} to {most} items.")
    if not all(isinstance(item, dict) for item in value):
        raise GraphError(131009, f"Param {name} must hold objects.")
    return value
