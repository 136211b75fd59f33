"""Who is signed in: a sealed cookie that holds the key, so that nothing is kept here."""

import json
import secrets
from dataclasses import asdict, dataclass, field

from cryptography.fernet import InvalidToken, MultiFernet


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser."""

    api_key: str = field(repr=False)
    tenant: str
    label: str
    """Of the key: whatever is done here is put down to this name."""
    scopes: tuple[str, ...]
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    """What every form must send back: another site cannot know it."""

    def allows(self, token: str) -> bool:
        """Whether a form's token is this session's. In constant time."""
        return secrets.compare_digest(token.encode(), self.csrf.encode())

    def may(self, scope: str) -> bool:
        """Whether the key allows it: what it does not is not offered."""
        return scope in self.scopes or "admin" in self.scopes


class Sessions:
    """Seals sessions into cookies and opens them for ``lasts_s`` seconds."""

    def __init__(self, seal: MultiFernet, lasts_s: int) -> None:
        self._seal = seal
        self.lasts_s = lasts_s

    def sealed(self, session: Session) -> str:
        """The cookie."""
        return self._seal.encrypt(json.dumps(asdict(session)).encode()).decode()

    def opened(self, cookie: str) -> Session | None:
        """The session; None when it is over, or not one of ours."""
        try:
            held = json.loads(self._seal.decrypt(cookie.encode(), ttl=self.lasts_s))
            return Session(**{**held, "scopes": tuple(held["scopes"])})
        except (InvalidToken, KeyError, TypeError, ValueError):
            return None
