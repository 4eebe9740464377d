# SPDX-License-Identifier: GPL-3.0-or-later
# This file imports Ansible's own code, so it stands under Ansible's licence and not under that of Khiên.
"""Hands the demanded resources to a host, and confirms a guarded change over a fresh login."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

# No shared connection: the proof is that somebody who comes now gets in.
_FRESH_ARGS = "-o ControlMaster=no -o ControlPath=none -o ConnectTimeout=5 -o ServerAliveInterval=3"
_PAUSE_SECONDS = 2.0
# What the revert itself, the start of a restarted host and slow logins may take beyond the guard's own time.
_PATIENCE_SECONDS = 90
_PARTS = ("fragments", "entries")
_LEVELS = Path(__file__).resolve().parents[2] / "compliance" / "levels.yml"


class ActionModule(ActionBase):
    """The controller's half of khien_state."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset({"area", "resources", "actions", "guarded"})
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Plan or apply the resources on the host."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        words = self._task.args
        arguments = {
            "area": words["area"],
            "run": self._own_run(variables),
            "resources": demanded(words["resources"], choice(variables)),
            "actions": words.get("actions") or {},
            "guarded": words.get("guarded", False),
            "guard_seconds": int(variables.get("harden_guard_seconds", 120)),
            "keep_runs": int(variables.get("harden_checkpoints_keep", 10)),
            "largest_mebibytes": int(variables.get("harden_checkpoints_mebibytes", 64)),
        }
        if not arguments["resources"]:
            return {"changed": False, "skipped": True, "skip_reason": "nothing is demanded of this host"}
        return self._guarded("khien_state", str(words["area"]), arguments, variables)

    @staticmethod
    def _own_run(variables: Mapping[str, Any]) -> str:
        """Return the name of the run: the one that khien gave, or one for this call of ansible-playbook."""
        return str(variables.get("harden_run_id") or "") or _own_run_id(os.getppid())

    def _guarded(
        self, module: str, area: str, arguments: dict[str, Any], variables: dict[str, Any]
    ) -> dict[str, Any]:
        """Run a module that may arm the lock-out guard, and see the guard through."""
        seconds = int(arguments["guard_seconds"])
        begun = time.monotonic()
        try:
            result: dict[str, Any] = self._execute_module(
                module_name=module, module_args=arguments, task_vars=variables
            )
            trouble = None
        except AnsibleConnectionFailure as problem:
            if self._task.check_mode or not arguments.get("guarded", True):
                raise
            result, trouble = {}, problem  # perhaps the very change cut us off: the guard knows
        name = (result.get("khien") or {}).get("guard", {}).get("id", "")
        if trouble is None and not name:
            return result
        order = self._confirm(
            area, str(arguments["run"]), name, variables, begun + seconds + _PATIENCE_SECONDS
        )
        # The report that got lost lies with the guard, too; else only what is known here can be told.
        told = order.get("result") or _unseen(module, area, str(arguments["run"]))
        return _verdict(result or {"changed": True, "khien": told}, order, trouble)

    def _confirm(
        self, area: str, run: str, name: str, variables: dict[str, Any], deadline: float
    ) -> dict[str, Any]:
        """Log in afresh until it works; return what the guard says then, or state `lost`."""
        said = ""
        while True:
            try:
                with self._fresh_login():
                    answer = self._execute_module(
                        module_name="khien_guard",
                        module_args={"name": name, "run": run, "area": area},
                        task_vars=variables,
                    )
                if "guard" in answer:
                    order: dict[str, Any] = answer["guard"]
                    return {**order, "said": said}
                said = str(answer.get("module_stderr") or answer.get("msg") or answer)
            except AnsibleError as problem:
                said = str(problem)
            if time.monotonic() + _PAUSE_SECONDS > deadline:
                return {"state": "lost", "said": said}
            time.sleep(_PAUSE_SECONDS)

    @contextmanager
    def _fresh_login(self) -> Iterator[None]:
        """Let ssh share no connection for a while; other ways in are fresh each time."""
        connection = self._connection
        if not connection.has_option("ssh_args"):
            yield
            return
        before = connection.get_option("ssh_args")
        connection.set_option("ssh_args", _FRESH_ARGS)
        try:
            yield
        finally:
            connection.set_option("ssh_args", before)


