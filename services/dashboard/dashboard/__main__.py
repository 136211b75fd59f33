"""Runs the dashboard: ``python -m dashboard``."""

from dashboard.app import build
from dashboard.settings import Settings
from shared.runtime import main

raise SystemExit(main(Settings, build))
