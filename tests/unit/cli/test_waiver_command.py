"""`khien waiver` writes, lists and checks waivers; every complaint names file and line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TODAY = datetime.now(UTC).astimezone().date()
INVENTORY = """\
web:
  vars: {khien_agency: so_y_te, khien_level: 3}
  hosts:
    web-01:
    web-02:
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    return tmp_path


def khien(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "KHIEN_LANG": "en",
        "KHIEN_STATE_DIR": str(home / "state"),
        "KHIEN_INVENTORY": str(home / "inventory.yml"),
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }
    starter = "from khien.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", starter, *words],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        cwd=ROOT,
    )


def add(home: Path, *more: str, days: int = 90) -> subprocess.CompletedProcess[str]:
    expires = str(TODAY + timedelta(days))
    words = ("--reason", "why", "--approver", "An", "--expires", expires, *more)
    return khien(home, "waiver", "add", "sshd_banner", *words)


def test_a_waiver_lies_beside_the_inventory_and_is_listed_until_it_is_revoked(home: Path) -> None:
    added = add(home, "--agency", "so_y_te")
    name = added.stdout.strip()
    listed = json.loads(khien(home, "waiver", "list", "--json").stdout)["waivers"]
    revoked = khien(home, "waiver", "revoke", name)

    assert (added.returncode, name) == (0, f"w-{TODAY.year}-001")
    assert listed[0] | {"file": "", "line": 0} == {
        "id": name, "control": "sshd_banner", "scope": {"agency": "so_y_te"}, "reason": "why",
        "approver": "An", "issued": str(TODAY), "expires": str(TODAY + timedelta(90)), "revoked": None,
        "state": "active", "days_left": 90, "file": "", "line": 0,
    }  # fmt: skip
    assert listed[0]["file"] == str(home / "waivers" / "waivers.yml")
    assert revoked.returncode == 0
    assert json.loads(khien(home, "waiver", "list", "--json").stdout)["waivers"] == []
    assert "revoked" in khien(home, "waiver", "list", "--all").stdout
    assert khien(home, "waiver", "revoke", name).returncode == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "exactly one of --host, --group and --agency"),
        (("--host", "web-01", "--group", "web"), "exactly one of --host, --group and --agency"),
        (("--host", "web-03"), "host web-03 matches no host of the inventory"),
        (("--host", "web-01", "--expires", "soon"), "--expires takes a day as YYYY-MM-DD"),
        (("--host", "web-01", "--expires", "2020-01-01"), "--expires lies in the past"),
        (("--host", "web-01", "--reason", " "), "--reason must not be empty"),
    ],
)
def test_a_waiver_that_makes_no_sense_is_not_written(
    home: Path, words: tuple[str, ...], complaint: str
) -> None:
    done = add(home, *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert not (home / "waivers").exists()


def test_one_that_ends_soon_is_announced(home: Path) -> None:
    assert khien(home, "waiver", "expiring").returncode == 0
    add(home, "--host", "web-01", days=10)
    soon, later = khien(home, "waiver", "expiring"), khien(home, "waiver", "expiring", "--days", "9")
    checked = khien(home, "waiver", "check")

    assert (soon.returncode, "ends in 10 days" in soon.stdout) == (1, True)
    assert later.returncode == 0
    assert (checked.returncode, "waivers.yml:6: warning: " in checked.stdout) == (0, True)


def test_the_check_names_file_and_line_of_every_mistake(home: Path) -> None:
    for words in (("--host", "web-01"), ("--group", "web"), ("--agency", "so_y_te")):
        add(home, *words)
    file = home / "waivers" / "waivers.yml"
    text = file.read_text()
    first, second, third = text.split("  - ")[1:]
    first = first.replace("sshd_banner", "sshd_baner")
    second = second.replace(str(TODAY + timedelta(90)), "2026-02-02").replace(str(TODAY), "2026-01-01")
    third = third.replace("so_y_te", "so_khac")
    file.write_text("  - ".join((text.split("  - ")[0], first, second, third)))

    done = khien(home, "waiver", "check")
    verify = khien(home, "verify")

    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        f"{file}:7: 'sshd_baner' is not known; did you mean 'sshd_banner'?",
        f"{file}:13: The waiver w-{TODAY.year}-002 of sshd_banner for group web ended on 2026-02-02; "
        "what it excused is a failure again.",
        f"{file}:20: The waiver w-{TODAY.year}-003 is for agency so_khac, which matches no host of the "
        "inventory.",
    ]
    assert (verify.returncode, f"{file}:7: " in verify.stderr) == (2, True)
    assert not (home / "state" / "run").exists()


def test_judging_again_asks_no_host(home: Path) -> None:
    done = khien(home, "rejudge", "--json")

    assert (done.returncode, json.loads(done.stdout)) == (
        0, {"schema": "khien.rejudged/1", "hosts_total": 0, "hosts": []},
    )  # fmt: skip
