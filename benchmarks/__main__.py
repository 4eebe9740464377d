"""Runs every benchmark: `python -m benchmarks [NAME ...]`; exit code 1 when one is above its limit."""

from __future__ import annotations

import importlib
import sys

ALL = ("start_up", "recording", "verify_against_ping", "tui_fleet", "judging")


def main() -> int:
    """Run the named benchmarks, or all."""
    results = [importlib.import_module(f"benchmarks.{name}").main() for name in sys.argv[1:] or ALL]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
