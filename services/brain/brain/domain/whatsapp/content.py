"""From WhatsApp's message object to what the pipeline reads and what people are shown.

Total: for any JSON object there is a content. A type that nobody here knows becomes ``unsupported``
with what was there.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from brain.domain.whatsapp.reading import as_dict, as_list, as_number, as_text, label

LONGEST_TEXT = 4096
"""WhatsApp's own limit; a longer text is cut, never refused."""
MOST_ITEMS = 30
"""Of a list inside a message: contacts, products, answers of a form."""
MEDIA = frozenset({"image", "video", "audio", "voice", "document", "sticker"})
TOO_LARGE = 131052
"""Error inside a message: its media could not be downloaded by Meta, mostly for its size."""
_SAYING = ("body", "text", "caption", "title", "question", "description", "name")
"""Keys under which a type of tomorrow would say something."""
_NO_ANSWER = frozenset({"flow_token", "screen"})
"""Keys of a form's answer that nobody typed."""

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Media:
    """A file at Meta, to be fetched within 7 days. Names and types are the sender's own."""

    id: str
    mime_type: str | None
    sha256: str | None
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a message holds.

    ``words``: what the person said, maybe empty; only this is understood. ``line``: what came
    besides the words, such as ``[voice note, 0:12]``; empty for plain text. ``data``: the typed
    object, without the words.
    """

    kind: str
    words: str
    line: str
    data: Object = field(default_factory=dict)
    media: Media | None = None

    @property
    def text(self) -> str:
        """Everything in one readable piece."""
        return f"{self.line} {self.words}".strip()


@dataclass(frozen=True, slots=True)
class _Read:
    """What a reader finds: words, line and data."""

    words: str = ""
    line: str = ""
    data: Object = field(default_factory=dict)


def content_of(message: Object) -> Content:
    """What ``message`` holds."""
    given = as_text(message.get("type"))
    kind = given if given in _READERS else "unsupported"
    read = _READERS[kind](message, message.get(given))
    media = _media(as_dict(message.get(given))) if kind in MEDIA else None
    data: Object = {"type": kind, **read.data, **_around(message)}
    if media is not None:
        data["media"] = {"id": media.id, "mime_type": media.mime_type, "sha256": media.sha256}
    problem = _problem(message)
    line = read.line
    if problem is not None:
        data["problem"] = problem
        if problem["code"] == TOO_LARGE and line:
            line = line[:-1] + ", could not be received]"
    return Content(kind, read.words[:LONGEST_TEXT], line, data, media)


def _text(_message: Object, body: Any) -> _Read:
    return _Read(as_text(as_dict(body).get("body")))


def _image(_message: Object, body: Any) -> _Read:
    return _Read(as_text(as_dict(body).get("caption")), "[image]")


def _video(_message: Object, body: Any) -> _Read:
    return _Read(as_text(as_dict(body).get("caption")), "[video]")


def _audio(message: Object, body: Any) -> _Read:
    part = as_dict(body)
    voice = part.get("voice") is True or message.get("type") == "voice"
    seconds = as_number(part.get("duration"))
    name = "voice note" if voice else "audio"
    data: Object = {"voice": voice}
    if seconds is None or not 0 <= seconds < 86_400:
        return _Read("", f"[{name}]", data)
    minutes, rest = divmod(round(seconds), 60)
    return _Read("", f"[{name}, {minutes}:{rest:02d}]", {**data, "duration_s": seconds})


def _document(_message: Object, body: Any) -> _Read:
    part = as_dict(body)
    filename = label(part.get("filename"))
    line = f"[document: {filename}]" if filename else "[document]"
    return _Read(as_text(part.get("caption")), line, {"filename": filename or None})


def _sticker(_message: Object, body: Any) -> _Read:
    animated = as_dict(body).get("animated") is True
    return _Read("", "[sticker]", {"animated": animated})


def _location(_message: Object, body: Any) -> _Read:
    part = as_dict(body)
    latitude, longitude = as_number(part.get("latitude")), as_number(part.get("longitude"))
    name, address = label(part.get("name")), label(part.get("address"))
    place = [name or address]
    if latitude is not None and longitude is not None:
        place += [_degrees(latitude), _degrees(longitude)]
    said = ", ".join(filter(None, place))
    data = {
        "latitude": latitude,
        "longitude": longitude,
        "name": name or None,
        "address": address or None,
        "url": label(part.get("url"), 500) or None,
    }
    return _Read("", f"[location: {said}]" if said else "[location]", data)


def _degrees(value: float) -> str:
    """Five decimals are a metre."""
    return f"{value:.5f}".rstrip("0").rstrip(".")


def _contacts(_message: Object, body: Any) -> _Read:
    cards = [_card(as_dict(item)) for item in as_list(body)[:MOST_ITEMS]]
    names = [card["name"] or "unnamed" for card in cards]
    if not names:
        return _Read("", "[contact]", {"contacts": []})
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    word = "contact" if len(names) == 1 else "contacts"
    return _Read("", f"[{word}: {shown}]", {"contacts": cards})


def _card(item: Object) -> Object:
    name = as_dict(item.get("name"))
    parts = (name.get("first_name"), name.get("last_name"))
    phones = [as_dict(phone) for phone in as_list(item.get("phones"))[:MOST_ITEMS]]
    emails = [as_dict(email) for email in as_list(item.get("emails"))[:MOST_ITEMS]]
    return {
        "name": label(name.get("formatted_name")) or " ".join(filter(None, map(label, parts))),
        "phones": [
            {
                "phone": label(phone.get("phone"), 40),
                "wa_id": label(phone.get("wa_id"), 150) or None,
            }
            for phone in phones
        ],
        "emails": [label(email.get("email")) for email in emails],
        "organisation": label(as_dict(item.get("org")).get("company")) or None,
        "origin": label(item.get("origin"), 40) or None,
    }


def _button(_message: Object, body: Any) -> _Read:
    """A quick reply of a template: the person pressed what is in ``text``."""
    part = as_dict(body)
    return _Read(
        as_text(part.get("text")), "", {"payload": label(part.get("payload"), 256) or None}
    )


def _interactive(_message: Object, body: Any) -> _Read:
    part = as_dict(body)
    action = as_text(part.get("type"))
    reply = as_dict(part.get(action))
    data: Object = {"action": label(action, 40) or None}
    if action == "nfm_reply":
        return _form(reply, data)
    if action == "call_permission_reply":
        answer = label(reply.get("response"), 40)
        line = f"[call permission: {answer}]" if answer else "[call permission]"
        return _Read("", line, {**data, "response": answer or None})
    title = as_text(reply.get("title"))
    data |= {
        "id": label(reply.get("id"), 256) or None,
        "description": label(reply.get("description")) or None,
    }
    return _Read(title, "" if title else f"[{data['action'] or 'interactive'}]", data)


def _form(reply: Object, data: Object) -> _Read:
    """The answers of a form ("flow"), which may say anything, a cry for help too."""
    given = reply.get("response_json")
    answers: Any = given
    if isinstance(given, str):
        try:
            answers = json.loads(given)
        except (ValueError, RecursionError):
            answers = given
    words = ". ".join(_answers(answers))
    name = label(reply.get("name"), 40) or "form"
    kept = answers if isinstance(answers, dict) else {"answer": label(given, 500)}
    kept = {label(key, 80): label(str(value), 500) for key, value in [*kept.items()][:MOST_ITEMS]}
    return _Read(words, f"[{name}]", {**data, "name": name, "answers": kept})


def _answers(value: Any, levels: int = 6) -> Iterator[str]:
    """What was typed or chosen, wherever it stands."""
    if isinstance(value, str) and value.strip():
        yield value.strip()
    if levels == 0:
        return
    if isinstance(value, dict):
        for key, part in [*value.items()][:MOST_ITEMS]:
            if key not in _NO_ANSWER:
                yield from _answers(part, levels - 1)
    if isinstance(value, list):
        for part in value[:MOST_ITEMS]:
            yield from _answers(part, levels - 1)


def _order(_message: Object, body: Any) -> _Read:
    part = as_dict(body)
    items = [_item(as_dict(item)) for item in as_list(part.get("product_items"))[:MOST_ITEMS]]
    shown = ", ".join(_item_line(item) for item in items)
    data = {"catalog_id": label(part.get("catalog_id"), 80) or None, "items": items}
    return _Read(as_text(part.get("text")), f"[order: {shown}]" if shown else "[order]", data)


def _item(item: Object) -> Object:
    return {
        "product": label(item.get("product_retailer_id"), 80),
        "quantity": as_number(item.get("quantity")),
        "price": as_number(item.get("item_price")),
        "currency": label(item.get("currency"), 8) or None,
    }


def _item_line(item: Object) -> str:
    quantity = item["quantity"]
    line = f"{quantity if quantity is not None else 1:g} \u00d7 {item['product'] or 'unnamed'}"
    if item["price"] is None:
        return line
    return f"{line} at {item['price']:.2f} {item['currency'] or ''}".rstrip()


def _unsupported(message: Object, body: Any) -> _Read:
    """What nobody here knows, or Meta does not pass on: polls, view-once media, events."""
    given = label(message.get("type"), 40)
    part = as_dict(body)
    if given in {"unsupported", "unknown"} or not given:
        named = label(as_dict(message.get("unsupported")).get("type"), 40)
    else:
        named = given
    line = f"[unsupported message: {named}]" if named else "[unsupported message]"
    words = ". ".join(as_text(part.get(key)) for key in _SAYING if as_text(part.get(key)))
    data = {"given": given or None, "named": named or None, "keys": sorted(_keys(message))}
    return _Read(words, line, data)


def _keys(message: Object) -> Iterator[str]:
    for key, part in [*message.items()][:MOST_ITEMS]:
        yield label(key, 40)
        if isinstance(part, dict):
            yield from (f"{label(key, 40)}.{label(inner, 40)}" for inner in [*part][:MOST_ITEMS])


_READERS: dict[str, Callable[[Object, Any], _Read]] = {
    "text": _text,
    "image": _image,
    "video": _video,
    "audio": _audio,
    "voice": _audio,
    "document": _document,
    "sticker": _sticker,
    "location": _location,
    "contacts": _contacts,
    "button": _button,
    "interactive": _interactive,
    "order": _order,
    "unsupported": _unsupported,
}


def _media(body: Object) -> Media | None:
    media_id = as_text(body.get("id"))
    if not media_id or len(media_id) > 200:
        return None
    return Media(
        media_id,
        label(body.get("mime_type"), 100) or None,
        label(body.get("sha256"), 100) or None,
        label(body.get("filename")) or None,
    )


def _around(message: Object) -> Object:
    """What every type may carry: what it answers, that it was forwarded, the ad that led to it."""
    context, referral = as_dict(message.get("context")), as_dict(message.get("referral"))
    around: Object = {}
    if quoted := as_text(context.get("id"))[:512]:
        around["answers_message"] = quoted
    if context.get("forwarded") is True or context.get("frequently_forwarded") is True:
        around["forwarded"] = True
    if product := label(as_dict(context.get("referred_product")).get("product_retailer_id"), 80):
        around["about_product"] = product
    if referral:
        names = ("source_type", "source_id", "source_url", "headline", "body")
        around["referral"] = {name: label(referral.get(name), 500) or None for name in names}
    return around


def _problem(message: Object) -> Object | None:
    """The first error inside the message."""
    errors = as_list(message.get("errors"))
    if not errors:
        return None
    error = as_dict(errors[0])
    code = error.get("code")
    details = as_dict(error.get("error_data")).get("details")
    return {
        "code": code if isinstance(code, int) and abs(code) < 2**31 else None,
        "title": label(error.get("title")) or None,
        "details": label(details, 300) or None,
    }
