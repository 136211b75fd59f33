"""Runs everything in one process: ``python -m devstack``, or ``make up``."""

from devstack.app import main

raise SystemExit(main())
