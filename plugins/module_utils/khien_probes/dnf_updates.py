"""Pending security updates on systems with dnf, from the metadata that dnf has fetched already."""

from __future__ import annotations

import os
import re
from typing import Any

from .machine import Machine, NoAnswerError
from .traceless import run_without_trace

_CACHES = ("/var/cache/dnf", "/var/cache/libdnf5")
_ROW = re.compile(r"\S+\s+\S*/?Sec\.?\s+(\S+)-([^-\s]+-[^-\s]+)\.([^.\s]+)$")
_DAY = 86400


def security_updates(machine: Machine, max_age_days: int) -> dict[str, Any]:
    """Return the security advisories' packages that are newer than what is installed."""
    if not machine.privileged:
        raise PermissionError("an ordinary user does not see the lists that root has fetched")
    age = _age(machine)
    if age > max_age_days * _DAY:
        raise NoAnswerError("the package lists are %d days old" % (age // _DAY))
    code, output = run_without_trace(machine, "dnf", "-q", "-C", "updateinfo", "list", "--security", limit=50)
    if code != 0:
        raise NoAnswerError("dnf updateinfo: %s" % output.strip()[-300:])
    found = {(m.group(1), m.group(3)): m.group(2) for m in map(_ROW.match, output.split("\n")) if m}
    installed = _versions(machine, sorted({name for name, _arch in found})) if found else {}
    waiting = [
        {"name": key[0], "arch": key[1], "from": installed.get(key, ""), "to": found[key], "origin": ""}
        for key in sorted(found)
    ]
    return {"packages": waiting, "held": [], "lists_age_seconds": age}


def _versions(machine: Machine, names: list[str]) -> dict[tuple[str, str], str]:
    """Return the installed version of packages by name and architecture; of several the last one."""
    query = "=%{NAME} %{ARCH} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\n"
    _code, output = run_without_trace(machine, "rpm", "-q", "--qf", query, *names)
    rows = [line[1:].split() for line in output.split("\n") if line.startswith("=") and line.count(" ") == 2]
    return {(name, arch): version for name, arch, version in rows}


def _age(machine: Machine) -> int:
    stamps = [path for cache in _CACHES for path in machine.matching(cache + "/*.solv")]
    stamps += [cache + "/" + name + "/repodata" for cache in _CACHES for name in machine.names(cache)]
    times = [os.stat(machine.path(path)).st_mtime for path in stamps if machine.exists(path)]
    if not times:
        raise NoAnswerError("the package lists were never fetched")
    return max(0, int(machine.now - max(times)))
