"""A mapping is read whole or refused with file and line; a control belongs to the groups it says, and to their followers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from khien.adapters.controls_yaml import YamlControls
from khien.adapters.mappings_yaml import load_mapping, load_mappings
from khien.domain.baseline import Confidence
from khien.domain.host import HostRole
from khien.domain.mapping import claims
from khien.errors import InputError

ROOT = Path(__file__).parents[3]
MAPPINGS = {mapping.id: mapping for mapping in load_mappings(ROOT / "compliance" / "mappings")}
CONTROLS = {control.id: control for control in YamlControls(ROOT / "roles").controls()}
GOOD = """\
schema: khien.mapping/1
document: TCVN 1
title: {en: A, vi: B}
valid_from: 2026-07-24
valid_to: null
source: somebody
confidence: third_party
groups:
  x.5:
    title: {en: A, vi: B}
    profiles: [server]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "tcvn1.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_group_has_the_source_of_its_document_unless_it_says_otherwise(tmp_path: Path) -> None:
    mapping = load_mapping(write(tmp_path, GOOD))

    (group,) = mapping.groups
    assert (mapping.id, mapping.valid_from, mapping.valid_to) == ("tcvn1", date(2026, 7, 24), None)
    assert (group.id, group.source, group.confidence) == ("x.5", "somebody", Confidence.THIRD_PARTY)
    assert group.profiles == {HostRole.SERVER}


def test_a_document_is_in_force_between_its_days(tmp_path: Path) -> None:
    mapping = load_mapping(write(tmp_path, GOOD.replace("valid_to: null", "valid_to: 2026-12-31")))

    days = (date(2026, 7, 23), date(2026, 7, 24), date(2026, 12, 31), date(2027, 1, 1))
    assert [mapping.in_force(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("2026-07-24", "24/7/2026", 4, "expected a day as YYYY-MM-DD"),
        ("valid_to: null", "valid_to: 2025-01-01", 5, "must not be before valid_from"),
        ("third_party", "hearsay", 7, "'hearsay' is not known"),
        ("[server]", "[laptop]", 11, "'laptop' is not known"),
        ("[server]", "[]", 11, "expected some of"),
        ("document: TCVN 1\n", "", 1, "missing: document"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new, 1))

    with pytest.raises(InputError) as caught:
        load_mapping(path)

    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize("control", CONTROLS.values(), ids=lambda control: control.id)
def test_every_group_that_a_control_names_is_there(control) -> None:
    for document, mapping in MAPPINGS.items():
        assert set(control.references.get(document, ())) <= {group.id for group in mapping.groups}


def test_a_group_takes_over_the_controls_of_those_it_follows() -> None:
    found = {
        (mapping.id, group.id) for mapping, group in claims(CONTROLS["sshd_tries_limited"], MAPPINGS.values())
    }

    assert found == {("tcvn11930", "XT"), ("tcvn14423", "x.5"), ("nd331", "30.4.b")}


def test_no_number_stands_where_only_the_name_is_known() -> None:
    unconfirmed = [g for m in MAPPINGS.values() for g in m.groups if g.confidence is Confidence.UNCONFIRMED]

    assert [group.id for group in unconfirmed] == ["CG"]
