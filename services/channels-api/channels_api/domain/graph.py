"""What the Graph API can say to a question, as far as a doctor cares."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Silence(StrEnum):
    """Why there is no answer that could be judged."""

    TIMEOUT = "Meta did not answer in time"
    UNREACHABLE = "Meta could not be reached from here"
    SERVER = "Meta's servers failed"
    THROTTLED = "Meta limits our calls for now"
    UNREADABLE = "Meta's answer could not be read"
    UNASKED = "it could not be asked"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """Meta will not, and says why. ``http_status`` is not reliable; ``code`` is."""

    http_status: int
    code: int | None = None
    subcode: int | None = None
    about_proof: bool = False
    detail: str = ""
    """Meta's words, for refusals that only they explain."""


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer."""

    why: Silence


Reply = Said | Refused | Silent

_THROTTLED = frozenset({4, 17, 32, 613, 80007, 80008, 130429})
_SERVER = frozenset({1, 2, 131000, 131016, 131057, 133004})
_TOKEN = frozenset({0, 102, 190})
_PERMISSION = frozenset({3, 10, 131005, *range(200, 300)})
_EXPIRED = 463


def reply_to(http_status: int, data: Mapping[str, Any] | None) -> Reply:
    """What an HTTP answer says; ``data`` None when it was no JSON object."""
    if data is None:
        return Silent(_silence(http_status, None) or Silence.UNREADABLE)
    error = data.get("error")
    if not isinstance(error, Mapping):
        if 200 <= http_status < 300:
            return Said(data)
        return Silent(_silence(http_status, None) or Silence.UNREADABLE)
    code = whole(error.get("code"))
    silence = _silence(http_status, code)
    if silence is not None:
        return Silent(silence)
    message = error.get("message")
    text = message if isinstance(message, str) else ""
    return Refused(
        http_status,
        code=code,
        subcode=whole(error.get("error_subcode")),
        about_proof="appsecret_proof" in text,
        detail=plain(text),
    )


def _silence(http_status: int, code: int | None) -> Silence | None:
    if code in _THROTTLED or http_status == 429:
        return Silence.THROTTLED
    if code in _SERVER or (code is None and http_status >= 500):
        return Silence.SERVER
    return None


def is_token(refused: Refused) -> bool:
    """The access token itself is refused."""
    return refused.code in _TOKEN


def is_expired(refused: Refused) -> bool:
    """It was right once."""
    return is_token(refused) and refused.subcode == _EXPIRED


def is_permission(refused: Refused) -> bool:
    """The token may not do this."""
    return refused.code in _PERMISSION


def whole(value: Any) -> int | None:
    """A whole number; None for anything else, True and False included."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def plain(text: Any, longest: int = 200) -> str:
    """Somebody else's words as they may be shown: one line without controls, cut."""
    shown = "".join(c if c.isprintable() else " " for c in text) if isinstance(text, str) else ""
    return " ".join(shown.split())[:longest]


def texts(value: Any) -> list[str]:
    """The strings of a list; none for anything else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; none for anything else."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
