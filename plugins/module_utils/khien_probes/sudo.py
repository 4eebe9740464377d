"""Probes about who may become root through sudo, and how."""

from __future__ import annotations

import math
import re
from typing import Any, Optional

from .facts import os_family
from .machine import Machine

_INCLUDE = re.compile(r"[@#](include|includedir)\s+(\S+)")
_DEFAULTS = re.compile(r"Defaults([@:!>]\S+)?\s+(.*)")
_NOT_RULES = ("User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias")
# Everyone may run everything.
_EVERYONE = re.compile(r"ALL\s+ALL\s*=\s*(\([^)]*\)\s*)?([A-Z]+:\s*)*ALL\s*$")
_FOREIGN_PASSWORDS = ("targetpw", "rootpw", "runaspw")
_DEEPEST_INCLUDE = 16


def sudo_rules(machine: Machine) -> Optional[dict[str, Any]]:
    """Return the settings and exceptions of the sudo rules, or nothing when there is no sudo."""
    if not machine.exists("/etc/sudoers"):
        return None
    return machine.once("sudo rules", lambda: _read_rules(machine))


def _read_rules(machine: Machine) -> dict[str, Any]:
    found: dict[str, Any] = {
        "use_pty": False,
        "logfile": "",
        "env_reset": True,
        "secure_path": "",
        # Debian and Ubuntu build sudo with fifteen minutes, everyone else keeps its own five.
        "timestamp_timeout": 15 if os_family(machine) == "debian" else 5,
        "foreign_password": [],
        "nopasswd": [],
        "no_authenticate": [],
        "everyone": [],
    }
    for line in _lines(machine, "/etc/sudoers", 0):
        defaults = _DEFAULTS.match(line)
        if defaults:
            _apply(found, defaults.group(1) or "", defaults.group(2))
        elif not line.startswith(_NOT_RULES):
            if re.search(r"\bNOPASSWD\s*:", line):
                found["nopasswd"].append(line.split()[0])
            if _EVERYONE.match(line):
                found["everyone"].append(line)
    found["nopasswd"] = sorted(set(found["nopasswd"]))
    return found


def _lines(machine: Machine, path: str, depth: int) -> list[str]:
    """Return the logical lines of a sudoers file and of what it includes."""
    lines: list[str] = []
    for line in (machine.text(path) or "").replace("\\\n", " ").split("\n"):
        include = _INCLUDE.match(line.strip())
        if include and depth < _DEEPEST_INCLUDE:
            target = include.group(2).strip('"')
            if not target.startswith("/"):
                target = path.rsplit("/", 1)[0] + "/" + target
            for file in _included(machine, include.group(1), target):
                lines += _lines(machine, file, depth + 1)
            continue
        # A "#" before a number is a user id, not a comment.
        bare = re.split(r"#(?![0-9])", line, maxsplit=1)[0].strip()
        if bare:
            lines.append(bare)
    return lines


def _included(machine: Machine, kind: str, target: str) -> list[str]:
    if kind == "include":
        return [target]
    names = [name for name in machine.names(target) if "." not in name and not name.endswith("~")]
    return [target + "/" + name for name in names]


def _apply(found: dict[str, Any], scope: str, settings: str) -> None:
    for setting in re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", settings):
        name, _equals, value = (part.strip() for part in setting.partition("="))
        bare, wanted = name.lstrip("! "), not name.startswith("!")
        if bare == "authenticate" and not wanted:
            found["no_authenticate"].append(scope or "Defaults")
        elif scope:
            continue
        elif bare in ("use_pty", "env_reset"):
            found[bare] = wanted
        elif bare in ("logfile", "secure_path"):
            found[bare] = value.strip('"') if wanted else ""
        elif bare == "timestamp_timeout":
            found[bare] = _minutes(value.strip('"')) if wanted else 0
        elif bare in _FOREIGN_PASSWORDS:
            found["foreign_password"] = [n for n in found["foreign_password"] if n != bare] + [bare] * wanted


def _minutes(value: str) -> int:
    """Return whole minutes, rounded up; less than none means for ever and stays below zero."""
    try:
        return math.ceil(float(value)) if not value.startswith("-") else -1
    except ValueError:
        return -1
