"""The store remembers predictions, changes, undos and approvals – the same on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from khien.adapters.store import Database, SqlFleetStore, SqlHardeningStore, SqlRunStore
from khien.adapters.store.schema import harden_changes, runs
from khien.domain.finding import Finding, Verdict
from khien.domain.hardening import (
    Change,
    GuardReport,
    GuardState,
    HardenReport,
    HostHardening,
    RefusedThing,
    RestoredThing,
    SkippedChange,
    Stage,
    UndoReport,
)
from khien.domain.observation import HostFacts, ObservationSet
from khien.domain.plan import ApprovedPlan, Plan
from khien.domain.prediction import Approval
from khien.domain.reason import ReasonCode
from khien.domain.run import Run, RunId, RunOptions, RunState, Verb
from khien.domain.selection import Selection

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
A = RunId("run-a")
PLANNED = HardenReport(
    "sshd",
    Stage.PLANNED,
    (Change("c", "file", "/etc/ssh/x", "∅", "a\nế"), Change("d", "sysctl", "k", "0", "1")),
    (SkippedChange("e", "mount", "/tmp", "in_container", "nspawn"),),
)


@pytest.fixture
def store(database: Database) -> SqlHardeningStore:
    plan = Plan(
        Verb.HARDEN,
        RunOptions(level=3, controls=("c",)),
        ("h1", "h2"),
        NOW,
        selection=(Selection(("h1", "h2"), ("c",), 3),),
        approved=ApprovedPlan(RunId("run-0"), "abc"),
    )
    run = Run(A, Verb.HARDEN, RunState.CREATED, plan.options, "lan", NOW, plan.hash)
    SqlRunStore(database).create_run(run, plan)
    assert SqlRunStore(database).plan(A) == plan
    return SqlHardeningStore(database)


def test_what_areas_said_comes_back_by_host_and_stage_in_their_order(store: SqlHardeningStore) -> None:
    other = replace(PLANNED, area="sudo", changes=(), skipped=())
    guard = GuardReport(GuardState.REVERTED, 120, "no route")
    applied = replace(
        PLANNED, stage=Stage.APPLIED, guard=guard, problem=ReasonCode.GUARD_REVERTED, problem_detail="x"
    )
    for report in (PLANNED, other, applied):
        store.record_hardening(A, "h1", report, NOW)
    # One role may have several tasks.
    store.record_hardening(A, "h1", replace(applied, changes=()), NOW)

    assert store.hardening(A) == {
        "h1": HostHardening((PLANNED, other), (applied, replace(applied, changes=())))
    }
    assert store.hardening(RunId("run-b")) == {}


def test_an_undo_comes_back_as_it_was_said_last(store: SqlHardeningStore) -> None:
    first = UndoReport(Stage.PLANNED, (RestoredThing("file", "/x", "a", "b"),))
    last = UndoReport(Stage.APPLIED, refused=(RefusedThing("file", "/x", "changed_since", "c ≠ a"),))

    store.record_undo(A, "h1", first, NOW)
    store.record_undo(A, "h1", last, NOW)

    assert store.undo_reports(A) == {"h1": last}


def test_an_approval_says_who_when_and_what(store: SqlHardeningStore) -> None:
    assert store.approval(A) is None
    store.approve(Approval(A, "1" * 64, "lan", NOW))
    again = Approval(A, "2" * 64, "minh", NOW + timedelta(hours=1))

    store.approve(again)

    assert store.approval(A) == again


def test_a_run_may_verify_a_host_before_and_after(store: SqlHardeningStore, database: Database) -> None:
    fleet = SqlFleetStore(database)
    failed = Finding("c", Verdict.FAIL, ReasonCode.NOT_AS_EXPECTED, "1 (2)")
    passed = replace(failed, verdict=Verdict.PASS, reason=ReasonCode.AS_EXPECTED)
    for host, finding in (("h1", failed), ("h2", failed), ("h1", passed)):
        fleet.record_verification(A, ObservationSet(host, NOW, HostFacts(os_id="debian")), [finding])

    pairs = store.verification_pairs(A)

    assert (pairs["h1"].before, pairs["h1"].after) == ((failed,), (passed,))
    assert (pairs["h2"].before, pairs["h2"].after) == ((failed,), ())
    assert fleet.verdicts(A)["h1"].passed == 1


def test_a_run_that_is_deleted_takes_its_changes_along(store: SqlHardeningStore, database: Database) -> None:
    store.record_hardening(A, "h1", PLANNED, NOW)

    with database.write() as connection:
        connection.execute(runs.delete())

    with database.read() as connection:
        assert connection.execute(sa.select(harden_changes)).all() == []
