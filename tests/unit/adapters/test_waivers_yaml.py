"""Waivers are read whole or refused with file and line; writing one leaves every other byte as it was."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from khien.adapters.waiver_writer import add_waiver, next_id, revoke_waiver
from khien.adapters.waivers_yaml import load_waivers, read_waivers
from khien.domain.text import safe_text
from khien.domain.waiver import ScopeKind, Waiver
from khien.errors import InputError, UsageError

CONTROLS = ["sshd_banner", "sshd_root_login_off"]
GOOD = """\
# Reviewed by the security team.
schema: khien.waivers/1
waivers:
  # The old one
  - id: w-2026-001
    control: sshd_banner
    scope: {agency: so_y_te}
    reason: >-
      The banner comes
      with the new image.
    approver: Trần Thị B   # head of IT
    issued: 2026-01-02
    expires: 2026-12-31

  - id: w-2026-002
    control: sshd_root_login_off
    scope: {host: web-01}
    reason: backup
    approver: An
    issued: 2026-01-02
    expires: 2026-06-30
# the end
"""
NEW = Waiver(
    "w-2026-003", "sshd_banner", ScopeKind.GROUP, "web", "it's: new #1", "Nguyễn Văn An", date(2026, 11, 25),
    date(2027, 1, 1),
)  # fmt: skip


def write(folder: Path, text: str, name: str = "waivers.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_waivers_are_read_with_their_places(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)

    first, second = load_waivers(path, CONTROLS)

    assert (first.id, first.kind, first.scope, first.line) == ("w-2026-001", ScopeKind.AGENCY, "so_y_te", 5)
    assert (first.reason, first.approver) == ("The banner comes with the new image.", "Trần Thị B")
    assert (second.issued, second.expires) == (date(2026, 1, 2), date(2026, 6, 30))
    assert second.place == f"{path}:15"


def test_a_folder_holds_several_files_and_nothing_holds_none(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("w-2026", "w-2025"), "more.yaml")
    write(tmp_path, "not yaml: [", "notes.txt")

    assert [w.id for w in load_waivers(tmp_path, CONTROLS)] == [
        "w-2025-001", "w-2025-002", "w-2026-001", "w-2026-002",
    ]  # fmt: skip
    assert load_waivers(tmp_path / "none", CONTROLS) == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("control: sshd_banner", "control: sshd_baner", 6, "did you mean 'sshd_banner'"),
        ("issued: 2026-01-02", "issued: 2/1/2026", 12, "expected a day as YYYY-MM-DD, found '2/1/2026'"),
        ("expires: 2026-12-31", "expires: 2026-13-31", 13, "cannot be understood"),
        ("expires: 2026-12-31", "expires: 2025-12-31", 13, "must not be before issued, 2026-01-02"),
        ("{agency: so_y_te}", "{agency: so_y_te, host: web-01}", 7, "exactly one of: host, group, agency"),
        ("{agency: so_y_te}", "{agencies: so_y_te}", 7, "did you mean 'agency'"),
        ("    approver: Trần Thị B   # head of IT\n", "", 5, "missing: approver"),
        ("approver: Trần Thị B ", 'approver: " "', 11, "expected a text"),
        ("w-2026-002", "w-2026-001", 15, "exists already at"),
        ("khien.waivers/1", "khien.waivers/9", 2, "not known"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))

    with pytest.raises(InputError) as caught:
        load_waivers(path, CONTROLS)

    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_all_mistakes_are_found_at_once_and_the_rest_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path, GOOD.replace("sshd_banner", "sshd_baner").replace("2026-06-30", "soon") + GOOD[-10:]
    )

    waivers, problems = read_waivers(path, [*CONTROLS])

    assert (waivers, [problem.line for problem in problems]) == ((), [6, 21])


def test_adding_one_leaves_every_other_byte(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    path.chmod(0o640)

    assert add_waiver(tmp_path, NEW, CONTROLS) == path

    text = path.read_text(encoding="utf-8")
    begin = text.index("  - id: w-2026-003")
    end = text.index("# the end")
    assert text[:begin] + text[end:] == GOOD
    assert load_waivers(path, CONTROLS)[-1].reason == NEW.reason
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["waivers.yml"]


@pytest.mark.parametrize(
    "text",
    [
        "schema: khien.waivers/1\nwaivers: []\n",
        "schema: khien.waivers/1\nwaivers:\n",
        "schema: khien.waivers/1\nwaivers:   # none\n",
        "schema: khien.waivers/1\nwaivers: []   # none\n",
        "waivers: null\nschema: khien.waivers/1",
        "schema: khien.waivers/1\nwaivers:",
        GOOD.rstrip("\n").removesuffix("\n# the end"),
        GOOD.replace("\n  - ", "\n- ").replace("\n    ", "\n  ").replace("\n  # The", "\n# The"),
    ],
)
def test_every_form_of_a_list_takes_one_more(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    before = len(load_waivers(path, CONTROLS))

    add_waiver(path, NEW, CONTROLS)

    assert [w.id for w in load_waivers(path, CONTROLS)][before:] == ["w-2026-003"]
    assert ("# none" in path.read_text(encoding="utf-8")) == ("# none" in text)


def test_a_list_in_brackets_is_left_alone(tmp_path: Path) -> None:
    text = (
        "schema: khien.waivers/1\nwaivers: [{id: a, control: sshd_banner, scope: {host: b}, reason: c, "
        "approver: d, issued: 2026-01-01, expires: 2027-01-01}]\n"
    )
    path = write(tmp_path, text)

    with pytest.raises(InputError, match=r":2: The list stands in brackets"):
        add_waiver(path, NEW, CONTROLS)
    with pytest.raises(InputError, match=r":2: This waiver stands in braces"):
        revoke_waiver(load_waivers(path, CONTROLS)[0], date(2026, 2, 2), "an", CONTROLS)

    assert path.read_text(encoding="utf-8") == text


def test_the_first_waiver_begins_the_file(tmp_path: Path) -> None:
    file = add_waiver(tmp_path / "waivers", NEW, CONTROLS)

    assert file == tmp_path / "waivers" / "waivers.yml"
    assert load_waivers(tmp_path / "waivers", CONTROLS)[0].approver == NEW.approver


def test_an_id_is_used_once(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("w-2026-002", "w-2026-003"), "other.yml")

    with pytest.raises(UsageError, match="exists already"):
        add_waiver(tmp_path, NEW, CONTROLS)
    assert next_id(["w-2026-009", "w-2025-100", "x"], 2026) == "w-2026-010"


def test_revoking_marks_the_entry_and_leaves_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)

    for waiver in load_waivers(path, CONTROLS):
        revoke_waiver(waiver, date(2026, 5, 5), "tran: b", CONTROLS)

    text = path.read_text(encoding="utf-8")
    marks = '    revoked: 2026-05-05\n    revoked_by: "tran: b"\n'
    assert text.count(marks) == 2
    assert text.replace(marks, "") == GOOD
    assert [w.revoked for w in load_waivers(path, CONTROLS)] == [date(2026, 5, 5)] * 2
    assert [entry["revoked_by"] for entry in yaml.safe_load(text)["waivers"]] == ["tran: b"] * 2


@given(text=st.text(min_size=1).map(lambda text: safe_text(text, 200)).filter(bool))
def test_whatever_a_person_says_is_read_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("w") / "waivers.yml"
    waiver = Waiver(
        "w-1", "sshd_banner", ScopeKind.HOST, text, text, text, date(2026, 1, 1), date(2027, 1, 1)
    )

    add_waiver(path, waiver, CONTROLS)

    (read,) = load_waivers(path, CONTROLS)
    assert (read.scope, read.reason, read.approver) == (text, text, text)
