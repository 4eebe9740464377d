"""Reads what dpkg has installed, what it left half done, and what changed between two moments."""

from __future__ import annotations

import os
from typing import Mapping

from .command import PatchError, Run
from .plan import Change, last_error

FORMAT = "${db:Status-Abbrev}\\t${Package}\\t${Architecture}\\t${Version}\\n"
"""One line a package: status letters, name, architecture, version."""
_ABSENT = "nc"
_HALF_DONE = "UFHWt"
_JOURNAL = "/var/lib/dpkg/updates"

Packages = Mapping[tuple[str, str], str]
"""Version of each package by name and architecture."""


def list_packages(run: Run) -> str:
    """Return dpkg's list of packages.

    Raises:
        PatchError: dpkg cannot read its own database.
    """
    output = run(["dpkg-query", "-W", "-f", FORMAT])
    if output.code != 0:
        raise PatchError("packages_broken", "dpkg cannot read its database: {}".format(last_error(output)))
    return output.out


def parse_packages(text: str) -> Packages:
    """Read the installed packages from dpkg's list."""
    rows = [line.split("\t") for line in text.splitlines() if line.count("\t") == 3]
    return {(name, arch): version for status, name, arch, version in rows if status[1:2] not in _ABSENT}


def half_done(text: str) -> tuple[str, ...]:
    """Return the packages that dpkg left unpacked, half-configured or waiting for triggers."""
    rows = [line.split("\t") for line in text.splitlines() if line.count("\t") == 3]
    return tuple(name for status, name, _, _ in rows if status[1:2] in _HALF_DONE or status[2:3] == "R")


def has_interrupted_journal(folder: str = _JOURNAL) -> bool:
    """Whether dpkg died in the middle: its journal is merged and emptied at every orderly end."""
    try:
        return any(name.isdigit() for name in os.listdir(folder))
    except FileNotFoundError:
        return False


def compare_packages(before: Packages, after: Packages) -> tuple[Change, ...]:
    """Return what became different, by name."""
    changes = []
    for name, architecture in sorted({*before, *after}):
        old, new = before.get((name, architecture), ""), after.get((name, architecture), "")
        if old != new:
            changes.append(Change(name, architecture, old, new))
    return _join_moves(changes)


def _join_moves(changes: list[Change]) -> tuple[Change, ...]:
    """Show a package that changed its architecture, as from amd64 to all, as one upgrade."""
    gone = {change.name: change.from_version for change in changes if change.kind == "remove"}
    moved = {change.name for change in changes if change.kind == "install"} & set(gone)
    joined = []
    for change in changes:
        if change.name not in moved:
            joined.append(change)
        elif change.kind == "install":
            old = gone[change.name]
            joined.append(Change(change.name, change.architecture, old, change.to_version))
    return tuple(joined)


def merge_changes(earlier: tuple[Change, ...], later: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return two transactions' changes as one: from the first version to the last."""
    merged = {(c.name, c.architecture): c for c in earlier}
    for change in later:
        key = (change.name, change.architecture)
        first = merged.get(key)
        old = first.from_version if first else change.from_version
        merged[key] = Change(change.name, change.architecture, old, change.to_version, change.origin)
    return tuple(c for _, c in sorted(merged.items()) if c.from_version != c.to_version)
