"""What is installed: a small wheel with types, the command, and nothing else."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

SDK = Path(__file__).parents[3] / "sdk" / "python"
LARGEST = 100_000
"""Bytes."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(SDK)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("humane_ai-*.whl")
    return found


def test_it_is_small_and_whole(wheel: Path) -> None:
    assert wheel.stat().st_size < LARGEST
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    code = {name for name in names if ".dist-info/" not in name}
    here = {
        path.relative_to(SDK).as_posix()
        for path in (SDK / "humane_ai").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert code == here
    assert "humane_ai/py.typed" in code


def test_it_needs_one_library_and_the_command_two_more(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        (entries,) = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
        lines = archive.read(metadata).decode().splitlines()
        commands = archive.read(entries).decode()
    needed = [line.split(": ")[1] for line in lines if line.startswith("Requires-Dist")]
    assert [line.split(">")[0] for line in needed] == ["httpx", "rich", "typer"]
    assert all("extra == 'cli'" in line for line in needed[1:])
    assert "Requires-Python: >=3.10" in lines
    assert "humane = humane_ai._command:main" in commands
