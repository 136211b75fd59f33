"""Runs channels-api: ``python -m channels_api``."""

from channels_api.app import build
from channels_api.settings import Settings
from shared.runtime import main

raise SystemExit(main(Settings, build))
