"""What is found on a machine, judged: each matter has its sentence, and a problem says what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from khien.application.doctor import ANSIBLE_CORE, OLDEST_PYTHON, Diagnosis, Health, diagnose
from khien.application.installation import FolderFacts, InstallationFacts, ServiceFacts
from khien.i18n import choose_language, current_language

NOW = datetime(2026, 11, 23, tzinfo=UTC)
GIB = 1024**3
FOLDER = FolderFacts(
    Path("/var/lib/khien"), exists=True, is_writable=True, mode=0o700, free_bytes=9 * GIB, free_inodes=10**6
)
FACTS = InstallationFacts(
    python=(3, 13, 0),
    ansible_core="2.21.5",
    ansible_runner="2.4.3",
    missing_scripts=(),
    ssh="OpenSSH_10.0p2",
    state=FOLDER,
    runtime=replace(FOLDER, path=Path("/run/khien")),
    uses_sqlite=True,
    known_hosts=Path("/root/.ssh/known_hosts"),
    known_hosts_exists=True,
    known_hosts_readable=True,
    known_hosts_mode=0o600,
    missing_catalogues=(),
    is_terminal=True,
    columns=120,
    rows=40,
    encoding="utf-8",
    now=NOW,
    clock_is_synchronised=True,
    unused_environment=(),
    exposed_secret_files=(),
)
SERVICES = ServiceFacts(inventory=3, controls=40)
MATTERS = [
    *(
        "python",
        "ansible_core",
        "ansible_scripts",
        "ansible_runner",
        "state_dir",
        "runtime_dir",
        "disk_space",
    ),
    *("store", "inventory", "controls", "ssh", "known_hosts", "configuration", "language", "terminal"),
    *("leftovers", "clock"),
]
PROBLEM, WARNING, OK = Health.PROBLEM, Health.WARNING, Health.OK


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = current_language()
    choose_language("en")
    yield
    choose_language(before)


def unwell(facts: InstallationFacts = FACTS, services: ServiceFacts = SERVICES) -> list[Diagnosis]:
    return [one for one in diagnose(facts, services) if one.health is not OK]


def test_a_sound_installation_has_a_good_word_for_every_matter() -> None:
    found = diagnose(FACTS, SERVICES)

    assert unwell() == []
    assert [one.id for one in found] == MATTERS
    assert all(one.text.endswith(".") for one in found)


@pytest.mark.parametrize(
    ("change", "matter", "health", "said"),
    [
        ({"python": (3, 10, 4)}, "python", PROBLEM, "Python 3.10.4 is too old."),
        ({"ansible_core": ""}, "ansible_core", PROBLEM, "ansible-core is not installed."),
        ({"ansible_core": "2.18.9"}, "ansible_core", PROBLEM, "ansible-core 2.18.9 is not one of"),
        ({"ansible_core": "2.22.0b1"}, "ansible_core", PROBLEM, "ansible-core 2.22.0b1 is not one of"),
        ({"ansible_runner": ""}, "ansible_runner", PROBLEM, "cannot be imported"),
        (
            {"missing_scripts": ("ansible-playbook",)},
            "ansible_scripts",
            PROBLEM,
            "Not found: ansible-playbook.",
        ),
        ({"ssh": ""}, "ssh", PROBLEM, "no SSH client"),
        ({"state": replace(FOLDER, is_writable=False)}, "state_dir", PROBLEM, "cannot be written"),
        ({"state": replace(FOLDER, mode=0o722)}, "state_dir", PROBLEM, "Others can write"),
        ({"state": replace(FOLDER, mode=0o755)}, "state_dir", WARNING, "Others can read"),
        ({"state": replace(FOLDER, filesystem="nfs4")}, "state_dir", PROBLEM, "lies on the network (nfs4)"),
        ({"state": replace(FOLDER, free_bytes=50 << 20)}, "disk_space", PROBLEM, "50 MiB are free"),
        ({"state": replace(FOLDER, free_bytes=500 << 20)}, "disk_space", WARNING, "500 MiB are free"),
        ({"state": replace(FOLDER, free_inodes=9)}, "disk_space", PROBLEM, "9 files can still be made"),
        ({"known_hosts_exists": False}, "known_hosts", WARNING, "does not exist"),
        ({"known_hosts_readable": False}, "known_hosts", PROBLEM, "cannot be read"),
        ({"known_hosts_mode": 0o666}, "known_hosts", PROBLEM, "trust a false host"),
        ({"missing_catalogues": ("vi",)}, "language", WARNING, "missing: vi."),
        ({"encoding": "ANSI_X3.4-1968"}, "terminal", WARNING, "cannot show every letter"),
        ({"columns": 79}, "terminal", WARNING, "79 × 40"),
        ({"clock_is_synchronised": False}, "clock", WARNING, "Nothing keeps the clock"),
        ({"now": datetime(2019, 1, 1, tzinfo=UTC)}, "clock", PROBLEM, "The clock says 2019-01-01"),
        ({"unused_environment": ("KHIEN_FROKS",)}, "configuration", WARNING, "KHIEN_FROKS"),
        ({"exposed_secret_files": (Path("/etc/khien/khien.toml"),)}, "configuration", PROBLEM, "can read it"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    change: dict[str, object], matter: str, health: Health, said: str
) -> None:
    (one,) = unwell(replace(FACTS, **change))  # type: ignore[arg-type]

    assert (one.id, one.health) == (matter, health)
    assert said in one.text
    assert one.advice


@pytest.mark.parametrize(
    ("change", "matter", "health", "said"),
    [
        ({"store": "the store was made by a newer Khiên"}, "store", PROBLEM, "made by a newer"),
        ({"inventory": "hosts.yml:3: broken"}, "inventory", PROBLEM, "hosts.yml:3: broken"),
        ({"inventory": 0}, "inventory", PROBLEM, "holds no host"),
        ({"controls": 0}, "controls", PROBLEM, "no control"),
        ({"dead_runs": ("20261122-1",)}, "leftovers", WARNING, "20261122-1"),
        ({"leftover_folders": (Path("/run/khien/2026-x"),)}, "leftovers", PROBLEM, "/run/khien/2026-x"),
        ({"newest_run": NOW + timedelta(days=2)}, "clock", PROBLEM, "already dated 2026-11-25"),
    ],
)
def test_what_a_part_complains_of_is_passed_on(
    change: dict[str, object], matter: str, health: Health, said: str
) -> None:
    (one,) = unwell(services=replace(SERVICES, **change))  # type: ignore[arg-type]

    assert (one.id, one.health) == (matter, health)
    assert said in one.text
    assert one.advice


def test_a_network_disk_is_no_matter_when_a_server_keeps_the_store() -> None:
    facts = replace(FACTS, state=replace(FOLDER, filesystem="nfs4"), uses_sqlite=False)

    assert unwell(facts) == []


def test_a_folder_that_can_still_be_made_is_no_problem() -> None:
    facts = replace(FACTS, state=replace(FOLDER, exists=False, mode=0))

    assert unwell(facts, replace(SERVICES, store_is_new=True)) == []


def test_a_small_window_is_no_matter_where_there_is_no_terminal() -> None:
    assert unwell(replace(FACTS, is_terminal=False, columns=20)) == []


def test_the_supported_versions_are_those_that_the_package_demands() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    low, high = (".".join(map(str, version)) for version in ANSIBLE_CORE)

    assert f"ansible-core>={low},<{high}" in project["dependencies"]
    assert project["requires-python"] == ">=" + ".".join(map(str, OLDEST_PYTHON))
