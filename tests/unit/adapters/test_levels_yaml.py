"""A levels.yml is read whole or refused with file, line and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from khien.adapters.levels_yaml import load_levels
from khien.domain.baseline import Confidence, Placement
from khien.domain.host import HostRole
from khien.errors import InputError

GOOD = """\
schema: khien.levels/1
default_level: 3
thresholds:
  ssh_tries:
    title: {en: Tries, vi: Số lần}
    values: [6, 6, 4, 4, 3]
    source: own choice
    confidence: own_choice
  idle:
    title: {en: Idle, vi: Chờ}
    server: [900, 900, 900, 600, 300]
    workstation: [900, 900, 900, 900, 900]
    source: group x.5
    confidence: third_party
controls:
  sshd:
    sshd_root_login_off: {server: 1, workstation: null}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "levels.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_levels_are_read_with_their_sources(tmp_path: Path) -> None:
    levels = load_levels(write(tmp_path, GOOD))

    idle = levels.thresholds["idle"]
    assert (idle.at(5, HostRole.SERVER), idle.at(5, HostRole.WORKSTATION)) == (300, 900)
    assert (idle.source, idle.confidence) == ("group x.5", Confidence.THIRD_PARTY)
    assert levels.placements == {"sshd_root_login_off": Placement(1, None)}
    assert levels.default_level == 3


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("khien.levels/1", "khien.levels/2", 1, "not known"),
        ("default_level: 3", "default_level: 6", 2, "expected a level, 1 to 5, found 6"),
        ("[6, 6, 4, 4, 3]", "[6, 6, 4]", 6, "expected 5 values, one for each level, found 3"),
        ("own_choice", "sure", 8, "'sure' is not known"),
        ("    values: [6, 6, 4, 4, 3]\n", "", 5, "missing: server, workstation"),
        ("    values: [6", "    server: [1]\n    values: [6", 6, "unknown key 'server'"),
        ("server: 1, ", "", 17, "missing: server"),
        ("server: 1, ", "server: yes, ", 17, "expected a level"),
        ("sshd_root_login_off", "sshd_root_login_of", 17, "did you mean 'sshd_root_login_off'"),
        ("  ssh_tries:", "  Tries:", 5, "is no name"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))

    with pytest.raises(InputError) as caught:
        load_levels(path, controls=["sshd_root_login_off"])

    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_a_control_stands_in_one_place(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD + "  again:\n    sshd_root_login_off: {server: 2, workstation: 2}\n")

    with pytest.raises(InputError, match=r":19: the control 'sshd_root_login_off' is placed twice"):
        load_levels(path)
