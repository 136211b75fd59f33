"""What survives a restart of the one-process runner: its keys, in a file only the owner reads."""

import json
import os
import secrets
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from cryptography.fernet import Fernet

from shared.ids import new_api_key


@dataclass(slots=True)
class Kept:
    """Made once, on first start. ``demo_*`` belong to the demo channel on the simulator."""

    api_key: str
    internal_token: str
    key_encryption_key: str
    demo_access_token: str
    demo_app_secret: str
    demo_channel_id: str = ""
    demo_verify_token: str = ""
    session_key: str = field(default_factory=lambda: Fernet.generate_key().decode())

    def save(self, path: Path) -> None:
        """Write with mode 0600, whole or not at all."""
        unfinished = path.with_suffix(".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file)
        unfinished.replace(path)


def keep(path: Path) -> Kept:
    """Read ``path``, or make new keys and write them there."""
    if path.exists():
        known = {each.name for each in fields(Kept)}
        data = json.loads(path.read_text())
        return Kept(**{name: value for name, value in data.items() if name in known})
    kept = Kept(
        api_key=new_api_key(),
        internal_token=secrets.token_urlsafe(32),
        key_encryption_key=urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        demo_access_token="EAA" + secrets.token_hex(24),
        demo_app_secret=secrets.token_hex(16),
    )
    kept.save(path)
    return kept
