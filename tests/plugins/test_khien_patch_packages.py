"""What dpkg has, what it left half done, and what changed between two moments."""

from pathlib import Path

import pytest
from ansible.module_utils.khien_patch.command import Output, PatchError
from ansible.module_utils.khien_patch.packages import (
    compare_packages,
    half_done,
    has_interrupted_journal,
    list_packages,
    merge_changes,
    parse_packages,
)
from ansible.module_utils.khien_patch.plan import Change

LIST = (
    "ii \tbash\tamd64\t5.2-1\n"
    "hi \tperl\tamd64\t5.36\n"
    "rc \tgone\tall\t1.0\n"
    "un \tnever\tall\t\n"
    "iU \tkd-unpacked\tall\t2.0\n"
    "iF \tkd-half\tall\t2.0\n"
    "iHR\tkd-broken\tall\t2.0\n"
    "it \tkd-pending\tall\t2.0\n"
    "iW \tkd-awaiting\tall\t2.0\n"
)


def test_installed_packages_are_those_with_files() -> None:
    packages = parse_packages(LIST)

    assert packages[("bash", "amd64")] == "5.2-1"
    assert ("perl", "amd64") in packages
    assert not {("gone", "all"), ("never", "all")} & set(packages)


def test_everything_that_dpkg_did_not_finish_is_half_done() -> None:
    assert half_done(LIST) == ("kd-unpacked", "kd-half", "kd-broken", "kd-pending", "kd-awaiting")
    assert half_done("ii \tbash\tamd64\t5.2-1\n") == ()


def test_only_numbered_entries_of_the_journal_mean_an_interruption(tmp_path: Path) -> None:
    (tmp_path / "tmp.i").touch()
    assert not has_interrupted_journal(str(tmp_path))

    (tmp_path / "0001").touch()
    assert has_interrupted_journal(str(tmp_path))
    assert not has_interrupted_journal(str(tmp_path / "absent"))


def test_a_database_that_dpkg_cannot_read_is_broken() -> None:
    with pytest.raises(PatchError) as caught:
        list_packages(lambda argv, timeout=300: Output(2, "", "dpkg-query: error: parsing file"))

    assert caught.value.code == "packages_broken"


def test_changes_are_all_differences_by_name() -> None:
    before = {("a", "all"): "1", ("b", "amd64"): "1", ("c", "all"): "1"}
    after = {("a", "all"): "2", ("c", "all"): "1", ("d", "all"): "1"}

    changes = compare_packages(before, after)

    assert [(c.name, c.kind) for c in changes] == [("a", "upgrade"), ("b", "remove"), ("d", "install")]


def test_a_package_that_changes_its_architecture_is_upgraded() -> None:
    changes = compare_packages({("a", "amd64"): "1"}, {("a", "all"): "2"})

    assert changes == (Change("a", "all", "1", "2"),)


def test_changes_of_two_transactions_become_one_step() -> None:
    earlier = (Change("a", "all", "1", "2"), Change("n", "all", "", "1"), Change("x", "all", "1", "2"))
    later = (Change("a", "all", "2", "3", "Debian-Security"), Change("x", "all", "2", "1"))

    assert merge_changes(earlier, later) == (
        Change("a", "all", "1", "3", "Debian-Security"),
        Change("n", "all", "", "1"),
    )
