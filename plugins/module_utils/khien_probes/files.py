"""Probes about files' owners and permissions, mounts and limits."""

from __future__ import annotations

import os
import stat
from typing import Any, Optional

from .machine import Machine, Setting, number_or_text

_REMOTE = {"afs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "nfs", "nfs4", "smb3"}


def files(machine: Machine, paths: list[str]) -> Optional[list[dict[str, str]]]:
    """Return mode and owner of each file or folder that the patterns match, or nothing when none exists.

    Of a link its target is told; one that ends at a device, as a masked unit's does, is no file.
    """
    found = [_describe(machine, path) for pattern in paths for path in machine.matching(pattern)]
    return [one for one in found if one] or None


def mount(machine: Machine, path: str) -> Optional[dict[str, Any]]:
    """Return type and options of the file system mounted at a path, or nothing when none is."""
    found = None
    for line in machine.lines("/proc/self/mountinfo", comment=""):
        left, _dash, right = line.partition(" - ")
        words, device = left.split(), right.split()
        if len(words) > 5 and words[4].replace("\\040", " ") == path and device:
            found = {"type": device[0], "options": sorted(words[5].split(","))}
    return found


def remote_mounts(machine: Machine) -> Optional[dict[str, list[str]]]:
    """Return network shares on which others' device files or set-user-ID programs work, if there are any."""
    shares: dict[str, list[str]] = {}
    for line in machine.lines("/proc/self/mountinfo", comment=""):
        left, _dash, right = line.partition(" - ")
        words, device = left.split(), right.split()
        if len(words) > 5 and device and device[0] in _REMOTE:
            shares[words[4].replace("\\040", " ")] = words[5].split(",")
    if not shares:
        return None
    return {
        "device_files": sorted(path for path, options in shares.items() if "nodev" not in options),
        "set_user_id": sorted(path for path, options in shares.items() if "nosuid" not in options),
    }


def core_limit(machine: Machine) -> Optional[Setting]:
    """Return the hard limit for core dumps of all users, or nothing when none is set."""
    return user_limit(machine, "core")


def user_limit(machine: Machine, item: str) -> Optional[Setting]:
    """Return the hard limit of all users for an item of limits.conf, or nothing when none is set."""
    found = None
    for file in ["/etc/security/limits.conf", *machine.matching("/etc/security/limits.d/*.conf")]:
        for line in machine.lines(file):
            words = line.split()
            if len(words) == 4 and words[0] == "*" and words[1] in ("hard", "-") and words[2] == item:
                found = number_or_text(words[3])
    return found


def _describe(machine: Machine, path: str) -> Optional[dict[str, str]]:
    try:
        status = os.stat(machine.path(path))
    except FileNotFoundError:
        return None
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return None
    return {
        "path": path,
        "mode": "%04o" % stat.S_IMODE(status.st_mode),
        "owner": _name(machine, "/etc/passwd", status.st_uid),
        "group": _name(machine, "/etc/group", status.st_gid),
    }


def _name(machine: Machine, database: str, number: int) -> str:
    """Return the local name of a number; a directory service that hangs is never asked."""
    return _names(machine, database).get(str(number), str(number))


def _names(machine: Machine, database: str) -> dict[str, str]:
    def read() -> dict[str, str]:
        rows = [line.split(":") for line in machine.lines(database, comment="")]
        return {row[2]: row[0] for row in reversed(rows) if len(row) > 3}

    return machine.once(("names", database), read)
