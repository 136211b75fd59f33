"""Runs ingress: ``python -m ingress``."""

from ingress.app import build
from ingress.settings import Settings
from shared.runtime import main

raise SystemExit(main(Settings, build))
