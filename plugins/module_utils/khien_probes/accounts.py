"""Probes about local accounts: who they are, how they prove it and how old their passwords are."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Mapping, Optional

from .machine import Machine, NoAnswerError, Setting, number_or_text

_NO_LOGIN = {"nologin", "false", "sync", "shutdown", "halt"}
# Red Hat gives these group 0 from the start; they run one harmless command each.
_BORN_WITH_GROUP_ZERO = {"root", "sync", "shutdown", "halt", "operator"}
_STRONG_HASHES = ("$y$", "$gy$", "$7$", "$6$", "$2b$", "$2y$")
_NEVER = 99999
_DAY = 86400


def accounts(machine: Machine, which: str) -> Any:
    """Return the local accounts of the kind asked for."""
    if which not in _VIEWS:
        raise NoAnswerError("there is no list of accounts called %s" % which)
    return _VIEWS[which](machine)


def login_defs(machine: Machine, key: str) -> Optional[Setting]:
    """Return a value of login.defs; the last one counts."""
    value = None
    for line in machine.lines("/etc/login.defs") or machine.lines("/usr/etc/login.defs"):
        words = line.split()
        if len(words) > 1 and words[0] == key:
            value = words[1].strip('"')
    return _as_written(value)


def useradd_default(machine: Machine, key: str) -> Optional[Setting]:
    """Return a value that useradd gives to new accounts unless told otherwise."""
    value = None
    for line in machine.lines("/etc/default/useradd"):
        name, _equals, setting = line.partition("=")
        if name.strip() == key:
            value = setting.strip()
    return _as_written(value)


def passwd_rows(machine: Machine) -> list[list[str]]:
    """Return the rows of passwd that describe local accounts."""
    rows = [line.split(":") for line in machine.lines("/etc/passwd", comment="")]
    return [row for row in rows if len(row) == 7 and row[2].isdigit() and row[0] and row[0][0] not in "+-"]


def human_rows(machine: Machine) -> list[list[str]]:
    """Return the accounts of people: numbers in the range for users, and a shell to log in with."""
    low, high = login_defs(machine, "UID_MIN"), login_defs(machine, "UID_MAX")
    first = low if isinstance(low, int) else 1000
    last = high if isinstance(high, int) else 60000
    return [row for row in passwd_rows(machine) if first <= int(row[2]) <= last and _has_shell(row)]


def _as_written(value: Optional[str]) -> Optional[Setting]:
    if value is None or (value.startswith("0") and len(value) > 1):
        return value  # an octal number such as a umask stays as it is written
    return number_or_text(value)


def _has_shell(row: list[str]) -> bool:
    return row[6].strip().rsplit("/", 1)[-1] not in _NO_LOGIN


def _shadow(machine: Machine) -> list[list[str]]:
    text = machine.text("/etc/shadow")
    if text is None:
        raise NoAnswerError("there is no /etc/shadow")
    rows = [line.split(":") for line in text.split("\n")]
    return [row for row in rows if len(row) >= 8 and row[0]]


def _usable(machine: Machine) -> list[list[str]]:
    """Return the rows of shadow whose password somebody can log in with."""
    return [row for row in _shadow(machine) if row[1] and row[1][0] not in "!*"]


def _uid_zero(machine: Machine) -> list[str]:
    return [row[0] for row in passwd_rows(machine) if int(row[2]) == 0]


def _gid_zero(machine: Machine) -> list[str]:
    zero = (row[0] for row in passwd_rows(machine) if row[3].isdigit() and int(row[3]) == 0)
    return [name for name in zero if name not in _BORN_WITH_GROUP_ZERO]


def _duplicated(machine: Machine) -> list[str]:
    rows = passwd_rows(machine)
    twice = []
    for position, label in ((0, "name "), (2, "uid ")):
        counted = Counter(row[position] for row in rows)
        twice += [label + value for value, count in sorted(counted.items()) if count > 1]
    return twice


def _system_with_shell(machine: Machine) -> list[str]:
    first = login_defs(machine, "UID_MIN")
    limit = first if isinstance(first, int) else 1000
    return [row[0] for row in passwd_rows(machine) if 0 < int(row[2]) < limit and _has_shell(row)]


def _without_shell_unlocked(machine: Machine) -> list[str]:
    usable = {row[0] for row in _usable(machine)}
    return [row[0] for row in passwd_rows(machine) if not _has_shell(row) and row[0] in usable]


def _empty_password(machine: Machine) -> list[str]:
    rows = _shadow(machine) + passwd_rows(machine)
    return sorted({row[0] for row in rows if row[1] == ""})


def _unshadowed(machine: Machine) -> list[str]:
    return [row[0] for row in passwd_rows(machine) if row[1] and row[1] != "x" and row[1][0] not in "!*"]


def _legacy_entries(machine: Machine) -> list[str]:
    files = ("/etc/passwd", "/etc/shadow", "/etc/group")
    return [
        "%s: %s" % (file, line.split(":", 1)[0])
        for file in files
        for line in machine.lines(file, comment="")
        if line.startswith("+")
    ]


def _root_password(machine: Machine) -> Optional[str]:
    for row in _shadow(machine):
        if row[0] == "root":
            return "empty" if not row[1] else "locked" if row[1][0] in "!*" else "set"
    return None


def _password_days(machine: Machine) -> list[dict[str, Any]]:
    """Return how long each account with a usable password may keep it."""
    return [{"name": row[0], "days": _number(row[4], _NEVER)} for row in _usable(machine)]


def _inactive_days(machine: Machine) -> list[dict[str, Any]]:
    """Return how long each account stays open after its password has expired; -1 is for ever."""
    return [{"name": row[0], "days": _number(row[6], -1)} for row in _usable(machine)]


def _changed_in_future(machine: Machine) -> list[str]:
    today = int(machine.now // _DAY)
    # A day of difference is a time zone, not a manipulation.
    return [row[0] for row in _usable(machine) if _number(row[2], 0) > today + 1]


def _weak_hash(machine: Machine) -> list[str]:
    return [row[0] for row in _usable(machine) if not row[1].startswith(_STRONG_HASHES)]


def _number(word: str, otherwise: int) -> int:
    return int(word) if word.isdigit() else otherwise


_VIEWS: Mapping[str, Callable[[Machine], Any]] = {
    "changed_in_future": _changed_in_future,
    "duplicated": _duplicated,
    "empty_password": _empty_password,
    "gid_zero": _gid_zero,
    "inactive_days": _inactive_days,
    "legacy_entries": _legacy_entries,
    "password_days": _password_days,
    "root_password": _root_password,
    "system_with_shell": _system_with_shell,
    "uid_zero": _uid_zero,
    "unshadowed": _unshadowed,
    "weak_hash": _weak_hash,
    "without_shell_unlocked": _without_shell_unlocked,
}
