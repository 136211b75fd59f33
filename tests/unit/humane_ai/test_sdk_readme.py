"""The README's examples run as they are printed, each on its own."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.unit.humane_ai.wire import API_KEY, Wire

README = Path(__file__).parents[3] / "sdk" / "python" / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_an_example_runs(
    number: int,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HUMANE_API_KEY", API_KEY)
    monkeypatch.setenv("HUMANE_BASE_URL", wire.url)
    program = compile(EXAMPLES[number], f"README.md, example {number + 1}", "exec")
    await asyncio.to_thread(exec, program, {"__name__": "__main__"})
    assert wire.seen


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6
