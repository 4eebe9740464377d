# SPDX-License-Identifier: GPL-3.0-or-later
# This file imports Ansible's own code, so it stands under Ansible's licence and not under that of Khiên.
"""Hands the probes to the collector on a host without templating them, and saves the answers if told to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

_ROLES = Path(__file__).resolve().parents[2] / "roles"
_DEFAULT_TIMEOUT = 10.0


class ActionModule(ActionBase):
    """The controller's half of khien_collect."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset({"probes_file", "save_to", "budget"})
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the collector on the host and return its answers."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        probes_file = self._task.args.get("probes_file")
        # As one text, which Ansible passes on as it is: of a list it would look at every value.
        probes = _read_probes(probes_file) if probes_file else json.dumps(compile_probes(_ROLES))
        result: dict[str, Any] = self._execute_module(
            module_name="khien_collect",
            module_args={"probes": probes, "budget": self._task.args.get("budget", 60.0)},
            task_vars=task_vars,
        )
        save_to = self._task.args.get("save_to")
        if save_to and "khien" in result:
            _save(Path(save_to), str(task_vars.get("inventory_hostname", "host")), result["khien"])
        return result


def compile_probes(roles: Path) -> list[dict[str, Any]]:
    """Return the probes of all controls beside the roles, each once, as `khien` itself compiles them."""
    asked: dict[str, dict[str, Any]] = {}
    for path in sorted(roles.glob("*/controls.yml")):
        with path.open("rb") as stream:
            controls = yaml.load(stream, Loader=yaml.CSafeLoader)["controls"]
        for control in controls:
            for check in control["checks"]:
                probe = _compile(check)
                known = asked.setdefault(probe["id"], probe)
                known["timeout"] = max(known["timeout"], probe["timeout"])
    return [asked[key] for key in sorted(asked)]


def _compile(check: dict[str, Any]) -> dict[str, Any]:
    parameters = {key: value for key, value in check["probe"].items() if key != "kind"}
    kind = check["probe"]["kind"]
    words = json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {
        "id": "%s %s" % (kind, words) if parameters else kind,
        "kind": kind,
        "parameters": parameters,
        "timeout": float(check.get("timeout", _DEFAULT_TIMEOUT)),
    }


def _read_probes(path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8")
        json.loads(text)
    except (OSError, ValueError) as problem:
        raise AnsibleActionFail("probes_file %s cannot be read: %s" % (path, problem)) from problem
    return text


def _save(folder: Path, host: str, answer: str) -> None:
    """Write the answers of one host; a name that is no file name is made one."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in host).lstrip(".") or "host"
    fresh = folder / ("." + name + ".%d" % os.getpid())
    words = json.loads(answer)
    fresh.write_text(json.dumps(words, ensure_ascii=False, sort_keys=True), encoding="utf-8")
    fresh.replace(folder / (name + ".json"))
