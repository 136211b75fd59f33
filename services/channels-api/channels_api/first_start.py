"""What must be true before the first request: keys that open what is stored, and one API key."""

import sys

from channels_api.adapters.channel_store import ChannelStore
from channels_api.adapters.key_store import KeyStore
from channels_api.settings import Settings
from shared.crypto.sealing import Keyring, SealError
from shared.http.keys import API_KEY
from shared.ids import new_api_key
from shared.settings import SettingsError

FIRST_LABEL = "first key"


async def check_keyring(store: ChannelStore, keyring: Keyring) -> None:
    """Raises SealError when a stored secret needs a key version that is not configured."""
    missing = await store.key_versions() - set(keyring.keys)
    if missing:
        raise SealError(
            f"stored secrets need key version {', '.join(sorted(missing))}: add it back to "
            "CHANNELS_API_KEY_ENCRYPTION_KEYS"
        )


async def ensure_first_key(store: KeyStore, settings: Settings) -> None:
    """The configured key, or on the very first start a new one, printed once and kept nowhere."""
    if settings.bootstrap_api_key is not None:
        key = settings.bootstrap_api_key.get_secret_value()
        if not API_KEY.match(key):
            raise SettingsError(
                ["CHANNELS_API_BOOTSTRAP_API_KEY: must be hx_ and 43 letters or digits"]
            )
        await store.add(key, tenant=settings.bootstrap_tenant, label=FIRST_LABEL)
        return
    if await store.is_empty():
        key = new_api_key()
        await store.add(key, tenant=settings.bootstrap_tenant, label=FIRST_LABEL)
        # Not through the logger: it would be redacted there, and logs are kept.
        print(f"\n  First API key, shown this once:  {key}\n", file=sys.stderr, flush=True)  # noqa: T201 - see above
