"""Probes about local groups and about who may become somebody else through them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Mapping, Optional

from .accounts import passwd_rows
from .machine import Machine, NoAnswerError
from .pam import stack_of

_BINDING = ("required", "requisite")


def groups(machine: Machine, which: str) -> Any:
    """Return the local groups, or memberships, of the kind asked for."""
    if which not in _VIEWS:
        raise NoAnswerError("there is no list of groups called %s" % which)
    return _VIEWS[which](machine)


def su_rule(machine: Machine) -> Optional[dict[str, Any]]:
    """Return whether su is for members of one group only, and for whom, or nothing without su."""
    rules = stack_of(machine, "su", "auth")
    if not rules:
        return None
    for rule in rules:
        if rule.module == "pam_wheel.so" and rule.control in _BINDING and "deny" not in rule.arguments:
            group = rule.value("group") or "wheel"
            return {
                "restricted": "use_uid" in rule.arguments,
                "group": group,
                "members": _members(machine, group),
            }
        if rule.module == "pam_unix.so":
            break  # whoever knows a password is in before the group is asked
    return {"restricted": False, "group": None, "members": None}


def _rows(machine: Machine) -> list[list[str]]:
    rows = [line.split(":") for line in machine.lines("/etc/group", comment="")]
    return [row for row in rows if len(row) == 4 and row[2].isdigit() and row[0] and row[0][0] not in "+-"]


def _members(machine: Machine, name: str) -> list[str]:
    found: set[str] = set()
    for row in _rows(machine):
        if row[0] == name:
            found.update(member for member in row[3].split(",") if member)
            found.update(account[0] for account in passwd_rows(machine) if account[3] == row[2])
    return sorted(found)


def _duplicated(machine: Machine) -> list[str]:
    rows = _rows(machine)
    twice = []
    for position, label in ((0, "name "), (2, "gid ")):
        counted = Counter(row[position] for row in rows)
        twice += [label + value for value, count in sorted(counted.items()) if count > 1]
    return twice


def _gid_zero(machine: Machine) -> list[str]:
    return [row[0] for row in _rows(machine) if int(row[2]) == 0]


def _missing(machine: Machine) -> list[str]:
    known = {row[2] for row in _rows(machine)}
    return ["%s: %s" % (row[0], row[3]) for row in passwd_rows(machine) if row[3] not in known]


def _shadow_members(machine: Machine) -> list[str]:
    return _members(machine, "shadow")


_VIEWS: Mapping[str, Callable[[Machine], Any]] = {
    "duplicated": _duplicated,
    "gid_zero": _gid_zero,
    "missing": _missing,
    "shadow_members": _shadow_members,
}
