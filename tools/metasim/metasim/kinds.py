"""What people can write, from a short command to the shape that Meta documents for its type.

A builder returns ``type``, the object under the type's key, and what stands beside it. Identity,
time and quotes are not its business.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from metasim.codes import webhook_error
from metasim.fields import BadCommandError, Fields
from metasim.media import MEDIA_MAX
from metasim.samples import resized, sample

Attach = Callable[[str, bytes], dict[str, Any]]
"""Stores a file of this type; answers ``mime_type``, ``sha256``, ``id`` and ``url``."""

Shape = dict[str, Any]

DURATION_MAX_S = 3600.0
NAMES_ANOTHER = frozenset({"location", "contacts"})
"""Kinds whose ``name`` is a place's or a contact's; the writer's own is ``profile_name`` there."""

_DEFAULT_TYPES = {
    "audio": "audio/ogg; codecs=opus",
    "image": "image/jpeg",
    "video": "video/mp4",
    "document": "application/pdf",
    "sticker": "image/webp",
}


def build(kind: str, fields: Fields, attach: Attach) -> Shape:
    """The message object of a command. Raises BadCommandError."""
    if kind == "unsupported":
        return _unsupported(fields.optional_text("subtype"))
    if kind in _UNSUPPORTED:
        return _unsupported(kind)
    if kind in _MEDIA:
        return _media(_MEDIA[kind], fields, attach, voice=kind == "voice")
    if kind not in _BUILDERS:
        known = sorted({*_BUILDERS, *_MEDIA, *_UNSUPPORTED, "unsupported"})
        raise BadCommandError(f"kind must be one of {', '.join(known)}")
    return _BUILDERS[kind](fields)


def _present(**values: Any) -> Shape:
    """Meta leaves out what is not there."""
    return {name: value for name, value in values.items() if value is not None}


def _text(fields: Fields) -> Shape:
    return {"type": "text", "text": {"body": fields.text("text")}}


def _media(kind: str, fields: Fields, attach: Attach, *, voice: bool) -> Shape:
    mime_type = fields.optional_text("mime_type") or _DEFAULT_TYPES[kind]
    about: Shape = {}
    if kind in {"image", "video", "document"}:
        about = _present(caption=fields.optional_text("caption"))
    if kind == "document":
        about["filename"] = fields.optional_text("filename") or "document.pdf"
    about |= attach(mime_type, _file(fields, mime_type))
    if kind == "audio":
        about["voice"] = fields.flag("voice", default=voice)
    if kind == "sticker":
        about["animated"] = fields.flag("animated")
    return {"type": kind, kind: about}


def _file(fields: Fields, mime_type: str) -> bytes:
    encoded = fields.optional_text("bytes_base64")
    size = fields.integer("size", None)
    if encoded is not None and size is not None:
        raise BadCommandError("bytes_base64 or size, not both")
    if size is not None and size > MEDIA_MAX:
        raise BadCommandError(f"size: at most {MEDIA_MAX}; for more use the kind too_big")
    if encoded is not None:
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise BadCommandError("bytes_base64: standard base64 is needed") from None
    duration_s = fields.number("duration", 2.0)
    if duration_s > DURATION_MAX_S:
        raise BadCommandError(f"duration: at most {DURATION_MAX_S:.0f} seconds")
    data = sample(mime_type, duration_s)
    return data if size is None else resized(data, size)


def _location(fields: Fields) -> Shape:
    location = {
        "latitude": fields.coordinate("latitude", 90),
        "longitude": fields.coordinate("longitude", 180),
    }
    said = {name: fields.optional_text(name) for name in ("name", "address", "url")}
    return {"type": "location", "location": location | _present(**said)}


def _contacts(fields: Fields) -> Shape:
    given = fields.objects("contacts") if "contacts" in fields else [_contact(fields)]
    return {"type": "contacts", "contacts": given}


