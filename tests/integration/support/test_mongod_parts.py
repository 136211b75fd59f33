"""The embedded mongod: what it keeps, what it never writes down, how it says that it cannot."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from devstack.mongod import MongodUnavailableError, embedded_mongod
from tests.support.eventually import eventually

RUNS_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from devstack.mongod import embedded_mongod

async def main() -> None:
    async with embedded_mongod(Path(sys.argv[1])) as uri:
        print(uri, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_database_folder_reopens_on_another_port(tmp_path: Path) -> None:
    async with embedded_mongod(tmp_path) as uri, AsyncMongoClient[Any](uri) as client:
        await client["kept"]["things"].insert_one({"_id": 1})
    async with embedded_mongod(tmp_path) as other, AsyncMongoClient[Any](other) as client:
        assert other != uri
        assert await client["kept"]["things"].find_one({"_id": 1})
        with pytest.raises(MongodUnavailableError, match="another mongod uses"):
            async with embedded_mongod(tmp_path):
                pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_a_killed_parent_leaves_no_mongod_behind_and_loses_nothing(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUNS_UNTIL_KILLED, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    uri = (await parent.stdout.readline()).decode().strip()
    async with AsyncMongoClient[Any](uri, w="majority", journal=True) as client:
        await client["kept"]["things"].insert_one({"_id": 1})
    parent.kill()
    await parent.communicate()

    async def reopened() -> bool:
        async with embedded_mongod(tmp_path) as other, AsyncMongoClient[Any](other) as client:
            return await client["kept"]["things"].find_one({"_id": 1}) is not None

    await eventually(reopened, timeout_s=30, message="the folder is free and holds the document")


async def test_the_log_does_not_quote_what_people_wrote(tmp_path: Path) -> None:
    async with embedded_mongod(tmp_path) as uri, AsyncMongoClient[Any](uri) as client:
        things = client["quiet"]["things"]
        await things.insert_one({"_id": 1})
        # 300 ms: three times what mongod calls slow by default and then logs in full.
        slow = {"_id": 1, "$where": "sleep(300) || true"}
        await things.update_one(slow, {"$set": {"text": "what somebody wrote"}})
        assert await things.find_one({"text": "what somebody wrote"})
    assert "what somebody wrote" not in (tmp_path / "mongod.log").read_text()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (
            "#!/bin/sh\necho 'libcurl.so.4: cannot open shared object file' >&2; exit 127\n",
            "apt-get install libcurl4",
        ),
        ("#!/bin/sh\nkill -ILL $$\n", "processor with AVX.*set MONGODB_URI"),
        ("#!/nowhere/ld-musl\n", "cannot run here.*set MONGODB_URI"),
        ("#!/bin/sh\necho 'GLIBC_2.34 not found' >&2; exit 1\n", "(?s)code 1.*GLIBC_2.34"),
    ],
    ids=["no-libcurl", "no-avx", "no-loader", "old-glibc"],
)
async def test_a_machine_that_cannot_run_it_is_told_why(
    script: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Programs that end as mongod does on machines that this one is not.
    binary = tmp_path / "mongod"
    binary.write_text(script)
    binary.chmod(0o755)
    monkeypatch.setattr("devstack.mongod._binary", lambda: binary)
    with pytest.raises(MongodUnavailableError, match=says):
        async with embedded_mongod(tmp_path / "data"):
            pass


async def test_a_damaged_folder_is_told_in_the_words_of_mongod(tmp_path: Path) -> None:
    (tmp_path / "storage.bson").write_bytes(b"xx")
    with pytest.raises(MongodUnavailableError, match=r"(?s)mongod\.log.*storage engine metadata"):
        async with embedded_mongod(tmp_path):
            pass
