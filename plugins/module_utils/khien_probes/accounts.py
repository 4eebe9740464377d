"""Probes about local accounts, their passwords' age and their shells."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Optional

from .machine import Machine, NoAnswerError, Setting, number_or_text

_NO_LOGIN = {"nologin", "false", "sync", "shutdown", "halt"}
_NEVER = 99999
_TMOUT = re.compile(r"\bTMOUT\s*:?=\s*[\"']?([0-9]+)")


def accounts(machine: Machine, which: str) -> Any:
    """Return the local accounts of the kind asked for."""
    views = {
        "duplicated": _duplicated,
        "empty_password": _empty_password,
        "password_days": _password_days,
        "root_password": _root_password,
        "system_with_shell": _system_with_shell,
        "uid_zero": _uid_zero,
    }
    if which not in views:
        raise NoAnswerError("there is no list of accounts called %s" % which)
    return views[which](machine)


def login_defs(machine: Machine, key: str) -> Optional[Setting]:
    """Return a value of login.defs; the last one counts."""
    value = None
    for line in machine.lines("/etc/login.defs") or machine.lines("/usr/etc/login.defs"):
        words = line.split()
        if len(words) > 1 and words[0] == key:
            value = words[1].strip('"')
    if value is None or (value.startswith("0") and len(value) > 1):
        return value  # an octal number such as a umask stays as it is written
    return number_or_text(value)


def shell_timeout(machine: Machine) -> list[int]:
    """Return the idle times in seconds after which login shells end."""
    files = ["/etc/profile", "/etc/bash.bashrc", "/etc/bashrc", *machine.matching("/etc/profile.d/*.sh")]
    return [int(found) for file in files for line in machine.lines(file) for found in _TMOUT.findall(line)]


def _passwd(machine: Machine) -> list[list[str]]:
    rows = [line.split(":") for line in machine.lines("/etc/passwd", comment="")]
    return [row for row in rows if len(row) == 7 and row[2].isdigit() and row[0] and row[0][0] not in "+-"]


def _shadow(machine: Machine) -> list[list[str]]:
    text = machine.text("/etc/shadow")
    if text is None:
        raise NoAnswerError("there is no /etc/shadow")
    rows = [line.split(":") for line in text.split("\n")]
    return [row for row in rows if len(row) >= 8 and row[0]]


def _uid_zero(machine: Machine) -> list[str]:
    return [row[0] for row in _passwd(machine) if int(row[2]) == 0]


def _duplicated(machine: Machine) -> list[str]:
    rows = _passwd(machine)
    twice = []
    for position, label in ((0, "name "), (2, "uid ")):
        counted = Counter(row[position] for row in rows)
        twice += [label + value for value, count in sorted(counted.items()) if count > 1]
    return twice


def _system_with_shell(machine: Machine) -> list[str]:
    first = login_defs(machine, "UID_MIN")
    limit = first if isinstance(first, int) else 1000
    system = (row for row in _passwd(machine) if 0 < int(row[2]) < limit)
    return [row[0] for row in system if row[6].strip().rsplit("/", 1)[-1] not in _NO_LOGIN]


def _empty_password(machine: Machine) -> list[str]:
    rows = _shadow(machine) + _passwd(machine)
    return sorted({row[0] for row in rows if row[1] == ""})


def _root_password(machine: Machine) -> Optional[str]:
    for row in _shadow(machine):
        if row[0] == "root":
            return "empty" if not row[1] else "locked" if row[1][0] in "!*" else "set"
    return None


def _password_days(machine: Machine) -> list[dict[str, Any]]:
    """Return how long each account with a usable password may keep it."""
    usable = [row for row in _shadow(machine) if row[1] and row[1][0] not in "!*"]
    return [{"name": row[0], "days": int(row[4]) if row[4].isdigit() else _NEVER} for row in usable]
