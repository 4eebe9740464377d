"""The controller's half of hardening: what is demanded of a host, and what a guard's end means."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from khien.adapters.content import content_root
from khien.adapters.controls_yaml import YamlControls
from khien.adapters.levels_yaml import load_levels
from khien.domain.host import HostRole

ROOT = Path(__file__).parents[2]
CHANGE = {"control": "c_one", "kind": "file", "thing": "/etc/x", "before": "", "after": "one"}
REPORT = {
    "schema": "khien.harden/1",
    "changes": [CHANGE],
    "guard": {"state": "armed", "id": "g", "seconds": 9},
}


def load_plugin() -> ModuleType:
    spec = importlib.util.spec_from_file_location("state_action", ROOT / "plugins/action/khien_state.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plugin = load_plugin()


class TestChoice:
    @pytest.mark.parametrize("role", list(HostRole))
    @pytest.mark.parametrize("level", [1, 2, 3, 4, 5, None])
    def test_without_khien_the_levels_decide_as_they_do_with_it(
        self, level: int | None, role: HostRole
    ) -> None:
        levels = load_levels(content_root() / "compliance" / "levels.yml")
        controls = [control.id for control in YamlControls(ROOT / "roles").controls()]

        chosen = plugin.choice({"khien_level": level, "khien_role": role.value})

        expected = [c for c in controls if levels.demands(c, level or levels.default_level, role)]
        assert [control for control in controls if chosen(control)] == expected

    def test_a_selection_decides_for_its_hosts_and_others_get_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "selection.json"
        file.write_text(json.dumps({"hosts": {"web": {"controls": ["c_one"], "level": 3}}}))

        mine = plugin.choice({"harden_selection_file": str(file), "inventory_hostname": "web"})
        other = plugin.choice({"harden_selection_file": str(file), "inventory_hostname": "db"})

        assert (mine("c_one"), mine("c_two"), other("c_one")) == (True, False, False)

    def test_a_selection_that_cannot_be_read_hardens_nobody(self, tmp_path: Path) -> None:
        with pytest.raises(AnsibleActionFail, match="cannot be read"):
            plugin.choice({"harden_selection_file": str(tmp_path / "none.json")})

    def test_controls_can_be_left_out_by_name(self) -> None:
        assert not plugin.choice({"harden_skip_controls": ["c_one"]})("c_one")


class TestDemanded:
    def test_only_what_serves_a_chosen_control_reaches_the_host(self) -> None:
        resources: list[dict[str, Any]] = [
            {"kind": "absent", "path": "/a", "control": "c_one"},
            {"kind": "absent", "path": "/b", "control": "c_two"},
            {"kind": "file", "path": "/c", "fragments": [{"control": "c_one"}, {"control": "c_two"}]},
            {"kind": "setting", "path": "/d", "entries": [{"control": "c_two"}]},
        ]

        kept = plugin.demanded(resources, lambda control: control == "c_one")

        assert kept == [resources[0], {**resources[2], "fragments": [{"control": "c_one"}]}]


class TestVerdict:
    def test_a_confirmed_change_is_a_change(self) -> None:
        result = plugin._verdict({"changed": True, "khien": REPORT}, {"state": "disarmed"}, None)

        assert (result["changed"], result.get("failed"), result["khien"]["guard"]["state"]) == (
            True,
            None,
            "disarmed",
        )

    def test_a_change_that_was_taken_back_is_a_failure_that_names_it(self) -> None:
        result = plugin._verdict(
            {"changed": True, "khien": REPORT}, {"state": "reverted", "said": "refused"}, None
        )

        assert (result["changed"], result["failed"]) == (False, True)
        assert result["khien"]["problem"] == "guard_reverted"
        assert "/etc/x" in result["khien"]["problem_detail"]

    def test_a_host_that_is_never_seen_again_is_not_called_reverted(self) -> None:
        result = plugin._verdict(
            {"changed": True, "khien": REPORT}, {"state": "lost", "said": "no route"}, None
        )

        assert (result["changed"], result["failed"], result["khien"]["problem"]) == (True, True, "guard_lost")

    def test_a_host_that_was_cut_off_before_it_changed_anything_is_unreachable(self) -> None:
        trouble = AnsibleConnectionFailure("gone")

        with pytest.raises(AnsibleConnectionFailure):
            plugin._verdict({"changed": True, "khien": {}}, {"state": "none"}, trouble)


class TestOwnRun:
    def test_all_workers_of_one_call_make_up_the_same_name(self) -> None:
        assert plugin._own_run_id(os.getpid()) == plugin._own_run_id.__wrapped__(os.getpid())
        assert plugin._own_run_id(os.getpid()).endswith(f"-p{os.getpid()}")
