"""`khien controls` lists, filters and explains, in both languages and as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def khien(state: Path, *words: str, lang: str = "en") -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "KHIEN_LANG": lang,
        "KHIEN_STATE_DIR": str(state),
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }
    starter = "from khien.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", starter, "controls", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        cwd=ROOT,
    )


def test_all_controls_are_listed_in_the_language_asked_for(tmp_path: Path) -> None:
    english, vietnamese = khien(tmp_path, "list"), khien(tmp_path, "list", lang="vi")

    assert "Root does not log in over SSH" in english.stdout
    assert "Không đăng nhập root qua SSH" in vietnamese.stdout
    assert (english.returncode, english.stderr) == (0, "")


def test_filters_narrow_together(tmp_path: Path) -> None:
    done = khien(
        tmp_path, "list", "--area", "patching", "--severity", "high", "--platform", "redhat", "--json"
    )

    document = json.loads(done.stdout)
    assert document["schema"] == "khien.controls/1"
    ids = [control["id"] for control in document["controls"]]
    assert "patch_security_updates_none_pending" in ids
    assert "patch_security_updates_none_held" not in ids
    assert all(c["area"] == "patching" and c["severity"] == "high" for c in document["controls"])


@pytest.mark.parametrize(
    "words",
    [("list", "--area", "weather"), ("list", "--severity", "huge"), ("list", "--platform", "windows")],
)
def test_a_filter_that_nothing_can_match_is_wrong_use_and_names_what_can(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = khien(tmp_path, *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert words[1] in done.stderr


def test_one_control_is_explained_whole(tmp_path: Path) -> None:
    shown = khien(tmp_path, "show", "patch_system_supported").stdout

    for words in ("high", "patching", "report only", "RHEL-09-211010", "Way back"):
        assert words in shown


def test_one_control_as_json_has_its_checks(tmp_path: Path) -> None:
    document = json.loads(khien(tmp_path, "show", "sshd_root_login_off", "--json").stdout)

    assert document["schema"] == "khien.control/1"
    assert document["control"]["checks"][0]["probe"] == {
        "kind": "sshd_option",
        "parameters": {"option": "permitrootlogin"},
    }


def test_a_level_narrows_the_list_and_more_is_demanded_higher_up(tmp_path: Path) -> None:
    found = {}
    for words in (("1",), ("3",), ("3", "--profile", "workstation")):
        done = khien(tmp_path, "list", "--level", *words, "--json")
        found[words] = {control["id"] for control in json.loads(done.stdout)["controls"]}

    assert found["1",] < found["3",]
    assert found["3", "--profile", "workstation"] != found["3",]


def test_a_control_says_who_demands_it_and_where_it_was_tried(tmp_path: Path) -> None:
    shown = khien(tmp_path, "show", "sshd_tries_limited").stdout
    control = json.loads(khien(tmp_path, "show", "sshd_tries_limited", "--json").stdout)["control"]

    assert "Ubuntu 22.04 (from recorded answers, never run on a real one)" in shown
    assert "Servers: from level 1 on" in shown
    assert "TCVN 14423:2026 x.5: Secure configuration; from a third party; since 2026-07-24" in shown
    assert {p["id"]: p["tested"] for p in control["platforms"]} == {
        "debian12": "real", "debian13": "real",
        "ubuntu2204": "recorded", "ubuntu2404": "recorded", "rhel9": "recorded",
    }  # fmt: skip
    assert control["levels"] == {"server": 1, "workstation": 1}
    assert [claim["group"] for claim in control["mappings"]] == ["30.4.b", "XT", "x.5"]


def test_an_unknown_control_is_wrong_use_with_the_nearest_name(tmp_path: Path) -> None:
    done = khien(tmp_path, "show", "sshd_root_login_of")

    assert done.returncode == 2
    assert "sshd_root_login_off" in done.stderr
