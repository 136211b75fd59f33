"""A double of Meta's WhatsApp Cloud API and a phone to write from.

For tests and for a first look without an account. It imports no part of the product, so that a
misunderstanding of Meta's rules cannot hide on both sides of the wire.
"""

from metasim.app import build_app
from metasim.config import SimConfig, StatusStep

__all__ = ["SimConfig", "StatusStep", "build_app"]
