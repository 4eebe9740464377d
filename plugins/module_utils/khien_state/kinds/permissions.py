"""Files' permissions: bits beyond a mode are taken away, an owner is set; nothing is ever granted."""

from __future__ import annotations

import glob
import os
import stat

from ..resource import Change, Plan, Resource, Skip, why_skipped
from ..system import ApplyError, System
from ..texts import ids


class Permissions(Resource):
    """Words: paths (with wildcards), control, mode, owner, group."""

    kind = "permissions"
    required = ("paths", "control")
    optional = ("mode", "owner", "group")

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare all files that the paths name."""
        control = self.words["control"]
        plan = Plan()
        todo: list[tuple[str, int, int, int]] = []
        for path in self._paths(system):
            found = os.lstat(system.path(path))
            mode = stat.S_IMODE(found.st_mode)
            uid, gid = self._owner(found)
            wanted = mode & int(str(self.words["mode"]), 8) if "mode" in self.words else mode
            if (mode, found.st_uid, found.st_gid) == (wanted, uid, gid):
                continue
            before = "%04o %d:%d" % (mode, found.st_uid, found.st_gid)
            plan.changes.append(Change(control, self.kind, path, before, "%04o %d:%d" % (wanted, uid, gid)))
            plan.things.append(("file", path))
            todo.append((system.path(path), wanted, uid, gid))
        why = why_skipped(self.words, system, coming)
        if why:
            return Plan(skips=[Skip(control, self.kind, change.thing, why) for change in plan.changes])
        if todo:
            plan.act = lambda: _set(todo)
        return plan

    def _paths(self, system: System) -> list[str]:
        """Return plain files and folders. No link is followed: it may end at /dev/null, or wherever."""
        found = {path for pattern in self.words["paths"] for path in glob.glob(system.path(pattern))}
        return sorted(path[len(system.root) :] for path in found if _is_plain(os.lstat(path)))

    def _owner(self, found: os.stat_result) -> tuple[int, int]:
        owner = str(self.words.get("owner", found.st_uid))
        group = str(self.words.get("group", found.st_gid))
        return ids(owner, group)


def _set(todo: list[tuple[str, int, int, int]]) -> None:
    for place, mode, uid, gid in todo:
        # By handle: what was a plain file a moment ago may have been made a link by whoever owns the folder.
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not _is_plain(os.fstat(handle)):
                raise ApplyError("%s is no plain file any more" % place)
            os.fchown(handle, uid, gid)
            os.fchmod(handle, mode)
        finally:
            os.close(handle)


def _is_plain(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
