"""The controller's half asks the same questions as `khien` and keeps the answers where it is told."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from khien.adapters.controls_yaml import YamlControls
from khien.adapters.controls_yaml import compile_probes as compiled_by_khien

ROOT = Path(__file__).parents[2]


def load_plugin() -> ModuleType:
    spec = importlib.util.spec_from_file_location("collect_action", ROOT / "plugins/action/khien_collect.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plugin = load_plugin()


class Task:
    """As much of a task as the plugin looks at."""

    def __init__(self, **args: Any) -> None:
        self.args = args
        self.async_val = 0
        self.check_mode = False


def run(monkeypatch: pytest.MonkeyPatch, **args: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the module was given and what the action returned."""
    given: dict[str, Any] = {}

    def execute(
        _self: object, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        given.update(module_args, name=module_name)
        return {"changed": False, "khien": '{"schema": "khien.observations/1"}'}

    monkeypatch.setattr(plugin.ActionBase, "run", lambda *_args: {})
    monkeypatch.setattr(plugin.ActionModule, "_execute_module", execute)
    action = object.__new__(plugin.ActionModule)
    action._task = Task(**args)
    return given, action.run(None, {"inventory_hostname": "../web 01"})


def test_both_ways_ask_exactly_the_same() -> None:
    assert plugin.compile_probes(ROOT / "roles") == compiled_by_khien(YamlControls(ROOT / "roles").controls())


def test_a_file_of_probes_is_handed_on_untouched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    probes = [{"id": "{{ not_a_template }}", "kind": "firewall", "parameters": {}, "timeout": 1}]
    (tmp_path / "probes.json").write_text(json.dumps(probes))

    given, _ = run(monkeypatch, probes_file=str(tmp_path / "probes.json"), budget=5)

    assert (given["name"], json.loads(given["probes"]), given["budget"]) == ("khien_collect", probes, 5)


def test_without_a_file_the_controls_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    given, _ = run(monkeypatch, probes_file="")

    assert len(json.loads(given["probes"])) > 40


def test_answers_are_saved_under_a_name_that_stays_in_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(monkeypatch, probes_file="", save_to=str(tmp_path / "answers"))

    (saved,) = (tmp_path / "answers").iterdir()
    assert saved.name == "_web_01.json"
    assert json.loads(saved.read_text()) == {"schema": "khien.observations/1"}


@pytest.mark.parametrize("text", [None, "{broken"])
def test_an_unusable_file_of_probes_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "probes.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(AnsibleActionFail, match=r"probes\.json"):
        run(monkeypatch, probes_file=str(path))
