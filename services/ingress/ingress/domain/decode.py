"""From signed bytes to JSON values. More forgiving than a strict reader: these bytes are Meta's."""

import json
from math import isfinite
from typing import Any

import orjson


class MalformedError(ValueError):
    """No JSON, whatever one forgives."""


def decode(body: bytes) -> Any:
    """The JSON value of ``body``.

    An emoji cut in half leaves a lone surrogate, and a number may be larger than 64 bits: a strict
    reader refuses both. They are replaced, because refusing would lose everybody's messages in this
    webhook. Raises MalformedError.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        value = json.loads(body.decode("utf-8-sig", "replace"), parse_int=_whole, parse_float=_real)
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise MalformedError("not JSON") from None


def _whole(digits: str) -> int | str:
    """A whole number that does not fit is kept as it was written."""
    return int(digits) if len(digits) < 19 else digits


def _real(digits: str) -> float | str:
    value = float(digits)
    return value if isfinite(value) else digits


def is_shallow(value: Any, levels: int = 32) -> bool:
    """Whether ``value`` nests at most ``levels`` deep. Meta's messages stay under twelve."""
    if levels == 0:
        return False
    if isinstance(value, dict):
        return all(is_shallow(item, levels - 1) for item in value.values())
    if isinstance(value, list):
        return all(is_shallow(item, levels - 1) for item in value)
    return True
