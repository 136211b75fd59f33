"""Runs outbound: ``python -m outbound``."""

from outbound.app import build
from outbound.settings import Settings
from shared.runtime import main

raise SystemExit(main(Settings, build))
