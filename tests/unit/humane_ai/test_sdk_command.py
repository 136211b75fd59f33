"""The command ``humane``: what it prints, what it asks, and how it ends."""

import asyncio
import json
import os
import pty
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from humane_ai.cli.app import app
from tests.support.eventually import eventually
from tests.unit.humane_ai.wire import API_KEY, Wire, broken, refused
from tests.unit.humane_ai.wire_records import KEY, USER

TOKEN, SECRET = "EAA-planted-token", "planted-app-secret"
SECRETS = {"HUMANE_ACCESS_TOKEN": TOKEN, "HUMANE_APP_SECRET": SECRET}
CREATE = ("channels", "create", "--phone-number-id", "115820", "--label", "Care line")


class Humane:
    """``await humane("users", "list")``: exit code, standard output, standard error."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def __call__(
        self, *args: str, stdin: str = "", **env: str | None
    ) -> tuple[int, str, str]:
        variables = {
            "HUMANE_API_KEY": API_KEY,
            "HUMANE_BASE_URL": self._wire.url,
            "COLUMNS": "80",
            **dict.fromkeys(SECRETS),
            **env,
        }
        result = await asyncio.to_thread(
            CliRunner().invoke, app, args, input=stdin, env=variables, prog_name="humane"
        )
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def humane(wire: Wire) -> Humane:
    return Humane(wire)


def as_json(told: tuple[int, str, str]) -> Any:
    code, out, _ = told
    assert code == 0, told
    return json.loads(out)


async def test_a_message_is_understood_and_answered(humane: Humane, wire: Wire) -> None:
    code, out, _ = await humane("process", "I got the job", "--user", "sarah")
    assert code == 0
    assert out.startswith("I am glad to hear it.\n")
    assert "mood 0.72" in " ".join(out.split())
    assert "PROCEED overclaim" in out
    await humane("process", "-", "-u", "sarah", "--no-reply", stdin="from a file")
    assert wire.seen[1].body == {"user_id": "sarah", "message": "from a file", "respond": False}
    answer = as_json(await humane("process", "hi", "--user", "sarah", "--json"))
    assert answer["analysis"]["intent"] == "share"


async def test_an_answer_is_followed_as_it_is_written(humane: Humane) -> None:
    code, out, err = await humane("stream", "hi", "--user", "sarah")
    assert (code, out.strip()) == (0, "I am glad to hear it.")
    assert "mood 0.72" in err
    _, out, _ = await humane("stream", "hi", "--user", "sarah", "--json")
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["metadata", "token", "final"]


async def test_a_number_is_connected_and_its_secrets_are_not_told(
    humane: Humane, wire: Wire
) -> None:
    code, out, err = await humane(*CREATE, **SECRETS)
    assert code == 0
    assert wire.seen[0].body["access_token"] == TOKEN
    assert "vt-first-mc_1" in out
    assert "shown this once" in err
    assert TOKEN not in out + err
    assert SECRET not in out + err
    made = as_json(await humane(*CREATE, "--json", stdin=f"{TOKEN}\n{SECRET}\n"))
    assert made["verify_token"] == "vt-first-mc_2"
    assert wire.seen[1].body["app_secret"] == SECRET
    code, _, err = await humane(*CREATE, HUMANE_ACCESS_TOKEN=TOKEN)
    assert code == 2
    assert "HUMANE_APP_SECRET" in err


async def test_a_secret_that_is_typed_is_not_seen(wire: Wire) -> None:
    ours, theirs = pty.openpty()
    environment = {
        "HUMANE_API_KEY": API_KEY,
        "HUMANE_BASE_URL": wire.url,
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "-c", "from humane_ai._command import main; main()", *CREATE]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    seen = b""

    def shown(text: bytes) -> bool:
        nonlocal seen
        with suppress(OSError):  # nothing yet, or all is said
            seen += os.read(ours, 4096)
        return text in seen

    try:
        # The space is written once the terminal hides what is typed, and has dropped what was.
        await eventually(lambda: shown(b"Access token: "), timeout_s=30)
        os.write(ours, TOKEN.encode() + b"\n")
        await eventually(lambda: shown(b"App secret: "), timeout_s=10)
        os.write(ours, SECRET.encode() + b"\n")
        await eventually(lambda: shown(b"shown this once"), timeout_s=10)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        os.close(ours)
    assert wire.seen[0].body["access_token"] == TOKEN
    assert wire.seen[0].body["app_secret"] == SECRET
    assert TOKEN.encode() not in seen
    assert SECRET.encode() not in seen


async def test_channels_from_the_first_to_the_last(humane: Humane, wire: Wire) -> None:
    code, out, err = await humane("channels", "list")
    assert (code, out) == (0, "")
    assert "humane channels create" in err
    await humane(*CREATE, **SECRETS)
    _, out, _ = await humane("channels", "list")
    assert all(text in out for text in ("mc_1", "Care line", "115820", "active", "ok"))
    assert as_json(await humane("channels", "list", "--json"))[0]["id"] == "mc_1"
    code, out, _ = await humane("channels", "update", "mc_1", "--label", "Night", "--no-auto-reply")
    assert code == 0
    assert wire.seen[-1].body == {"label": "Night", "auto_reply": False}
    _, out, err = await humane("channels", "update", "mc_1", "--rotate-verify-token")
    assert "vt-next-mc_1" in out
    await humane("channels", "update", "mc_1", "--access-token", stdin="EAA-new\n")
    assert wire.seen[-1].body == {"access_token": "EAA-new"}
    _, out, _ = await humane("channels", "activity", "mc_1")
    assert "handshake" in out
    code, _, err = await humane("channels", "delete", "mc_1")
    assert (code, "--yes" in err, "mc_1" in wire.channels) == (2, True, True)
    code, out, _ = await humane("channels", "delete", "mc_1", "--yes")
    assert (code, "mc_1" in wire.channels) == (0, False)
    code, _, err = await humane("channels", "show", "mc_1")
    assert (code, err.count("\n")) == (1, 1)
    assert "no such channel" in err


async def test_the_doctor_of_a_channel(humane: Humane) -> None:
    await humane(*CREATE, **SECRETS)
    code, out, _ = await humane("channels", "check", "mc_1")
    assert code == 1
    assert "Press Verify and save." in out
    code, out, _ = await humane("channels", "check", "mc_1", "--json")
    assert (code, json.loads(out)["state"]) == (1, "failed")
    code, out, _ = await humane(
        "channels", "setup", "mc_1", "--public-base-url", "https://a.example"
    )
    assert (code, out.startswith("ok")) == (0, True)
    _, out, _ = await humane("channels", "audit", "mc_1")
    assert "access_token, label" in out
    await humane("channels", "update", "mc_1", "--disable")
    _, out, _ = await humane("channels", "show", "mc_1")
    assert "disabled" in out


async def test_a_number_is_connected_in_one_call(humane: Humane, wire: Wire) -> None:
    there = ("--public-base-url", "https://a.example", "--subscribe")
    code, out, err = await humane(*CREATE, *there, **SECRETS)
    assert (wire.seen[0].body["public_base_url"], wire.seen[0].body["subscribe"]) == (
        "https://a.example",
        True,
    )
    assert (code, "its setup at Meta failed" in err) == (1, True)
    assert "vt-first-mc_1" in out
    assert "Press Verify and save." in out
    code, out, _ = await humane(*CREATE, "--check", **SECRETS)
    assert (wire.seen[1].body["check"], code) == (True, 0)
    assert "Press Verify and save." in out


async def test_people(humane: Humane, wire: Wire) -> None:
    _, out, _ = await humane("users", "list")
    assert all(text in out for text in ("sarah", "Sarah", "0.31", "answers"))
    _, out, _ = await humane("users", "show", "sarah")
    assert "event: exam" in out
    assert as_json(await humane("users", "show", "sarah", "--json")) == USER
    _, out, _ = await humane("users", "pause", "sarah", "--hours", "2")
    assert "until" in wire.seen[-1].body["auto_reply"].popitem()[0]
    _, out, _ = await humane("users", "pause", "sarah")
    assert "paused" in out
    await humane("users", "resume", "sarah")
    assert wire.seen[-1].body == {"auto_reply": "on"}
    _, out, _ = await humane("users", "send", "sarah", "Ann here.")
    assert "m-1 is on its way" in out
    code, _, err = await humane("users", "send", "sarah")
    assert (code, "text or template" in err) == (2, True)
    _, out, _ = await humane("users", "memories", "sarah", "-q", "exam")
    assert "0.83" in out
    wire.records.users = []
    code, _, err = await humane("users", "list")
    assert (code, "Nobody has written yet" in err) == (0, True)


async def test_a_person_leaves(humane: Humane, tmp_path: Path) -> None:
    file = tmp_path / "sarah.json"
    assert as_json(await humane("users", "export", "sarah"))["user"]["external_id"] == "sarah"
    code, out, _ = await humane("users", "export", "sarah", "--output", str(file))
    assert (code, json.loads(file.read_text())["user"]["name"]) == (0, "Sarah")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, _, err = await humane("users", "export", "sarah", "-o", str(file))
    assert (code, "Nothing was written" in err) == (2, True)
    code, _, err = await humane("users", "erase", "sarah")
    assert (code, "no way back" in err) == (2, True)
    code, out, _ = await humane("users", "erase", "sarah", "--yes")
    assert (code, out.strip()) == (0, "sarah is erased. 7 interactions, 3 memories")


async def test_what_was_said(humane: Humane, wire: Wire) -> None:
    first = wire.records.interactions[0]
    _, out, _ = await humane("interactions", "list", "--action", "hold", "--limit", "1")
    assert first["id"] in out
    assert "action=HOLD" in wire.seen[-1].path
    await humane("interactions", "list", "--user", "sarah")
    assert wire.seen[-1].path.startswith("/api/users/sarah/interactions")
    _, out, _ = await humane("interactions", "show", first["id"])
    assert first["reply"]["text"] in " ".join(out.split())


async def test_what_is_said_now(humane: Humane, wire: Wire) -> None:
    told = asyncio.create_task(humane("interactions", "tail", "--every", "0.1", "--seconds", "0.5"))
    await eventually(lambda: len(wire.seen) > 1)
    first = wire.records.interactions[0]
    later = {**first["message"], "text": "And now this."}
    wire.records.interactions = [{**first, "id": "i-new", "message": later}, first]
    code, out, _ = await told
    lines = out.splitlines()
    assert (code, len(lines)) == (0, 2), "each is told once"
    assert first["message"]["text"] in lines[0]
    assert lines[1].endswith("And now this.")


async def test_keys(humane: Humane, wire: Wire) -> None:
    code, out, err = await humane("keys", "create", "Night shift")
    assert (code, out) == (0, "hx_new\n")
    assert "shown this once" in err
    assert as_json(await humane("keys", "create", "Night shift", "--json"))["key"] == "hx_new"
    _, out, _ = await humane("keys", "list")
    assert KEY["last4"] in out
    await humane("keys", "create", "fair", "--scope", "read", "--scope", "channels", "--days", "2")
    assert wire.seen[-1].body == {
        "label": "fair",
        "scopes": ["channels", "read"],
        "expires_in_days": 2,
    }
    code, out, _ = await humane("keys", "revoke", KEY["id"], "--yes")
    assert (code, wire.records.keys) == (0, [])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refused(404), 1),
        (refused(409, "last-key"), 1),
        (refused(422, errors=[{"field": "label", "message": "is too long"}]), 2),
        (refused(401), 4),
        (refused(403), 4),
        (refused(400), 2),
    ],
)
async def test_an_error_is_one_line_and_a_code(
    humane: Humane, wire: Wire, fault: Any, code: int
) -> None:
    wire.faults.append(fault)
    found, out, err = await humane("keys", "list")
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert "Traceback" not in err


async def test_nobody_there_is_a_code_of_its_own(humane: Humane, wire: Wire) -> None:
    wire.faults.extend([broken] * 3)
    code, _, err = await humane("keys", "list")
    assert code == 3
    assert wire.url in err
    code, _, err = await humane("keys", "list", HUMANE_API_KEY="")
    assert (code, "HUMANE_API_KEY" in err) == (2, True)
    code, _, _ = await humane("keys", "list", "--base-url", "ftp://x")
    assert code == 2
    code, _, _ = await humane("keys", "listen")
    assert code == 2


async def test_the_doctor_says_what_to_do_next(humane: Humane, wire: Wire) -> None:
    code, out, _ = await humane("doctor")
    assert (code, "humane channels create" in " ".join(out.split())) == (0, True)
    await humane(*CREATE, **SECRETS)
    sick = {"state": "needs_attention", "problem": "token_rejected", "detail": "Enter a new one."}
    wire.channels["mc_1"]["health"] = sick
    code, out, _ = await humane("doctor")
    assert (code, "Enter a new one." in out) == (1, True)
    wire.faults.append(refused(401))
    code, out, _ = await humane("doctor", "--json")
    assert (code, json.loads(out)[0]["state"]) == (4, "failed")


async def test_what_people_write_cannot_touch_the_terminal(humane: Humane, wire: Wire) -> None:
    wire.records.users = [{**USER, "name": "\x1b[31mEve\x07 [bold]x[/bold]\u202e"}]
    _, out, _ = await humane("users", "list", COLUMNS="200")
    assert not {"\x1b", "\x07", "\u202e"} & set(out)
    assert "Eve" in out
    assert "[bold]x[/bold]" in out


async def test_everything_fits_into_80_columns(humane: Humane) -> None:
    await humane(*CREATE, **SECRETS)
    for words in (
        ("channels", "list"),
        ("channels", "show", "mc_1"),
        ("users", "list"),
        ("users", "show", "sarah"),
        ("interactions", "list"),
        ("keys", "list"),
        ("keyring", "status"),
        ("doctor",),
    ):
        _, out, _ = await humane(*words)
        assert out
        assert max(map(len, out.splitlines())) <= 80, words


async def test_the_key_ring_is_rotated_and_followed(humane: Humane, wire: Wire) -> None:
    _, out, _ = await humane("keyring", "status")
    assert [line.split() for line in out.splitlines()[-2:]] == [["1", "no", "4"], ["2", "yes", "0"]]
    code, out, _ = await humane("keyring", "rotate")
    assert code == 0
    assert "All is wrapped by version 2" in " ".join(out.split())
    assert as_json(await humane("keyring", "rotate", "--no-wait", "--json"))["state"] == "running"
    wire.records.rotation_ends = "incomplete"
    code, out, _ = await humane("keyring", "rotate")
    assert code == 1
    assert "do not open" in " ".join(out.split())


@pytest.mark.parametrize("extra", ["typer", "rich"])
def test_without_the_extra_it_says_how_to_install_it(extra: str) -> None:
    program = (
        f"import sys; sys.modules[{extra!r}] = None\nfrom humane_ai._command import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "The command needs more than the library: pip install 'humane-ai[cli]'\n"
    )


def test_every_command_has_help_and_speaks_json() -> None:
    runner = CliRunner()
    for words in [
        ["doctor"],
        ["process"],
        ["channels", "create"],
        ["users", "erase"],
        ["keys", "list"],
    ]:
        help_text = runner.invoke(app, [*words, "--help"], env={"COLUMNS": "80"}).stdout
        assert "--json" in help_text
        assert "Exit codes" in help_text
