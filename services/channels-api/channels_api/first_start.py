"""What must be true before the first request: keys that open what is stored, and one API key."""

import sys

from channels_api.adapters.key_store import KeyStore
from channels_api.adapters.keyring_store import KeyringStore
from channels_api.settings import Settings
from shared.crypto.sealing import Keyring
from shared.ids import new_api_key
from shared.principal import Scope
from shared.settings import SettingsError

FIRST_LABEL = "first key"
FIRST_SCOPES: tuple[Scope, ...] = ("admin",)


async def check_keyring(store: KeyringStore, keyring: Keyring) -> None:
    """Raises SettingsError when a stored secret needs a key version that is not configured."""
    missing = set(await store.versions()) - set(keyring.keys.versions)
    if missing:
        needed = f"stored secrets need key version {', '.join(sorted(missing))}; add it back"
        raise SettingsError([f"CHANNELS_API_KEY_ENCRYPTION_KEYS: {needed}"])


async def ensure_first_key(store: KeyStore, settings: Settings) -> None:
    """The configured key, or on the very first start a new one, printed once and kept nowhere."""
    tenant = settings.bootstrap_tenant
    if settings.bootstrap_api_key is not None:
        key = settings.bootstrap_api_key.get_secret_value()
        await store.add(key, tenant=tenant, label=FIRST_LABEL, scopes=FIRST_SCOPES)
    elif await store.is_empty():
        key = new_api_key()
        await store.add(key, tenant=tenant, label=FIRST_LABEL, scopes=FIRST_SCOPES)
        # Not through the logger: it would be redacted there, and logs are kept.
        print(_boxed("The first API key, shown this once. Keep it:", key), file=sys.stderr)  # noqa: T201 - see above
        sys.stderr.flush()


def _boxed(*lines: str) -> str:
    width = max(map(len, lines))
    edge = f"+-{'-' * width}-+"
    return "\n".join(("", edge, *(f"| {line:{width}} |" for line in lines), edge, ""))
