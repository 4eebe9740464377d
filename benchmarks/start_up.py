"""`khien --version` against `python -c pass`: what every call of the command costs before it works."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.measure import Cost, command, compare


def main() -> bool:
    """Print the ratio."""
    khien = str(Path(sys.executable).with_name("khien"))

    def ours() -> Cost:
        return command([khien, "--version"])

    def rival() -> Cost:
        return command([sys.executable, "-c", "pass"])

    return compare("khien --version / python -c pass", ours, rival, runs=20, wall_limit=10.0)


if __name__ == "__main__":
    sys.exit(not main())