def _unseen(module: str, area: str, run: str) -> dict[str, Any]:
    """Return the report of a task that nobody heard of again."""
    own: dict[str, Any] = {
        "khien_state": {"schema": "khien.harden/1", "area": area, "changes": [], "skipped": []},
        "khien_undo": {"schema": "khien.undo/1", "restored": [], "refused": []},
    }[module]
    guard = {"state": "none", "seconds": 0, "detail": "", "id": ""}
    return {**own, "run": run, "stage": "applied", "guard": guard, "problem": "", "problem_detail": ""}


def _verdict(
    result: dict[str, Any], order: Mapping[str, Any], trouble: AnsibleConnectionFailure | None
) -> dict[str, Any]:
    """Put together what the task did and what became of its guard."""
    state = order.get("state")
    report = dict(result.get("khien") or {})
    guard = {**report.get("guard", {}), "state": state, "detail": str(order.get("said", ""))[:1000]}
    if state == "none" and trouble is not None:
        raise trouble  # it was cut off before it changed anything
    if state in ("disarmed", "none"):
        return {**result, "khien": {**report, "guard": {**guard, "state": "disarmed"}}}
    things = ", ".join(str(change.get("thing")) for change in report.get("changes", []))
    if state == "reverted":
        refused = order.get("report", {}).get("refused", [])
        message = "after this change no fresh login worked, so the host took it back: %s" % things
        if refused:
            message += "; not put back: %s" % ", ".join(str(one.get("thing")) for one in refused)
        code = "guard_reverted"
    else:
        message = "after this change no fresh login worked, and the host was not seen again: %s" % things
        code = "guard_lost"
    report.update(problem=code, problem_detail=message, guard=guard)
    return {**result, "failed": True, "changed": state != "reverted", "msg": message, "khien": report}


@cache
def _own_run_id(parent: int) -> str:
    """Return a name that all workers of one ansible-playbook make up alike: from its pid and its start."""
    ticks = int(Path("/proc/%d/stat" % parent).read_text().rpartition(")")[2].split()[19])
    booted = int(re.search(r"^btime (\d+)", Path("/proc/stat").read_text(), re.MULTILINE).group(1))  # type: ignore[union-attr]
    started = datetime.fromtimestamp(booted + ticks // os.sysconf("SC_CLK_TCK"), timezone.utc)
    return "%s-p%d" % (started.strftime("%Y%m%d-%H%M%S"), parent)


@cache
def _selection(path: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))["hosts"]
    except (OSError, ValueError, KeyError) as problem:
        raise AnsibleActionFail("harden_selection_file %s cannot be read: %s" % (path, problem)) from problem
    return found


def choice(variables: Mapping[str, Any]) -> Callable[[str], bool]:
    """Return which controls this host is to be hardened for.

    With khien, those of its selection; else those that the host's level demands. `harden_skip_controls` takes
    some out either way.
    """
    skipped = frozenset(variables.get("harden_skip_controls") or ())
    path = variables.get("harden_selection_file")
    if path:
        host = _selection(str(path)).get(str(variables.get("inventory_hostname")))
        chosen = frozenset(host["controls"]) if host else frozenset()
        return lambda control: control in chosen and control not in skipped
    levels = _levels()
    level = int(variables.get("khien_level") or levels["default_level"])
    role = str(variables.get("khien_role") or "server")
    placed = {control: place for section in levels["controls"].values() for control, place in section.items()}

    def is_demanded(control: str) -> bool:
        if control in skipped:
            return False
        if control not in placed:
            return True
        lowest = placed[control][role]
        return lowest is not None and lowest <= level

    return is_demanded


@cache
def _levels() -> dict[str, Any]:
    with _LEVELS.open("rb") as stream:
        levels: dict[str, Any] = yaml.load(stream, Loader=yaml.CSafeLoader)
    return levels


def demanded(resources: list[dict[str, Any]], is_chosen: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Leave out the resources, fragments and entries of controls that are not chosen."""
    kept = []
    for resource in resources:
        part = next((name for name in _PARTS if name in resource), None)
        if part is None:
            if is_chosen(str(resource.get("control"))):
                kept.append(resource)
            continue
        entries = [entry for entry in resource[part] if is_chosen(str(entry.get("control")))]
        if entries:
            kept.append({**resource, part: entries})
    return kept
