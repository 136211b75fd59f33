"""The README's examples run as they are printed, each on its own; so does the program beside it."""

import asyncio
import io
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.humane_ai.wire import API_KEY, Wire, refused

SDK = Path(__file__).parents[3] / "sdk" / "python"
README, INBOX = SDK / "README.md", SDK / "examples" / "inbox.py"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_an_example_runs(
    number: int,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HUMANE_API_KEY", API_KEY)
    monkeypatch.setenv("HUMANE_BASE_URL", wire.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{wire.url}/v1")
    program = compile(EXAMPLES[number], f"README.md, example {number + 1}", "exec")
    await asyncio.to_thread(exec, program, {"__name__": "__main__"})
    asks = "Client()" in EXAMPLES[number] or "wrap(" in EXAMPLES[number]
    assert bool(wire.seen) == asks


def test_the_examples_are_typed(tmp_path: Path) -> None:
    """As a user's own file: --strict, with the types that are installed."""
    for number, example in enumerate(EXAMPLES, 1):
        (tmp_path / f"example_{number}.py").write_text(example, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=.mypy", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 13


async def test_the_chat_says_what_it_understood(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANE_API_KEY", API_KEY)
    monkeypatch.setenv("HUMANE_BASE_URL", wire.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{wire.url}/v1")
    monkeypatch.setattr(sys, "stdin", io.StringIO("I am tired.\n"))
    program = await asyncio.to_thread(runpy.run_path, str(SDK / "examples" / "chat.py"))
    await asyncio.to_thread(program["main"], ["sarah"])
    assert capsys.readouterr().out == "Rest well.\n  (mood 0.72, PROCEED)\n"


async def test_the_inbox_shows_who_needs_a_human(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANE_API_KEY", API_KEY)
    monkeypatch.setenv("HUMANE_BASE_URL", wire.url)
    program = await asyncio.to_thread(runpy.run_path, str(INBOX))
    await asyncio.to_thread(program["main"], [])
    assert "u-1  Sarah  mood 0.31" in capsys.readouterr().out
    await asyncio.to_thread(program["main"], ["u-1", "Ann here."])
    assert "m-1: d-1 queued" in capsys.readouterr().out
    wire.faults.append(refused(409, "window-closed", "Send a template."))
    with pytest.raises(SystemExit, match="Send a template"):
        await asyncio.to_thread(program["main"], ["u-1", "Ann here."])
