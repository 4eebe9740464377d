"""The filter of the roles gives the number that verification expects, at every level."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from khien.adapters.levels_yaml import load_levels
from khien.domain.baseline import LEVELS
from khien.domain.host import HostRole

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "khien_levels", ROOT / "plugins" / "filter" / "khien_levels.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_gives_what_verification_expects(plugin: ModuleType) -> None:
    threshold = plugin.FilterModule().filters()["khien_threshold"]

    for name, values in load_levels(ROOT / "compliance" / "levels.yml").thresholds.items():
        for level in LEVELS:
            for role in HostRole:
                assert threshold(name, level, role.value) == values.at(level, role)
                assert threshold(name, str(level), profile=role.value) == values.at(level, role)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("password_lenght", 3), "has no threshold 'password_lenght'; it has: account_inactive_days"),
        (("password_length", 6), "the level must be 1 to 5, not 6"),
        (("password_length", "high"), "the level must be 1 to 5"),
        (("password_length", True), "the level must be 1 to 5"),
        (("password_length", 3, "laptop"), "must be server or workstation, not 'laptop'"),
    ],
)
def test_a_mistake_is_said(plugin: ModuleType, arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        plugin.khien_threshold(*arguments)


def test_ansible_finds_it_and_takes_the_default_level(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible")),
            *("localhost", "-c", "local", "-m", "debug", "-a"),
            "msg={{ 'password_length' | khien_threshold(khien_level | default(3)) }}",
        ],
        cwd=ROOT,
        env={
            "HOME": str(tmp_path),
            "PATH": "/usr/bin:/bin",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert '"msg": 14' in done.stdout or '"msg": "14"' in done.stdout
