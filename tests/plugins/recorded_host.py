"""A host written down in one file: its files, their modes and what its commands print."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.khien_probes.machine import Machine

NOW = 1_795_400_000.0
"""Some second of November 2026; recorded files are as old as they say relative to it."""


def make_machine(
    root: Path,
    files: dict[str, str] | None = None,
    *,
    modes: dict[str, str] | None = None,
    owners: dict[str, int] | None = None,
    ages: dict[str, int] | None = None,
    commands: dict[str, Any] | None = None,
    units: dict[str, dict[str, str]] | None = None,
    privileged: bool = True,
) -> Machine:
    """Return a machine below a folder.

    Args:
        root: an empty folder.
        files: contents by path; a path that ends in a slash is an empty folder.
        modes: octal modes by path.
        owners: numbers of users by path, where root unpacks the host; all else is root's then.
        ages: seconds before NOW by path.
        commands: what a command line that begins so prints, or [exit code, what it prints].
        units: what `systemctl show` says of the units that exist.
        privileged: whether the questions are asked as root.
    """
    for path, text in (files or {}).items():
        place = root / path.lstrip("/")
        (place if path.endswith("/") else place.parent).mkdir(parents=True, exist_ok=True)
        if not path.endswith("/"):
            place.write_text(text, encoding="utf-8")
    for path, mode in (modes or {}).items():
        (root / path.lstrip("/")).chmod(int(mode, 8))
    for path, owner in (owners or {}).items() if os.geteuid() == 0 else ():
        os.chown(root / path.lstrip("/"), owner, owner)
    for path, age in (ages or {}).items():
        os.utime(root / path.lstrip("/"), (NOW - age, NOW - age))

    def run(argv: list[str], _limit: float) -> tuple[int, str]:
        words = argv[argv.index("khien") + 1 :] if argv[0] == "unshare" else argv
        line = " ".join(words)
        if line.startswith("systemctl show"):
            return 0, "\n".join(_show(name, units or {}) for name in argv[argv.index("--") + 1 :])
        said = next((text for start, text in (commands or {}).items() if line.startswith(start)), None)
        assert said is not None, f"nobody recorded: {line}"
        return (0, said) if isinstance(said, str) else (said[0], said[1])

    return Machine(str(root), privileged=privileged, command=run, now=NOW)


def load_host(file: Path, root: Path, *, privileged: bool = True) -> tuple[Machine, dict[str, Any]]:
    """Return the machine that a fixture describes, and the fixture."""
    recorded = yaml.safe_load(file.read_text(encoding="utf-8"))
    keys = ("files", "modes", "owners", "ages", "commands", "units")
    parts = {key: recorded.get(key, {}) for key in keys}
    return make_machine(root, **parts, privileged=privileged), recorded


def _show(name: str, units: dict[str, dict[str, str]]) -> str:
    said = {"Id": name, "LoadState": "loaded" if name in units else "not-found", "ActiveState": "inactive"}
    return "".join(f"{key}={value}\n" for key, value in {**said, **units.get(name, {})}.items())
