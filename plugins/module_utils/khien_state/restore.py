"""Puts things back to what a checkpoint kept, and says of each what became of it."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .checkpoint import Checkpoint
from .system import ApplyError, System
from .things import NoBlobs, look, put_back, remove_packages, shown

CHANGED_SINCE = "changed_since"
CANNOT_RESTORE = "cannot_restore"


class Restored:
    """What restoring did or would do."""

    def __init__(self) -> None:
        self.restored: list[dict[str, str]] = []
        self.refused: list[dict[str, str]] = []

    def add(self, other: Restored) -> None:
        """Take over what another restoration says."""
        self.restored += other.restored
        self.refused += other.refused


def restore(system: System, checkpoint: Checkpoint, *, force: bool, dry: bool = False) -> Restored:
    """Put every thing of a checkpoint back, the last kept first.

    A thing that is neither as the task left it nor as it was before was changed by somebody else since: it is
    refused, unless forced. What cannot be put back is refused and spoils nothing else.
    """
    result = Restored()
    packages: list[str] = []
    for entry in reversed(checkpoint.entries):
        kind, key, before = entry["kind"], entry["key"], entry["before"]
        try:
            now = look(system, kind, key, NoBlobs())
            if now == before:
                continue
            if not force and checkpoint.manifest["closed"] and now != entry["after"]:
                detail = "%s ≠ %s" % (shown(kind, now), shown(kind, entry["after"]))
                result.refused.append({"kind": kind, "thing": key, "why": CHANGED_SINCE, "detail": detail})
                continue
            if dry:
                pass
            elif kind == "package" and before is None:
                packages.append(key)  # together, for they depend on each other
            else:
                put_back(system, kind, key, before, checkpoint.blobs)
            words = {"kind": kind, "thing": key, "before": shown(kind, now), "after": shown(kind, before)}
            result.restored.append(words)
        except (ApplyError, OSError) as problem:
            result.refused.append(
                {"kind": kind, "thing": key, "why": CANNOT_RESTORE, "detail": str(problem)[:500]}
            )
    _remove(system, packages, result)
    if packages and not dry:
        _back_to_files(system, checkpoint, result)
    if result.restored and not dry:
        _again(system, checkpoint.manifest["actions"], result)
        _back_to_units(system, checkpoint)
    return result


def _remove(system: System, packages: list[str], result: Restored) -> None:
    try:
        remove_packages(system, packages)
    except ApplyError as problem:
        result.restored = [
            one for one in result.restored if one["kind"] != "package" or one["thing"] not in packages
        ]
        result.refused += [
            {"kind": "package", "thing": name, "why": CANNOT_RESTORE, "detail": str(problem)[:500]}
            for name in packages
        ]


def _back_to_files(system: System, checkpoint: Checkpoint, result: Restored) -> None:
    """Files once more: a package takes its configuration along, also what lay there before it came."""
    refused = {(one["kind"], one["thing"]) for one in result.refused}
    for entry in reversed(checkpoint.entries):
        kind, key, before = entry["kind"], entry["key"], entry["before"]
        if kind != "file" or before is None or (kind, key) in refused:
            continue
        try:
            if look(system, kind, key, NoBlobs()) != before:
                put_back(system, kind, key, before, checkpoint.blobs)
        except (ApplyError, OSError) as problem:
            words = {"kind": kind, "thing": key, "why": CANNOT_RESTORE}
            result.refused.append({**words, "detail": str(problem)[:500]})


def _again(system: System, actions: Sequence[Mapping[str, Any]], result: Restored) -> None:
    for action in actions:
        try:
            perform(system, action)
        except ApplyError as problem:
            words = {"kind": "action", "thing": str(action.get("name", "")), "why": CANNOT_RESTORE}
            result.refused.append({**words, "detail": str(problem)[:500]})


def _back_to_units(system: System, checkpoint: Checkpoint) -> None:
    """Units once more: putting files back or reloading may have started or stopped one."""
    for entry in reversed(checkpoint.entries):
        if entry["kind"] == "unit" and entry["before"] is not None:
            now = look(system, "unit", entry["key"], NoBlobs())
            if now is not None and now != entry["before"]:
                put_back(system, "unit", entry["key"], entry["before"], checkpoint.blobs)


def perform(system: System, action: Mapping[str, Any]) -> None:
    """Make running software notice what changed.

    Raises:
        ApplyError: it did not work.
    """
    needs = action.get("only_if")
    if needs and not system.exists(needs):
        return
    if "unit" in action:
        unit = action["unit"]
        if unit.endswith((".service", ".socket")) and not action.get("also_inactive"):
            code, _output = system.run(["systemctl", "is-active", "--quiet", "--", unit])
            if code != 0:
                return  # what does not run reads its files when it starts
        system.must_run(["systemctl", action.get("verb", "reload-or-restart"), "--", unit], 90)
    else:
        system.must_run(action["command"], float(action.get("seconds", 120)))
