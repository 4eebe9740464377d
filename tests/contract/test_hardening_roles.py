"""A role that hardens says the same in its defaults, its argument specs, its data and its controls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from khien.adapters.controls_yaml import YamlControls

ROOT = Path(__file__).parents[2]
CONTROLS = YamlControls(ROOT / "roles").controls()
ROLES = sorted(file.parents[1] for file in (ROOT / "roles").glob("*/vars/main.yml"))
HEADINGS = ("It does", "It will not", "Locks you out if", "Example", "Way back")


@pytest.fixture(params=ROLES, ids=lambda role: role.name)
def role(request: pytest.FixtureRequest) -> Path:
    one: Path = request.param
    return one


def read(role: Path, name: str) -> Any:
    return yaml.safe_load((role / name).read_text(encoding="utf-8"))


def served(role: Path) -> set[str]:
    """Return the controls that a role's data names; some of it is put together by templates."""
    words = set(re.findall(r"\w+", (role / "vars/main.yml").read_text(encoding="utf-8")))
    return {control.id for control in CONTROLS if control.id in words}


def test_defaults_are_what_the_argument_specs_say(role: Path) -> None:
    options = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]

    assert {name: words["default"] for name, words in options.items()} == read(role, "defaults/main.yml")
    assert all(words["description"] and words["type"] for words in options.values())


def test_public_and_private_names_are_told_apart(role: Path) -> None:
    assert [name for name in read(role, "defaults/main.yml") if not name.startswith(f"{role.name}_")] == []
    assert [name for name in read(role, "vars/main.yml") if not name.startswith(f"__{role.name}_")] == []


def test_its_data_serves_controls_of_its_own(role: Path) -> None:
    own = {control.id for control in CONTROLS if control.role == role.name}

    assert served(role) <= own


def test_every_control_it_can_fix_is_served_and_no_other(role: Path) -> None:
    fixed = {c.id for c in CONTROLS if c.role == role.name and c.fix_variable is not None}

    assert served(role) == fixed


def test_what_is_opt_in_is_off_by_default(role: Path) -> None:
    defaults = read(role, "defaults/main.yml")

    for control in CONTROLS:
        if control.role == role.name and control.fix_opt_in:
            assert control.fix_variable is not None
            assert not defaults[control.fix_variable], control.id


def test_its_page_has_the_parts_that_people_look_for(role: Path) -> None:
    page = (role / "README.md").read_text(encoding="utf-8")

    assert [heading for heading in HEADINGS if f"\n## {heading}\n" not in page] == []