def _contact(fields: Fields) -> Shape:
    name = fields.text("name")
    first, _, last = name.partition(" ")
    full = {"first_name": first, **({"last_name": last} if last else {}), "formatted_name": name}
    phone = fields.optional_text("phone")
    digits = "".join(filter(str.isdecimal, phone or ""))
    phones = [{"phone": phone, "wa_id": digits, "type": "CELL"}] if phone else None
    return {"name": full} | _present(phones=phones, origin=fields.optional_text("origin"))


def _button(fields: Fields) -> Shape:
    text = fields.optional_text("text") or fields.text("title")
    return {
        "type": "button",
        "button": {"payload": fields.optional_text("payload") or text, "text": text},
    }


def _interactive(kind: str, content: Shape) -> Shape:
    return {"type": "interactive", "interactive": {"type": kind, kind: content}}


def _button_reply(fields: Fields) -> Shape:
    return _interactive("button_reply", {"id": fields.text("id"), "title": fields.text("title")})


def _list_reply(fields: Fields) -> Shape:
    row = {"id": fields.text("id"), "title": fields.text("title")}
    said = _present(description=fields.optional_text("description"))
    return _interactive("list_reply", row | said)


def _form_reply(fields: Fields, form: str) -> Shape:
    """``response`` is written as JSON; ``response_json`` goes out as it is, valid or not."""
    written = fields.optional_text("response_json")
    if written is None:
        written = json.dumps(fields.value("response", {"flow_token": "unused"}))
    content = {
        "name": fields.optional_text("form") or form,
        "body": fields.optional_text("body") or "Sent",
        "response_json": written,
    }
    return _interactive("nfm_reply", content)


def _flow_reply(fields: Fields) -> Shape:
    return _form_reply(fields, "flow")


def _address_reply(fields: Fields) -> Shape:
    return _form_reply(fields, "address_message")


def _call_permission_reply(fields: Fields) -> Shape:
    content = {
        "response": fields.optional_text("response") or "accept",
        "response_source": fields.optional_text("response_source") or "user_action",
    }
    expires = fields.integer("expiration_timestamp", None)
    return _interactive("call_permission_reply", content | _present(expiration_timestamp=expires))


def _order(fields: Fields) -> Shape:
    items = fields.objects("items")
    return {
        "type": "order",
        "order": {
            "catalog_id": fields.optional_text("catalog_id") or "100200300400500",
            **_present(text=fields.optional_text("text")),
            "product_items": [_order_item(Fields(item)) for item in items],
        },
    }


def _order_item(item: Fields) -> Shape:
    return {
        "product_retailer_id": item.text("product_retailer_id"),
        "quantity": item.integer("quantity", 1),
        "item_price": item.number("item_price", 1.0),
        "currency": item.optional_text("currency") or "USD",
    }


def _unsupported(subtype: str | None) -> Shape:
    """What the Cloud API does not hand on. Older webhooks do not say what it was."""
    error = webhook_error(131051, title="Message type unknown", details=_NOT_SUPPORTED)
    named = {} if subtype is None else {"unsupported": {"type": subtype}}
    return {"type": "unsupported", **named, "errors": [error]}


def _too_big(fields: Fields) -> Shape:
    media = fields.choice("media", frozenset(_DEFAULT_TYPES), "video")
    error = webhook_error(131052, details="The media file is larger than 100 MB.")
    return {"type": "unsupported", "unsupported": {"type": media}, "errors": [error]}


_NOT_SUPPORTED = "Message type is currently not supported."

_MEDIA = {kind: kind for kind in _DEFAULT_TYPES} | {"voice": "audio"}

_UNSUPPORTED = frozenset({"poll", "event", "view_once"})
"""Short for ``unsupported`` with this ``subtype``."""

_BUILDERS: dict[str, Callable[[Fields], Shape]] = {
    "text": _text,
    "location": _location,
    "contacts": _contacts,
    "button": _button,
    "button_reply": _button_reply,
    "list_reply": _list_reply,
    "flow_reply": _flow_reply,
    "address_reply": _address_reply,
    "call_permission_reply": _call_permission_reply,
    "order": _order,
    "too_big": _too_big,
}
