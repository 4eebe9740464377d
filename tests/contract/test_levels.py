"""Every control has its place in the levels, every place its control, and every threshold a fitting value."""

from __future__ import annotations

from pathlib import Path

import yaml

from khien.adapters.controls_yaml import YamlControls
from khien.adapters.levels_yaml import load_levels

ROOT = Path(__file__).parents[2]
FILE = ROOT / "compliance" / "levels.yml"
LEVELS = load_levels(FILE)
# Loading with the thresholds refuses a control whose expectation does not fit at some level.
CONTROLS = {control.id: control for control in YamlControls(ROOT / "roles", LEVELS.thresholds).controls()}


def test_every_control_has_its_place() -> None:
    load_levels(FILE, controls=CONTROLS)

    assert sorted(LEVELS.placements) == sorted(CONTROLS)


def test_a_control_stands_in_the_section_of_its_role() -> None:
    sections = yaml.safe_load(FILE.read_text(encoding="utf-8"))["controls"]

    assert [
        (role, name)
        for role, controls in sections.items()
        for name in controls
        if CONTROLS[name].role != role
    ] == []


def test_a_level_demands_whatever_a_lower_one_does() -> None:
    for values in LEVELS.thresholds.values():
        for numbers in (values.server, values.workstation):
            assert list(numbers) in (sorted(numbers), sorted(numbers, reverse=True)), values.name
