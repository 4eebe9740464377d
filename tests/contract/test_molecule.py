"""Every role that owns controls and changes hosts is proved by a molecule scenario of the whole sequence."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLES = sorted(
    file.parent.name
    for file in ROOT.glob("roles/*/controls.yml")
    if (file.parent / "tasks/main.yml").is_file()
)
SCENARIOS = sorted(file.parent.name for file in ROOT.glob("molecule/*/molecule.yml"))
HARDENING = [
    role["role"]
    for play in yaml.safe_load((ROOT / "playbooks/harden.yml").read_text(encoding="utf-8"))
    for role in play["roles"]
]
PROOF = ["check", "converge", "idempotence", "verify", "side_effect", "verify ../shared/unchanged.yml"]


def _read(path: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("role", ROLES)
def test_a_role_with_controls_is_proved(role: str) -> None:
    assert role in SCENARIOS
    tasks = yaml.safe_load((ROOT / f"molecule/{role}/tasks/verify.yml").read_text(encoding="utf-8"))
    asked = [task for task in tasks if task.get("ansible.builtin.command")]
    assert asked, "the running system is asked by commands that are not ours"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_is_named_as_its_role_and_changes_no_hardening_sequence(scenario: str) -> None:
    document = _read(f"molecule/{scenario}/molecule.yml")

    assert (ROOT / "roles" / scenario / "tasks/main.yml").is_file()
    assert document["scenario"]["name"] == scenario
    if scenario in HARDENING:
        assert document == {"scenario": {"name": scenario}}, "hardening is proved by the shared sequence"


def test_the_shared_sequence_checks_first_and_looks_again_after_the_undo() -> None:
    sequence = _read(".config/molecule/config.yml")["scenario"]["test_sequence"]

    positions = [sequence.index(step) for step in PROOF[:-1]]
    assert positions == sorted(positions)
    assert sequence.count(PROOF[-1]) == 2, "after check mode, and after the undo"
    assert sequence.index(PROOF[-1]) < sequence.index("converge")
    assert sequence[-2:] == [PROOF[-1], "destroy"]
