"""What can be set on the simulator, with units and the source of each default."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})


@dataclass(frozen=True, slots=True)
class StatusStep:
    """One status callback for an accepted message.

    Raises ValueError for an unknown status or a negative or infinite delay.
    """

    status: str
    """``sent``, ``delivered``, ``read``, ``played`` or ``failed``."""
    delay_ms: float
    """Milliseconds since the message was accepted, 0 or more."""
    code: int = 131026
    """Meta's error code; only ``failed`` carries it."""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {sorted(STATUSES)}")
        if not 0 <= self.delay_ms < math.inf:
            raise ValueError("delay_ms must be 0 or more")


@dataclass(frozen=True, slots=True)
class SimConfig:
    """Everything that a caller of ``build_app`` may choose.

    The defaults are Meta's numbers where Meta publishes one, and short times else. Raises
    ValueError for a number out of its range.
    """

    clock: Callable[[], float] = time.time
    """Unix seconds. Windows, limits and timestamps follow it; delays pass in real time."""

    window_enforced: bool = True
    """Refuse free-form messages to people who have not written lately (131047)."""
    window_s: float = 24 * 3600.0
    """Length of the customer service window, seconds."""

    pair_burst: int = 45
    """Messages that may be borrowed at once for one recipient, 1 or more."""
    pair_interval_s: float = 6.0
    """Seconds until one borrowed message is paid back, more than 0."""
    throughput_per_s: float = 80.0
    """Messages a second of one number, in and out together, 1 or more."""

    statuses: tuple[StatusStep, ...] = (
        StatusStep("sent", 20),
        StatusStep("delivered", 50),
        StatusStep("read", 100),
    )
    """Callbacks for each accepted message, sent in this order. Empty switches them off; another
    order or a repeated step shows a receiver what Meta also does."""

    webhook_retry_delays_s: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
    """Seconds before each further attempt after an answer other than 200. Meta goes on for seven
    days with decreasing frequency; here the list bounds it."""
    webhook_timeout_s: float = 20.0
    """Seconds for one webhook attempt. Meta documents none; 20 is what people measured."""
    escape_unicode: bool = True
    r"""Send ``\u00e9`` and ``\/`` as Meta does, so that re-serialising receivers fail."""

    public_url: str | None = None
    """Where receivers reach the simulator, for links to media, such as ``http://metasim:9099``.
    None: where the command or call that needs a link reached it."""
    media_path: str = "/whatsapp_business/attachments/"
    """Path of those links, as on Meta's own host; not under ``/sim/``."""
    media_link_s: float = 300.0
    """How long a link to media lives: Meta's five minutes."""
    media_kept_s: float = 7 * 24 * 3600.0
    """How long media that people sent can be fetched: Meta's seven days."""

    hang_s: float = 120.0
    """Seconds after which a request held by a timeout fault is closed without an answer."""
    newest_graph_version: int = 26
    """Higher versions answer "Unknown path components"; expired ones are served, as by Meta."""

    def __post_init__(self) -> None:
        if self.pair_burst < 1 or self.pair_interval_s <= 0 or self.throughput_per_s < 1:
            raise ValueError("pair_burst and throughput_per_s start at 1, pair_interval_s above 0")
        if any(delay < 0 for delay in self.webhook_retry_delays_s):
            raise ValueError("webhook_retry_delays_s must be 0 or more")
        if not self.media_path.startswith("/") or self.media_path.startswith("/sim/"):
            raise ValueError("media_path must start with / and not with /sim/")
