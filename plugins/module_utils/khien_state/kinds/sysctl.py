"""Kernel settings: the running value and the one that the next boot sets."""

from __future__ import annotations

import glob
import os
from typing import Any, Mapping, Optional

from ..resource import Change, Plan, Resource, Skip, fitting, why_skipped
from ..system import ApplyError, System
from ..texts import make_folders, missing_folders

_HEADER = "# Managed by Khiên; changes here are lost at the next hardening.\n"


class Sysctl(Resource):
    """Words: path of the drop-in, entries [{control, key, value, keep}].

    key: one setting, or with a star for all interfaces that exist now and those that come later.
    keep: other values that are as good or stricter; one that is in force is persisted instead of ours.
    """

    kind = "sysctl"
    required = ("path", "entries")

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare running values and the drop-in."""
        path = self.words["path"]
        plan = Plan()
        wanted: list[Mapping[str, Any]] = []
        for entry in self.words["entries"]:
            if not fitting(entry, system):
                continue
            why = why_skipped(entry, system, coming) or self._why_not_here(system, str(entry["key"]))
            if why:
                plan.skips.append(Skip(entry["control"], self.kind, str(entry["key"]), why))
            else:
                wanted.append({**entry, "value": self._best(system, entry)})
        text = _HEADER + "".join("%s = %s\n" % (entry["key"], entry["value"]) for entry in wanted)
        persisted = self._persisted(system, path)
        running: list[tuple[str, str]] = []
        for entry in wanted:
            key, value = str(entry["key"]), str(entry["value"])
            differing = [one for one in _concrete(system, key) if _running(system, one) != value]
            for one in differing:
                running.append((one, value))
                plan.things.append(("sysctl", one))
                plan.changes.append(Change(entry["control"], self.kind, one, _running(system, one), value))
            if not differing and persisted.get(key) != value:
                before = "%s (%s)" % (value, persisted.get(key, "∅"))
                plan.changes.append(Change(entry["control"], self.kind, key, before, value))
        stale = wanted and not plan.changes and system.text(path) != text
        if stale:
            # A control that is no longer demanded leaves the file; the running value stays until a restart.
            plan.changes.append(
                Change(wanted[0]["control"], "file", path, "%d" % len(persisted), "%d" % len(wanted))
            )
        if plan.changes:
            folders = [("file", folder) for folder in missing_folders(system, path)]
            plan.things = [*folders, ("file", path), *plan.things]
            plan.act = lambda: self._write(system, path, text, running)
        return plan

    @staticmethod
    def _best(system: System, entry: Mapping[str, Any]) -> str:
        now = _running(system, str(entry["key"]))
        return now if now in [str(value) for value in entry.get("keep") or []] else str(entry["value"])

    @staticmethod
    def _why_not_here(system: System, key: str) -> Optional[str]:
        places = [system.path(_place(one)) for one in _concrete(system, key)]
        if not places:
            return "absent"
        if system.in_container and not all(_is_ours(place) for place in places):
            return "in_container"
        return None

    @staticmethod
    def _persisted(system: System, path: str) -> dict[str, str]:
        rows = (line.split("=", 1) for line in (system.text(path) or "").split("\n") if "=" in line)
        return {
            key.strip(): " ".join(value.split()) for key, value in rows if not key.lstrip().startswith("#")
        }

    @staticmethod
    def _write(system: System, path: str, text: str, running: list[tuple[str, str]]) -> None:
        for key, value in running:
            try:
                with open(system.path(_place(key)), "w", encoding="ascii") as stream:
                    stream.write(value + "\n")
            except OSError as problem:
                raise ApplyError("%s cannot be set to %s: %s" % (key, value, problem)) from problem
        make_folders(system, path)
        system.write(path, text.encode("utf-8"), 0o644, 0, 0)


def _concrete(system: System, key: str) -> list[str]:
    """Return the settings that a key with or without a star names and that exist."""
    if "*" not in key:
        return [key] if os.path.exists(system.path(_place(key))) else []
    start = len(system.path("/proc/sys/"))
    # With slashes: the name of an interface may hold a dot. "all" and "default" are none.
    found = (place[start:] for place in glob.glob(system.path(_place(key))))
    return sorted(one for one in found if not {"all", "default"} & set(one.split("/")))


def _running(system: System, key: str) -> str:
    return " ".join((system.text(_place(key)) or "").split())


def _place(key: str) -> str:
    return "/proc/sys/" + (key if "/" in key else key.replace(".", "/"))


def _is_ours(place: str) -> bool:
    """Whether a container may set it: a file system that is mounted read-only says no without being asked."""
    return os.access(place, os.W_OK) and not os.statvfs(place).f_flag & os.ST_RDONLY
