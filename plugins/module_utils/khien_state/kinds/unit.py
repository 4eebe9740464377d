"""Units of systemd: enabled, active, masked."""

from __future__ import annotations

from typing import Any

from ..resource import Change, Plan, Resource, Skip, truth, why_skipped
from ..system import System
from ..things import NoBlobs, look


class Unit(Resource):
    """Words: name, control, and of enabled, active and masked those that matter."""

    kind = "unit"
    required = ("name", "control")
    optional = ("enabled", "active", "masked")

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare the unit's state."""
        name, control = self.words["name"], self.words["control"]
        present = look(system, "unit", name, NoBlobs())
        if present is None and not self.waits_for(coming):
            return Plan(skips=[Skip(control, self.kind, name, "absent")])
        present = present or {"enabled": "", "active": False, "masked": False}
        wanted = self._wanted()
        changes = [
            Change(control, self.kind, "%s: %s" % (name, word), _shown(now), _shown(value))
            for word, value in wanted.items()
            if (now := self._now(present, word)) != value
        ]
        why = why_skipped(self.words, system, coming)
        if why:
            return Plan(skips=[Skip(control, self.kind, change.thing, why) for change in changes])
        if not changes:
            return Plan()
        return Plan(changes=changes, things=[("unit", name)], act=lambda: self._set(system, name, wanted))

    def _wanted(self) -> dict[str, bool]:
        return {word: truth(self.words[word]) for word in self.optional if word in self.words}

    @staticmethod
    def _now(present: dict[str, Any], word: str) -> bool:
        if word == "enabled":
            # static, indirect, generated: others start it; nothing to enable, and so nothing to disable.
            return str(present["enabled"]) in ("enabled", "enabled-runtime", "static", "alias", "indirect")
        return bool(present[word])

    def _set(self, system: System, name: str, wanted: dict[str, bool]) -> None:
        present = look(system, "unit", name, NoBlobs()) or {"enabled": "", "active": False, "masked": False}
        if "masked" in wanted and present["masked"] and not wanted["masked"]:
            system.must_run(["systemctl", "unmask", "--", name])
        if "enabled" in wanted and self._now(present, "enabled") != wanted["enabled"]:
            system.must_run(["systemctl", "enable" if wanted["enabled"] else "disable", "--", name])
        if "active" in wanted and present["active"] != wanted["active"]:
            system.must_run(["systemctl", "start" if wanted["active"] else "stop", "--", name])
        if wanted.get("masked") and not present["masked"]:
            system.must_run(["systemctl", "mask", "--", name])


def _shown(value: bool) -> str:
    return "yes" if value else "no"
