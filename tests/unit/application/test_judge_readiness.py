"""Whether a run may start on a host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from khien.application.judge_readiness import DoorAnswers, FreeSpace, HeldLock, judge_readiness
from khien.domain.reason import ReasonCode

GOOD = DoorAnswers("automation", sudo_code=0, python_path="/usr/bin/python3", python_version=(3, 11, 2))


def codes(answers: DoorAnswers) -> tuple[list[str], list[str]]:
    troubles, warnings = judge_readiness(answers)
    return [r.code for r in troubles], [r.code for r in warnings]


def test_a_good_host_is_ready() -> None:
    assert codes(GOOD) == ([], [])


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("sudo: a password is required", ReasonCode.SUDO_NEEDS_PASSWORD),
        ("automation is not in the sudoers file.", ReasonCode.SUDO_REFUSED),
    ],
)
def test_sudo_stands_in_the_way_only_where_the_inventory_asks_for_it(message: str, code: ReasonCode) -> None:
    without = replace(GOOD, sudo_code=1, sudo_message=message)

    assert codes(without) == ([], [code])
    assert codes(replace(without, sudo_wanted=True)) == ([code], [])


@pytest.mark.parametrize(
    ("version", "expected"), [((3, 9, 0), []), ((3, 8, 20), [ReasonCode.PYTHON_TOO_OLD]), ((4, 0, 0), [])]
)
def test_the_oldest_python_that_will_do(version: tuple[int, ...], expected: list[str]) -> None:
    assert codes(replace(GOOD, python_version=version))[0] == expected


def test_a_full_file_system_is_said_once_by_its_mount_and_its_greatest_need() -> None:
    places = (FreeSpace("/", "/", 120), FreeSpace("/var", "/", 120), FreeSpace("/boot", "/boot", 60))

    (reason,), _warnings = judge_readiness(replace(GOOD, free=places))

    assert reason.code == ReasonCode.DISK_FULL
    assert reason.arguments == {"path": "/", "free_mb": 120, "needed_mb": 200}


def test_unfinished_packages_count_only_when_nobody_is_at_work_on_them() -> None:
    broken = replace(GOOD, unfinished_packages=("nginx", "openssl"))
    busy = replace(broken, locks=(HeldLock("/var/lib/dpkg/lock", 417, "apt-get"),))

    assert codes(broken)[0] == [ReasonCode.PACKAGES_BROKEN]
    assert codes(busy)[0] == [ReasonCode.PACKAGE_LOCK_HELD]
    assert codes(replace(GOOD, has_unfinished_journal=True))[0] == [ReasonCode.PACKAGES_BROKEN]


@pytest.mark.parametrize(
    ("seconds", "expected"), [(60, []), (61, [ReasonCode.CLOCK_SKEW]), (-3600, [ReasonCode.CLOCK_SKEW])]
)
def test_a_wrong_clock_is_a_warning(seconds: int, expected: list[str]) -> None:
    assert codes(replace(GOOD, skew_seconds=seconds)) == ([], expected)
