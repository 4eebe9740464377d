"""Local accounts: a shell, a lock, the age of a password."""

from __future__ import annotations

from typing import Callable, Mapping

from ..resource import BadWordsError, Change, Plan, Resource, Skip, truth, why_skipped
from ..system import System
from ..things import NoBlobs, account_row, look, put_back

_NO_LOGIN = {"nologin", "false", "sync", "shutdown", "halt"}
_AGES = ("max_days", "min_days", "warn_days", "inactive_days")


class Account(Resource):
    """Words: control, select, except, and of shell, locked and the ages those that matter."""

    kind = "account"
    required = ("select", "control")
    optional = ("shell", "locked", *_AGES, "except")

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare the accounts that the selection names."""
        select = SELECTIONS.get(self.words["select"])
        if select is None:
            raise BadWordsError("account: select is one of: %s" % ", ".join(sorted(SELECTIONS)))
        spared = set(self.words.get("except") or [])
        plan = Plan()
        todo: list[tuple[str, str]] = []
        for user in select(system):
            if user in spared:
                continue
            for field, value in self._wanted().items():
                key = "%s:%s" % (user, field)
                now = look(system, "account", key, NoBlobs())
                if now is None or not _falls_short(field, str(now), value):
                    continue
                plan.changes.append(Change(self.words["control"], self.kind, key, str(now) or "∅", value))
                plan.things.append(("account", key))
                todo.append((key, value))
        why = why_skipped(self.words, system, coming)
        if why:
            return Plan(skips=[Skip(change.control, self.kind, change.thing, why) for change in plan.changes])
        if todo:
            plan.act = lambda: _set(system, todo)
        return plan

    def _wanted(self) -> Mapping[str, str]:
        wanted = {field: str(self.words[field]) for field in _AGES if field in self.words}
        if "shell" in self.words:
            wanted["shell"] = str(self.words["shell"])
        if truth(self.words.get("locked", False)):
            wanted["password"] = "locked"  # noqa: S105 - a state
        return wanted


def _falls_short(field: str, now: str, wanted: str) -> bool:
    """Whether a value is weaker than the wished one; a stricter one stays."""
    if field in ("max_days", "inactive_days"):
        return not now.lstrip("-").isdigit() or not 0 < int(now) <= int(wanted)
    if field in ("min_days", "warn_days"):
        return not now.isdigit() or int(now) < int(wanted)
    return now != wanted


def _set(system: System, todo: list[tuple[str, str]]) -> None:
    for key, value in todo:
        put_back(system, "account", key, value, NoBlobs())


def _rows(system: System) -> list[list[str]]:
    rows = [line.split(":") for line in (system.text("/etc/passwd") or "").split("\n")]
    return [row for row in rows if len(row) == 7 and row[2].isdigit()]


def _first_human(system: System) -> int:
    for line in (system.text("/etc/login.defs") or "").split("\n"):
        words = line.split()
        if len(words) > 1 and words[0] == "UID_MIN" and words[1].isdigit():
            return int(words[1])
    return 1000


def _system_with_shell(system: System) -> list[str]:
    limit = _first_human(system)
    return [
        row[0]
        for row in _rows(system)
        if 0 < int(row[2]) < limit and row[6].rsplit("/", 1)[-1] not in _NO_LOGIN
    ]


def _password_users(system: System) -> list[str]:
    found = []
    for row in _rows(system):
        shadow = account_row(system, "/etc/shadow", row[0])
        if shadow is not None and shadow[1] and shadow[1][0] not in "!*":
            found.append(row[0])
    return found


def _empty_password(system: System) -> list[str]:
    return [
        row[0] for row in _rows(system) if (account_row(system, "/etc/shadow", row[0]) or ["", "x"])[1] == ""
    ]


def _all_humans(system: System) -> list[str]:
    limit = _first_human(system)
    return [row[0] for row in _rows(system) if limit <= int(row[2]) < 60000]


SELECTIONS: Mapping[str, Callable[[System], list[str]]] = {
    "all_humans": _all_humans,
    "empty_password": _empty_password,
    "password_users": _password_users,
    "system_with_shell": _system_with_shell,
}
