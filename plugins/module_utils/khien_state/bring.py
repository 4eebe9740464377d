"""Brings a host to the state that a role's resources describe: plan, keep, apply, look again."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Optional, Sequence

from .checkpoint import Checkpoint, prune, run_size
from .kinds import resource
from .resource import Change, Plan, Resource, fitting
from .restore import perform, restore
from .system import ApplyError, System

SCHEMA = "khien.harden/1"


class Task:
    """One task of a role on one host."""

    def __init__(
        self,
        system: System,
        *,
        run: str,
        area: str,
        resources: Sequence[Mapping[str, Any]],
        actions: Mapping[str, Mapping[str, Any]],
        arm: Optional[Callable[[Checkpoint], str]] = None,
        disarm: Optional[Callable[[], None]] = None,
        keep_runs: int = 10,
        largest_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._system = system
        self._run = run
        self._area = area
        self._resources = [resource(words) for words in resources if fitting(words, system)]
        self._actions = actions
        self._arm = arm
        self._disarm = disarm
        self._keep_runs = keep_runs
        self._largest_bytes = largest_bytes
        for one in self._resources:
            unknown = [name for name in one.actions if name not in actions]
            if unknown:
                raise ApplyError("no such action: %s" % ", ".join(unknown))

    def predict(self) -> dict[str, Any]:
        """Say what would change; nothing does."""
        plans = self._plans()
        return self._result("planned", _changes(plans), plans)

    def execute(self) -> dict[str, Any]:
        """Change what differs. Either all of it holds afterwards, or everything is put back."""
        plans = self._plans()
        changes = _changes(plans)
        if not changes:
            return self._result("applied", [], plans)
        active = [one for one, plan in zip(self._resources, plans) if plan.changes]
        names = list(dict.fromkeys(name for one in active for name in one.actions))
        try:
            checkpoint = self._begin(plans, names)
        except (ApplyError, OSError) as problem:
            return self._failed("checkpoint_failed", problem, plans)
        guard, stage = "", "guard_failed"
        try:
            if self._arm is not None:
                guard = self._arm(checkpoint)
            stage = "apply_failed"
            self._apply(active)
            stage = "action_failed"
            for name in names:
                perform(self._system, {"name": name, **self._actions[name]})
            stage = "still_differs"
            self._must_hold(active, plans)
        except (ApplyError, OSError) as problem:
            return self._put_back(checkpoint, stage, problem, plans)
        checkpoint.close()
        result = self._result("applied", changes, plans)
        if guard:
            result["guard"].update(state="armed", id=guard)
        return result

    def _apply(self, active: Sequence[Resource]) -> None:
        coming: frozenset[str] = frozenset()
        for one in active:
            plan = one.plan(self._system, coming)
            coming |= plan.packages
            if plan.act is not None:
                plan.act()

    def _plans(self) -> list[Plan]:
        coming: frozenset[str] = frozenset()
        plans = []
        for one in self._resources:
            plan = one.plan(self._system, coming)
            coming |= plan.packages
            plans.append(plan)
        return plans

    def _begin(self, plans: Sequence[Plan], names: Sequence[str]) -> Checkpoint:
        again = [
            {"name": name, **self._actions[name]}
            for name in names
            if self._actions[name].get("on_undo", True)
        ]
        checkpoint = Checkpoint.begin(self._system, self._run, self._area, again)
        try:
            prune(self._system, self._run, self._keep_runs, self._largest_bytes)
            touched = [thing for name in names for thing in _touched(self._actions[name])]
            checkpoint.keep([*(thing for plan in plans for thing in plan.things), *touched])
            self._must_fit()
        except BaseException:
            checkpoint.forget()
            raise
        return checkpoint

    def _must_fit(self) -> None:
        size = run_size(self._system, self._run)
        if size > self._largest_bytes:
            raise ApplyError("the checkpoint of this run would take %d bytes" % size)

    def _must_hold(self, active: Sequence[Resource], plans: Sequence[Plan]) -> None:
        """Look again.

        Raises:
            ApplyError: something that was to change is not as it was to become.
        """
        planned = {(c.control, c.kind, c.thing) for plan in plans for c in plan.changes}
        for one in active:
            for change in one.plan(self._system, frozenset()).changes:
                if (change.control, change.kind, change.thing) in planned:
                    raise ApplyError("%s is still %s, not %s" % (change.thing, change.before, change.after))

    def _put_back(
        self, checkpoint: Checkpoint, code: str, problem: Exception, plans: Sequence[Plan]
    ) -> dict[str, Any]:
        done = restore(self._system, checkpoint, force=True)
        result = self._failed(code, problem, plans)
        if done.refused:
            # The checkpoint stays, for undo or a person to finish.
            left = ", ".join("%(kind)s %(thing)s: %(detail)s" % one for one in done.refused)
            result["problem_detail"] = ("%s; not put back: %s" % (result["problem_detail"], left))[:2000]
            return result
        if self._disarm is not None:
            self._disarm()
        checkpoint.forget()
        return result

    def _failed(self, code: str, problem: Exception, plans: Sequence[Plan]) -> dict[str, Any]:
        result = self._result("applied", [], plans)
        result["problem"], result["problem_detail"] = code, str(problem)[:2000]
        return result

    def _result(self, stage: str, changes: Sequence[Change], plans: Sequence[Plan]) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "area": self._area,
            "run": self._run,
            "stage": stage,
            "changes": [change.words() for change in changes],
            "skipped": [skip.words() for plan in plans for skip in plan.skips],
            "guard": {"state": "none", "seconds": 0, "detail": "", "id": ""},
            "problem": "",
            "problem_detail": "",
        }


def _touched(action: Mapping[str, Any]) -> list[tuple[str, str]]:
    files = [("file", path) for path in action.get("touches") or []]
    return [*files, *((one["kind"], one["key"]) for one in action.get("keeps") or [])]


def _changes(plans: Sequence[Plan]) -> list[Change]:
    return [change for plan in plans for change in plan.changes]
