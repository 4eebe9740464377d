"""The run process: `python -m khien.cli.run_process RUN_ID`, started detached by the launcher."""

from __future__ import annotations

import json
import sys

from khien.bootstrap import execute, services
from khien.domain.run import RunId


def main() -> None:
    """Execute the run named on the command line with the secrets that come on stdin."""
    secrets: dict[str, str] = json.load(sys.stdin) if not sys.stdin.isatty() else {}
    execute(services(), RunId(sys.argv[1]), secrets)


if __name__ == "__main__":
    main()
