"""Writes or checks the published contracts: ``python -m shared.contracts export|check``."""

import argparse
from pathlib import Path

from shared.contracts import export


def main() -> int:
    """0 when the files are current; ``check`` answers 1 when they are not and touches nothing."""
    parser = argparse.ArgumentParser(prog="python -m shared.contracts", description=__doc__)
    parser.add_argument("command", choices=("export", "check"))
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.command == "export":
        for path in export.write(arguments.docs):
            print(f"written: {arguments.docs / path}")  # noqa: T201 - the answer of a command
        return 0
    outdated = export.differences(arguments.docs)
    for path in outdated:
        print(f"not current: {arguments.docs / path}")  # noqa: T201 - likewise
    if outdated:
        print("Run `python -m shared.contracts export`.")  # noqa: T201 - likewise
    return 1 if outdated else 0


if __name__ == "__main__":
    raise SystemExit(main())
