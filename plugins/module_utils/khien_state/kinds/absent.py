"""A file that shall not be there."""

from __future__ import annotations

import os

from ..resource import Change, Plan, Resource, Skip, why_skipped
from ..system import System


class Absent(Resource):
    """Words: path, control."""

    kind = "absent"
    required = ("path", "control")

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Plan to remove the file when it is there."""
        path, control = self.words["path"], self.words["control"]
        if not system.exists(path):
            return Plan()
        why = why_skipped(self.words, system, coming)
        if why:
            return Plan(skips=[Skip(control, self.kind, path, why)])
        return Plan(
            changes=[Change(control, self.kind, path, "∃", "∅")],
            things=[("file", path)],
            act=lambda: os.unlink(system.path(path)),
        )
