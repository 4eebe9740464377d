"""Services that shall not run: those that the host has are stopped and masked."""

from __future__ import annotations

from typing import Sequence

from ..resource import Change, Plan, Resource, Skip, why_skipped
from ..system import ApplyError, System

_PROPERTIES = "Id,LoadState,ActiveState,UnitFileState,FragmentPath"
_RUNNING = ("active", "activating", "reloading")
_STARTING = ("enabled", "enabled-runtime", "static", "generated", "indirect")
# A unit file of the administrator's own is disabled: a mask would have to stand in its place.
_OWN = "/etc/systemd/system/"

Unit = dict[str, str]


class UnitsOff(Resource):
    """Words: names, control, except (units that stay). Units that the host lacks need no word."""

    kind = "units_off"
    required = ("names", "control")
    optional = ("except",)

    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Compare all units in one look."""
        control = self.words["control"]
        spared = set(self.words.get("except") or [])
        why = why_skipped(self.words, system, coming)
        plan = Plan()
        todo: list[Unit] = []
        for unit in _present(system, self.words["names"]):
            now = _shown(unit)
            if now == _wished(unit):
                continue
            if why or unit["Id"] in spared:
                plan.skips.append(Skip(control, self.kind, unit["Id"], why or "not_opted_in"))
                continue
            plan.changes.append(Change(control, self.kind, unit["Id"], now, _wished(unit)))
            plan.things.append(("unit", unit["Id"]))
            todo.append(unit)
        if todo:
            plan.act = lambda: _switch_off(system, todo)
        return plan


def _present(system: System, names: Sequence[str]) -> list[Unit]:
    """Return the units that exist, each once, sockets first: a socket would start its service again."""
    code, output = system.run(["systemctl", "show", "--no-pager", "--property=" + _PROPERTIES, "--", *names])
    if code != 0:
        raise ApplyError("systemctl show: %s" % output.strip()[-300:])
    found: dict[str, Unit] = {}
    for block in output.strip("\n").split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
        if unit.get("LoadState") in ("loaded", "masked"):
            found.setdefault(unit["Id"], unit)
    return sorted(found.values(), key=lambda unit: (not unit["Id"].endswith(".socket"), unit["Id"]))


def _shown(unit: Unit) -> str:
    words = ["running"] if unit.get("ActiveState") in _RUNNING else []
    if unit["LoadState"] == "masked":
        return " ".join([*words, "masked"])
    return " ".join([*words, "enabled" if unit.get("UnitFileState") in _STARTING else "disabled"])


def _wished(unit: Unit) -> str:
    return "disabled" if _is_own(unit) else "masked"


def _is_own(unit: Unit) -> bool:
    return unit.get("FragmentPath", "").startswith(_OWN) and unit["LoadState"] != "masked"


def _switch_off(system: System, units: Sequence[Unit]) -> None:
    """Stop and mask. What enables a unit stays as it is, so that taking the mask away brings all back."""
    system.must_run(["systemctl", "stop", "--", *(unit["Id"] for unit in units)], 180)
    unmasked = [unit for unit in units if unit["LoadState"] != "masked"]
    for verb, names in (
        ("disable", [unit["Id"] for unit in unmasked if _is_own(unit)]),
        ("mask", [unit["Id"] for unit in unmasked if not _is_own(unit)]),
    ):
        if names:
            system.must_run(["systemctl", verb, "--", *names], 180)
