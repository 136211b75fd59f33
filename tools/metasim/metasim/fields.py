"""Reading the JSON of control commands: the first thing wrong is named."""

from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")


class BadCommandError(Exception):
    """A control command that cannot be carried out; becomes ``{"error": …}``."""

    def __init__(self, problem: str, status: int = 400) -> None:
        super().__init__(problem)
        self.status = status


class Fields:
    """A JSON object with typed access. Every method raises BadCommandError."""

    def __init__(self, data: Any) -> None:
        if not isinstance(data, dict):
            raise BadCommandError("a JSON object is needed")
        self._data: dict[str, Any] = data

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def value(self, name: str, default: Any) -> Any:
        """As it stands; ``default`` when absent or null."""
        found = self._data.get(name)
        return default if found is None else found

    def text(self, name: str) -> str:
        """A string that must be there and not be empty."""
        found = self._data.get(name)
        if not isinstance(found, str) or not found:
            raise BadCommandError(f"{name}: a non-empty string is needed")
        return found

    def optional_text(self, name: str) -> str | None:
        """A string, or None when absent or null."""
        return None if self._data.get(name) is None else self.text(name)

    def choice(self, name: str, possible: frozenset[str], default: str) -> str:
        """One of ``possible``."""
        found = self.optional_text(name) or default
        if found not in possible:
            raise BadCommandError(f"{name} must be one of {', '.join(sorted(possible))}")
        return found

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean."""
        found = self.value(name, default)
        if not isinstance(found, bool):
            raise BadCommandError(f"{name}: true or false is needed")
        return found

    def number(self, name: str, default: T) -> float | T:
        """A number of 0 or more."""
        found = self._data.get(name)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, (int, float)) or not found >= 0:
            raise BadCommandError(f"{name}: a number of 0 or more is needed")
        return float(found)

    def coordinate(self, name: str, limit: float) -> float:
        """A number from ``-limit`` to ``limit`` that must be there."""
        found = self._data.get(name)
        if (
            isinstance(found, bool)
            or not isinstance(found, (int, float))
            or not abs(found) <= limit
        ):
            raise BadCommandError(f"{name}: a number from -{limit} to {limit} is needed")
        return float(found)

    def objects(self, name: str) -> list[dict[str, Any]]:
        """A list of JSON objects that must be there and not be empty."""
        found = self._data.get(name)
        if not isinstance(found, list) or not found or not all(isinstance(i, dict) for i in found):
            raise BadCommandError(f"{name}: a list of objects is needed")
        return found

    def names(self, name: str) -> list[str]:
        """A list of strings; empty when absent or null."""
        found = self.value(name, [])
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise BadCommandError(f"{name}: a list of strings is needed")
        return found

    def integer(self, name: str, default: T) -> int | T:
        """A whole number of 0 or more."""
        found = self.number(name, None)
        if found is None:
            return default
        if not found.is_integer():
            raise BadCommandError(f"{name}: a whole number is needed")
        return int(found)


async def read_fields(request: web.Request) -> Fields:
    """The body of a control command."""
    try:
        return Fields(await request.json())
    except ValueError:
        raise BadCommandError("the body is not JSON") from None
