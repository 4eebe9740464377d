"""Probe about the kernel settings that the next start will set, read in the order of systemd-sysctl."""

from __future__ import annotations

import fnmatch
from typing import Any, Iterator, Optional

from .machine import Machine, number_or_text

# Of files with one name, the one in the first of these folders is read and the others are not.
_FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
_SIGNS = "*?["


def sysctl_persisted(machine: Machine, key: str) -> Optional[dict[str, Any]]:
    """Return the value that the next start gives a kernel setting and the file that says so, or nothing."""
    found = machine.once("sysctl files", lambda: _Settings(machine)).find(key.replace(".", "/"))
    if found is None:
        return None
    value, file = found
    return {"persisted": number_or_text(" ".join(value.split())), "file": file}


class _Settings:
    """All files together: the last word about a name, and patterns for names nobody spoke of."""

    def __init__(self, machine: Machine) -> None:
        self._named: dict[str, Optional[tuple[str, str]]] = {}
        self._patterns: list[tuple[str, str, str]] = []
        for file in _files(machine):
            for name, value in _lines(machine, file):
                self._take(name, value, file)
        for file in _of_ufw(machine):
            # ufw sets its own after systemd has set these.
            for name, value in _lines(machine, file):
                if value is not None:
                    self._named[name] = (value, file)

    def _take(self, name: str, value: Optional[str], file: str) -> None:
        if any(sign in name for sign in _SIGNS):
            if value is not None:
                self._patterns.append((name, value, file))
        elif value is None:
            self._named.setdefault(name, None)  # "-name": no pattern shall touch it
        else:
            self._named[name] = (value, file)

    def find(self, name: str) -> Optional[tuple[str, str]]:
        if name in self._named:
            return self._named[name]
        # Of several patterns the last one is written last.
        for pattern, value, file in reversed(self._patterns):
            if fnmatch.fnmatchcase(name, pattern) and name.count("/") == pattern.count("/"):
                return value, file
        return None


def _files(machine: Machine) -> list[str]:
    chosen: dict[str, str] = {}
    for folder in _FOLDERS:
        for path in machine.matching(folder + "/*.conf"):
            chosen.setdefault(path.rsplit("/", 1)[-1], path)
    return [chosen[name] for name in sorted(chosen)]


def _of_ufw(machine: Machine) -> list[str]:
    if "ENABLED=yes" not in machine.lines("/etc/ufw/ufw.conf"):
        return []
    settings = [line.partition("=") for line in machine.lines("/etc/default/ufw")]
    return [value.strip("\"'") for name, _equals, value in settings if name == "IPT_SYSCTL" and value]


def _lines(machine: Machine, file: str) -> Iterator[tuple[str, Optional[str]]]:
    """Return names, with slashes, and values; no value for a name that only asks to be left alone."""
    for line in machine.lines(file, comment=""):
        if line[0] in "#;":
            continue
        name, equals, value = line.partition("=")
        bare = name.strip().lstrip("-").strip()
        if equals:
            yield _with_slashes(bare), value.strip()
        elif line.startswith("-"):
            yield _with_slashes(bare), None


def _with_slashes(name: str) -> str:
    """Return a name as a path: when its first separator is a dot, dots and slashes change places."""
    first = min((name.find(sign) for sign in "./" if sign in name), default=-1)
    if first >= 0 and name[first] == ".":
        return name.translate(str.maketrans("./", "/."))
    return name
