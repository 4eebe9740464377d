"""Probes about people's home folders and files in them that programs obey. Their contents are not read."""

from __future__ import annotations

import os
import stat
from typing import Iterator

from .accounts import human_rows, passwd_rows
from .machine import Machine, NoAnswerError

_KINDS = {
    "trust": (".rhosts", ".shosts"),
    "secrets": (".forward", ".netrc"),
}
_TRUST_OF_ALL = ("/etc/hosts.equiv", "/etc/shosts.equiv")
_OPEN = stat.S_IWGRP | stat.S_IWOTH


def homes(machine: Machine) -> list[dict[str, str]]:
    """Return state and mode of each person's home: ok, missing, not_a_folder or foreign_owner."""
    return [_home(machine, row) for row in human_rows(machine)]


def home_files(machine: Machine, which: str) -> list[str]:
    """Return the files in homes of the kind asked for: trust, secrets or exposed."""
    if which == "exposed":
        return sorted(set(_exposed(machine)))
    if which not in _KINDS:
        raise NoAnswerError("there is no list of files in homes called %s" % which)
    places = [home + "/" + name for _uid, home in _folders(machine) for name in _KINDS[which]]
    places += _TRUST_OF_ALL if which == "trust" else ()
    return sorted({place for place in places if os.path.lexists(machine.path(place))})


def _folders(machine: Machine) -> list[tuple[int, str]]:
    root = [row for row in passwd_rows(machine) if row[0] == "root"]
    rows = [*root, *human_rows(machine)]
    return [(int(row[2]), row[5].rstrip("/")) for row in rows if row[5].strip("/")]


def _home(machine: Machine, row: list[str]) -> dict[str, str]:
    place = row[5].rstrip("/") or "/"
    found = {"name": row[0], "path": place, "state": "missing", "mode": "0000"}
    try:
        status = os.stat(machine.path(place))
    except (FileNotFoundError, NotADirectoryError):
        return found
    found["mode"] = "%04o" % stat.S_IMODE(status.st_mode)
    found["state"] = "ok" if status.st_uid == int(row[2]) else "foreign_owner"
    if not stat.S_ISDIR(status.st_mode):
        found["state"] = "not_a_folder"
    return found


def _exposed(machine: Machine) -> Iterator[str]:
    """Yield dot files that others than their owner can change, or that belong to somebody else."""
    for uid, home in _folders(machine):
        for name in machine.names(home):
            place = home + "/" + name
            if not name.startswith("."):
                continue
            try:
                status = os.lstat(machine.path(place))
            except FileNotFoundError:
                continue  # it went away meanwhile
            # A link's own mode says nothing; what it points at belongs to whoever owns that.
            if not stat.S_ISLNK(status.st_mode) and (status.st_mode & _OPEN or status.st_uid not in (uid, 0)):
                yield place
