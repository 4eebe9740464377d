"""Reports of the patch modules are read strictly, and never break a run."""

from typing import Any

import pytest

from khien.adapters.patch_json import read_patch_report
from khien.domain.packages import ChangeKind, PackageChange, PatchReport, RebootNeed


def _change(**other: object) -> dict[str, object]:
    return {
        "name": "openssl",
        "architecture": "amd64",
        "from_version": "3.0.15-1",
        "to_version": "3.0.16-1",
        "origin": "Debian-Security",
        "kind": "upgrade",
        **other,
    }


def _result(**other: object) -> dict[str, Any]:
    return {
        "schema": "khien.patch/1",
        "stage": "finished",
        "changes": [_change()],
        "held": ["perl"],
        "kept_back": [],
        "reboot": {"needed": True, "reasons": ["requested by linux"], "services": ["ssh.service"]},
        "transaction": "20261123-235012-abcd",
        "problem": "",
        "problem_detail": "",
        **other,
    }


def test_a_whole_report_becomes_the_domains_value() -> None:
    report = read_patch_report(_result())

    openssl = PackageChange("openssl", "amd64", "3.0.15-1", "3.0.16-1", "Debian-Security", ChangeKind.UPGRADE)
    assert report == PatchReport(
        stage="finished",
        changes=(openssl,),
        held=("perl",),
        kept_back=(),
        reboot=RebootNeed(True, ("requested by linux",), ("ssh.service",)),
        transaction="20261123-235012-abcd",
    )


def test_a_report_without_reboot_and_with_a_problem_is_read() -> None:
    report = read_patch_report(
        _result(stage="planned", changes=[], reboot=None, problem="package_lock_held", problem_detail="by 7")
    )

    assert report is not None
    assert (report.reboot, report.problem, report.problem_detail) == (None, "package_lock_held", "by 7")


@pytest.mark.parametrize("result", [{}, {"schema": "khien.observations/1"}, {"stage": "finished"}])
def test_another_schema_is_none_of_ours(result: dict[str, object]) -> None:
    assert read_patch_report(result) is None


@pytest.mark.parametrize(
    ("spoilt", "place"),
    [
        ({"stage": "done"}, "stage"),
        ({"changes": "openssl"}, "changes"),
        ({"changes": [_change(kind="sidegrade")]}, "changes.0.kind"),
        ({"changes": [_change(name="")]}, "changes.0.name"),
        ({"changes": [_change(from_version=None)]}, "changes.0.from_version"),
        ({"held": [7]}, "held.0"),
        ({"problem": "bad_weather"}, "problem"),
        ({"reboot": {"needed": True}}, "reboot.reasons"),
        ({"reboot": {"needed": "yes", "reasons": [], "services": []}}, "reboot.needed"),
        ({"surprise": 1}, "surprise"),
        ({"transaction": "x" * 501}, "transaction"),
    ],
)
def test_a_broken_report_is_a_failed_transaction_that_names_the_place(
    spoilt: dict[str, object], place: str
) -> None:
    report = read_patch_report(_result(**spoilt))

    assert report is not None
    assert report.problem == "transaction_failed"
    assert place in report.problem_detail
    assert report.changes == ()


def test_a_missing_key_is_named() -> None:
    result = _result()
    del result["held"]

    report = read_patch_report(result)

    assert report is not None
    assert "held" in report.problem_detail


def test_control_characters_of_a_host_go_no_further() -> None:
    report = read_patch_report(
        _result(changes=[_change(to_version="1\x1b]0;owned\x07.2\u202e")], problem_detail="\x1b[2Jgone\n\x00")
    )

    assert report is not None
    assert report.changes[0].to_version == "1.2"
    assert report.problem_detail == "gone"
