"""Runs brain: ``python -m brain``."""

from brain.app import build
from brain.settings import Settings
from shared.runtime import main

raise SystemExit(main(Settings, build))
