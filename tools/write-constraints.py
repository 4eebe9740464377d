"""Writes constraints.txt from the virtual environments given: the oldest and the newest Python supported.

Usage: write-constraints.py [PYTHON ...]; without arguments, the one that runs this.
A package whose versions differ between the two gets one line each, with a marker.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)$")
_NOT_OURS = {"pip", "setuptools", "wheel"}


def frozen(python: str) -> dict[str, str]:
    """Return the packages of an environment and their versions."""
    listing = subprocess.run(
        [python, "-m", "pip", "freeze", "--exclude-editable"], check=True, capture_output=True, text=True
    ).stdout
    pins = (match.groups() for line in listing.splitlines() if (match := _PIN.match(line)))
    return {name: version for name, version in pins if name.lower() not in _NOT_OURS}


def main() -> None:
    """Write the file."""
    environments = [frozen(python) for python in sys.argv[1:] or [sys.executable]]
    old, new = environments[0], environments[-1]
    lines = [
        "# Every package, pinned; tools/write-constraints.py writes this file. Addresses never stand here."
    ]
    for name in sorted(old | new, key=str.lower):
        if old.get(name) == new.get(name):
            lines.append(f"{name}=={new[name]}")
            continue
        if name in old:
            lines.append(f"{name}=={old[name]} ; python_version < '3.12'")
        if name in new:
            lines.append(f"{name}=={new[name]} ; python_version >= '3.12'")
    Path("constraints.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
