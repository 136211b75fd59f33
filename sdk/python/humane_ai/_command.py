"""``humane`` as it is installed: the command itself needs the extra ``cli``."""

from __future__ import annotations

import sys

EXTRA = frozenset({"rich", "typer"})


def main() -> None:
    """Run the command, or say how to install what it needs."""
    try:
        from humane_ai.cli.app import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        sys.stderr.write("The command needs more than the library: pip install 'humane-ai[cli]'\n")
        raise SystemExit(2) from None
    app(prog_name="humane")
