"""Options of a file system that is mounted now."""

from __future__ import annotations

from ..resource import Change, Plan, Resource, Skip, why_skipped
from ..system import System
from ..things import NoBlobs, look, put_back


class Mount(Resource):
    """Words: path, control, options (of nodev, nosuid, noexec)."""

    kind = "mount"
    required = ("path", "control", "options")

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare the options in force; they are added, never taken away."""
        path, control = self.words["path"], self.words["control"]
        now = look(system, "mount", path, NoBlobs())
        if now is None:
            return Plan(skips=[Skip(control, self.kind, path, "absent")])
        have = [word for word in str(now).split(",") if word]
        missing = [word for word in self.words["options"] if word not in have]
        if not missing:
            return Plan()
        why = why_skipped(self.words, system, coming)
        if why:
            return Plan(skips=[Skip(control, self.kind, path, why)])
        wanted = ",".join([*have, *missing])
        return Plan(
            changes=[Change(control, self.kind, path, str(now) or "∅", wanted)],
            things=[("mount", path)],
            act=lambda: put_back(system, "mount", path, wanted, NoBlobs()),
        )
