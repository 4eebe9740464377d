"""Reports of the hardening modules are read strictly, and never break a run."""

from __future__ import annotations

from typing import Any

import pytest

from khien.adapters.harden_json import read_harden_report, read_undo_report
from khien.domain.hardening import (
    Change,
    GuardReport,
    GuardState,
    HardenReport,
    RefusedThing,
    RestoredThing,
    SkippedChange,
    Stage,
    UndoReport,
)

CHANGE = {"control": "c", "kind": "file", "thing": "/etc/x", "before": "∅", "after": "a"}
GUARD = {"state": "disarmed", "seconds": 120, "detail": "", "id": "run.01-sshd"}


def harden(**other: object) -> dict[str, Any]:
    return {
        "schema": "khien.harden/1",
        "area": "sshd",
        "run": "r",
        "stage": "applied",
        "changes": [CHANGE],
        "skipped": [{"control": "d", "kind": "mount", "thing": "/tmp", "why": "in_container", "detail": ""}],
        "guard": GUARD,
        "problem": "",
        "problem_detail": "",
        **other,
    }


def undo(**other: object) -> dict[str, Any]:
    return {
        "schema": "khien.undo/1",
        "run": "u",
        "of": "r",
        "stage": "applied",
        "restored": [{"kind": "file", "thing": "/etc/x", "before": "a", "after": "∅"}],
        "refused": [{"kind": "file", "thing": "/etc/y", "why": "changed_since", "detail": "b ≠ a"}],
        "guard": {"state": "none", "seconds": 0, "detail": ""},
        "problem": "",
        "problem_detail": "",
        **other,
    }


def test_a_whole_report_becomes_the_domains_value() -> None:
    assert read_harden_report(harden()) == HardenReport(
        area="sshd",
        stage=Stage.APPLIED,
        changes=(Change("c", "file", "/etc/x", "∅", "a"),),
        skipped=(SkippedChange("d", "mount", "/tmp", "in_container"),),
        guard=GuardReport(GuardState.DISARMED, 120),
    )
    assert read_undo_report(undo()) == UndoReport(
        stage=Stage.APPLIED,
        restored=(RestoredThing("file", "/etc/x", "a", "∅"),),
        refused=(RefusedThing("file", "/etc/y", "changed_since", "b ≠ a"),),
    )


def test_results_of_other_schemas_are_not_ours() -> None:
    assert read_harden_report(undo()) is None
    assert read_undo_report(harden()) is None


@pytest.mark.parametrize(
    "broken",
    [
        harden(stage="dreamt"),
        harden(changes=[{**CHANGE, "before": None}]),
        harden(changes=[{**CHANGE, "more": 1}]),
        harden(changes=[CHANGE] * 5_001),
        harden(guard={**GUARD, "state": "asleep"}),
        harden(problem="the dog ate it"),
        harden(skipped="all"),
        harden(area=""),
    ],
)
def test_a_report_that_breaks_the_schema_is_a_problem_of_its_host(broken: dict[str, Any]) -> None:
    report = read_harden_report(broken)

    assert report is not None
    assert (report.problem, report.changes) == ("result_unusable", ())
    assert report.problem_detail


def test_an_undo_that_breaks_the_schema_is_a_problem_of_its_host() -> None:
    report = read_undo_report(undo(refused=[{}]))

    assert report is not None
    assert (report.problem, report.restored) == ("result_unusable", ())


def test_what_a_host_says_is_made_safe() -> None:
    report = read_harden_report(harden(changes=[{**CHANGE, "before": "\x1b[31m0\n1\u202e"}]))

    assert report is not None
    assert report.changes[0].before == "0 1"
