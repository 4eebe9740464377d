"""Pending security updates on systems with dnf, from the metadata that dnf has fetched already."""

from __future__ import annotations

import os
import re
from typing import Any

from .machine import Machine, NoAnswerError

_CACHES = ("/var/cache/dnf", "/var/cache/libdnf5")
_ROW = re.compile(r"\S+\s+\S*/?Sec\.?\s+(\S+)-([^-\s]+-[^-\s]+)\.([^.\s]+)$")
_DAY = 86400


def security_updates(machine: Machine, max_age_days: int) -> dict[str, Any]:
    """Return the security advisories' packages that are newer than what is installed."""
    age = _age(machine)
    if age > max_age_days * _DAY:
        raise NoAnswerError("the package lists are %d days old" % (age // _DAY))
    code, output = machine.run(["dnf", "-q", "-C", "updateinfo", "list", "--security"], 60)
    if code != 0:
        raise NoAnswerError("dnf updateinfo: %s" % output.strip()[-300:])
    rows = [match.groups() for match in map(_ROW.match, output.split("\n")) if match]
    found = {
        (name, arch): {"name": name, "arch": arch, "from": "", "to": version, "origin": ""}
        for name, version, arch in rows
    }
    return {"packages": [found[key] for key in sorted(found)], "held": [], "lists_age_seconds": age}


def _age(machine: Machine) -> int:
    stamps = [path for cache in _CACHES for path in machine.matching(cache + "/*.solv")]
    stamps += [cache + "/" + name + "/repodata" for cache in _CACHES for name in machine.names(cache)]
    times = [os.stat(machine.path(path)).st_mtime for path in stamps if machine.exists(path)]
    if not times:
        raise NoAnswerError("the package lists were never fetched")
    return max(0, int(machine.now - max(times)))
