"""Takes a run's hardening back on one host, task by task, the last one first."""

from __future__ import annotations

from typing import Any, Callable, Optional

from .checkpoint import Checkpoint, of_run
from .restore import Restored, restore
from .system import ApplyError, System

SCHEMA = "khien.undo/1"
AREA = "undo"


def undo(
    system: System,
    *,
    of: str,
    run: str,
    force: bool,
    dry: bool,
    arm: Optional[Callable[[Checkpoint], str]] = None,
) -> dict[str, Any]:
    """Put back what a run changed; what somebody changed since is refused, unless forced.

    Args:
        system: the host.
        of: the run whose changes are taken back.
        run: the run that does it; it keeps a checkpoint of its own, so that undo can be undone.
        force: put back even what was changed since.
        dry: only say what would be done.
        arm: arms the lock-out guard over the undo's own checkpoint.
    """
    result = _empty(of, run, dry)
    try:
        tasks = of_run(system, of)
        if not tasks:
            result["problem"], result["problem_detail"] = (
                "no_checkpoint",
                "this host keeps none of run %s" % of,
            )
            return result
        own = None
        if not dry and any(entry for task in tasks for entry in task.entries):
            own = Checkpoint.begin(system, run, AREA, _actions(tasks))
            own.keep((entry["kind"], entry["key"]) for task in reversed(tasks) for entry in task.entries)
            if arm is not None:
                result["guard"] = {"state": "armed", "seconds": 0, "detail": "", "id": arm(own)}
    except (ApplyError, OSError) as problem:
        result["problem"], result["problem_detail"] = "checkpoint_failed", str(problem)[:2000]
        return result
    done = Restored()
    for task in tasks:
        done.add(restore(system, task, force=force, dry=dry))
    if own is not None:
        own.close()
    result["restored"], result["refused"] = done.restored, done.refused
    return result


def _actions(tasks: list[Checkpoint]) -> list[dict[str, Any]]:
    """Return every action of the tasks once, in the order in which they were done."""
    found: dict[str, dict[str, Any]] = {}
    for task in reversed(tasks):
        for action in task.manifest["actions"]:
            found[str(sorted(action.items(), key=str))] = action
    return list(found.values())


def _empty(of: str, run: str, dry: bool) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "run": run,
        "of": of,
        "stage": "planned" if dry else "applied",
        "restored": [],
        "refused": [],
        "guard": {"state": "none", "seconds": 0, "detail": "", "id": ""},
        "problem": "",
        "problem_detail": "",
    }
