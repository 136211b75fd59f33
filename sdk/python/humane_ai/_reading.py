"""Tolerant reading: a dataclass from decoded JSON, whatever the server left out or added."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timezone
from functools import cache, partial
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

WIRE_NAME = "wire_name"
"""Key of a field's metadata: its name on the wire, where that is no name in Python."""

Convert = Callable[[Any], Any]
"""From a JSON value; raises TypeError or ValueError for one that does not fit."""


def read(kind: type[T], data: object) -> T:
    """``data`` as ``kind``, a dataclass whose fields all have defaults.

    Unknown keys are ignored. A field that is missing, null or of another type keeps its default; an
    item of a list that does not fit is left out. A field named ``raw`` gets ``data`` itself.
    Raises TypeError when ``data`` is no JSON object.
    """
    if not isinstance(data, Mapping):
        raise TypeError(f"a {kind.__name__} is read from a JSON object")
    values: dict[str, Any] = {}
    converters = _converters(kind)  # type: ignore[arg-type]  # mypy doubts that a class is hashable
    for name, (wire_name, convert) in converters.items():
        value = _fitting(convert, data if name == "raw" else data.get(wire_name))
        if value is not None:
            values[name] = value
    return kind(**values)


def _fitting(convert: Convert, value: Any) -> Any:
    """The converted value; None for null and for a value that does not fit."""
    if value is None:
        return None
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError):
        return None


@cache
def _converters(kind: type[Any]) -> dict[str, tuple[str, Convert]]:
    hints = get_type_hints(kind)
    return {
        field.name: (field.metadata.get(WIRE_NAME, field.name), _converter(hints[field.name]))
        for field in fields(kind)
    }


def _converter(hint: Any) -> Convert:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _converter(next(arm for arm in get_args(hint) if arm is not type(None)))
    if origin is tuple:
        return partial(_items, _converter(get_args(hint)[0]))
    if origin is Mapping:
        return _object
    if isinstance(hint, type) and is_dataclass(hint):
        return partial(read, hint)
    return _SCALARS.get(hint, _same)


def _items(convert: Convert, values: Any) -> tuple[Any, ...]:
    if not isinstance(values, list):
        raise TypeError
    found = (_fitting(convert, value) for value in values)
    return tuple(item for item in found if item is not None)


def _same(value: Any) -> Any:
    return value


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return float(value)


def _whole(value: Any) -> int:
    return int(_number(value))


def _time(value: Any) -> datetime:
    # Python 3.10 reads neither a trailing Z nor a fraction that is not of 3 or 6 digits.
    text = re.sub(r"\.(\d+)", lambda digits: f".{digits[1]:0<6.6}", _text(value))
    time = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text))
    # The API tells UTC; a time without a zone could not be compared with one that has it.
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _date(value: Any) -> date:
    return date.fromisoformat(_text(value))


_SCALARS: dict[Any, Convert] = {
    str: _text,
    float: _number,
    int: _whole,
    bool: bool,
    datetime: _time,
    date: _date,
}
