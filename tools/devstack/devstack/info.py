"""Where the running stack is: for people (the banner) and for programs (``info.json``)."""

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Info:
    """What somebody needs to make the first call."""

    base_url: str
    api_key: str
    simulator_url: str
    pid: int
    demo_channel_id: str | None

    def write(self, path: Path) -> None:
        """Write ``info.json``, readable by the owner only: it holds the key."""
        data = {
            "base_url": self.base_url,
            "api_key": self.api_key,
            "simulator_url": self.simulator_url,
            "pid": self.pid,
        }
        unfinished = path.with_suffix(".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(data, file, indent=2)
        unfinished.replace(path)


def banner(info: Info, folder: Path) -> str:
    """What ``make up`` prints when everything answers."""
    demo = (
        f"\n  Demo channel  {info.demo_channel_id}: write to it from the simulated phone\n"
        if info.demo_channel_id
        else "\n"
    )
    return f"""
Ready.

  URL           {info.base_url}
  API key       {info.api_key}
  Simulator     {info.simulator_url}   a phone to write from, and Meta's Graph API{demo}
A first call:

  curl -s {info.base_url}/api/sdk/process \\
    -H 'X-API-Key: {info.api_key}' -H 'Content-Type: application/json' \\
    -d '{{"user_id": "sarah", "message": "I finally got the job, I am so happy!"}}'

  Data and keys are kept in {folder}, logs in {folder / "log.jsonl"}.  Ctrl-C stops.
"""
