# SPDX-License-Identifier: GPL-3.0-or-later
# This file imports Ansible's own code, so it stands under Ansible's licence and not under that of Khiên.
"""Takes a run's hardening back on a host, under the same guard as the hardening itself."""

from __future__ import annotations

from typing import Any

from ansible.plugins.loader import action_loader

_Guarded: Any = action_loader.get("khien_state", class_only=True)
_AREA = "undo"


class ActionModule(_Guarded):  # type: ignore[misc]  # found by Ansible's loader
    """The controller's half of khien_undo."""

    _VALID_ARGS = frozenset({"of", "force"})

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Put back what the run changed, or say what would be put back."""
        super(_Guarded, self).run(tmp, task_vars)
        variables = task_vars or {}
        arguments = {
            "of": self._task.args["of"],
            "run": self._own_run(variables),
            "force": self._task.args.get("force", False),
            "guard_seconds": int(variables.get("harden_guard_seconds", 120)),
        }
        result: dict[str, Any] = self._guarded("khien_undo", _AREA, arguments, variables)
        return result
