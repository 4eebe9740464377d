"""The store remembers runs, outcomes, findings and locks – the same on every database."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from khien.adapters.store import Database, SqlFleetStore, SqlRunStore, open_database
from khien.adapters.store.schema import REVISION, journal, metadata
from khien.application.ports import LogLine
from khien.domain.finding import Finding, Verdict, VerdictCounts
from khien.domain.host import Host, HostRole
from khien.domain.observation import Answer, HostFacts, Observation, ObservationSet
from khien.domain.packages import PackageChange, PatchReport, RebootNeed
from khien.domain.plan import LeftOut, Plan
from khien.domain.reason import ReasonCode
from khien.domain.run import (
    HostOutcome,
    HostState,
    ProcessIdentity,
    Reason,
    Run,
    RunId,
    RunOptions,
    RunState,
    Verb,
)
from khien.errors import StoreError, UsageError

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
ME = ProcessIdentity("m", "b", 10, 100)
OTHER = ProcessIdentity("m", "b", 11, 100)
A = RunId("run-a")


def make_run(
    store: SqlRunStore,
    run_id: str = "run-a",
    hosts: tuple[str, ...] = ("h1", "h2"),
    left_out: tuple[LeftOut, ...] = (),
) -> Run:
    plan = Plan(Verb.PATCH, RunOptions(limit="all"), hosts, NOW, left_out)
    run = Run(RunId(run_id), Verb.PATCH, RunState.CREATED, plan.options, "an operator", NOW, plan.hash)
    store.create_run(run, plan)
    return run


@pytest.fixture
def runs(database: Database) -> SqlRunStore:
    return SqlRunStore(database)


@pytest.fixture
def fleet(database: Database) -> SqlFleetStore:
    return SqlFleetStore(database)


def test_the_migrations_make_exactly_the_tables_of_the_schema(database: Database) -> None:
    with database.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == REVISION
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_store_of_a_newer_program_is_refused(url: str) -> None:
    opened = open_database(url)
    with opened.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    opened.close()

    with pytest.raises(StoreError, match="newer"):
        open_database(url)


def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "new" / "khien.db"
    open_database(f"sqlite:///{file}").close()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    file = tmp_path / "khien.db"
    file.write_text("this is a letter, not a database. " * 100)

    with pytest.raises(StoreError):
        open_database(f"sqlite:///{file}")


def test_a_new_run_has_every_host_waiting_and_left_out_ones_skipped(runs: SqlRunStore) -> None:
    left = LeftOut("h9", Reason(ReasonCode.NOTHING_TO_DO))
    make_run(runs, left_out=(left,))

    run = runs.run(A)

    assert run.counts == {HostState.WAITING: 2, HostState.SKIPPED: 1}
    assert (run.total, run.done) == (3, 1)
    assert runs.plan(run.id).left_out == (left,)
    assert {o.host: o.reason.code for o in runs.outcomes(run.id)}["h9"] == "nothing_to_do"


def test_a_unique_prefix_names_a_run_and_an_ambiguous_one_does_not(runs: SqlRunStore) -> None:
    make_run(runs, "abc-1")
    make_run(runs, "abc-2")
    make_run(runs, "abc")

    assert runs.run(RunId("abc-1")).id == "abc-1"
    assert runs.run(RunId("abc")).id == "abc"
    with pytest.raises(UsageError, match="Several"):
        runs.run(RunId("ab"))
    with pytest.raises(UsageError, match="no run"):
        runs.run(RunId("zzz"))
    with pytest.raises(UsageError, match="no run"):
        runs.run(RunId("%"))


def test_every_transition_leaves_one_journal_row(runs: SqlRunStore, database: Database) -> None:
    make_run(runs, hosts=("h1",))
    running = HostOutcome("h1", HostState.RUNNING, task="one", started_at=NOW)
    done = replace(running, state=HostState.CHANGED, task="two", ended_at=NOW + timedelta(seconds=5))

    runs.record(A, [running, replace(running, task="two"), done])

    with database.read() as connection:
        rows = connection.execute(sa.select(journal.c.state, journal.c.task).order_by(journal.c.id)).all()
    assert [tuple(row) for row in rows] == [("waiting", ""), ("running", "one"), ("changed", "two")]
    assert runs.outcomes(A)[0] == done


def test_a_final_state_is_never_left_again(runs: SqlRunStore) -> None:
    make_run(runs)
    runs.claim(A, ME, NOW)
    runs.set_state(A, RunState.CANCELLED, NOW)

    runs.set_state(A, RunState.FINISHED, NOW + timedelta(hours=1))

    run = runs.run(A)
    assert (run.state, run.ended_at) == (RunState.CANCELLED, NOW)


def test_only_one_process_can_claim_a_run(runs: SqlRunStore) -> None:
    make_run(runs)
    runs.expect(A, OTHER)
    assert runs.process(A) == OTHER
    runs.claim(A, ME, NOW)

    with pytest.raises(StoreError):
        runs.claim(A, OTHER, NOW)
    runs.expect(A, OTHER)
    assert runs.process(A) == ME


def test_cancelling_is_seen_by_the_process(runs: SqlRunStore) -> None:
    make_run(runs)
    assert not runs.cancel_requested(A)

    runs.request_cancel(A, NOW)

    assert runs.cancel_requested(A)


def test_a_host_is_locked_by_one_live_run_only(runs: SqlRunStore) -> None:
    make_run(runs, "run-a")
    make_run(runs, "run-b", hosts=("h2", "h3"))
    assert runs.lock_hosts(A, ("h1", "h2"), ME, lambda _: True) == {}

    assert runs.lock_hosts(RunId("run-b"), ("h2", "h3"), OTHER, lambda _: True) == {"h2": "run-a"}

    runs.unlock_hosts(A)
    assert runs.lock_hosts(RunId("run-b"), ("h2",), OTHER, lambda _: True) == {}


def test_locks_of_a_dead_process_are_taken_over(runs: SqlRunStore) -> None:
    third = ProcessIdentity("m", "b", 12, 1)
    runs.lock_hosts(A, ("h1",), ME, lambda _: True)

    assert runs.lock_hosts(RunId("run-b"), ("h1",), OTHER, lambda process: process != ME) == {}
    assert runs.lock_hosts(RunId("run-c"), ("h1",), third, lambda _: True) == {"h1": "run-b"}


def test_the_log_is_paged_by_sequence_and_host(runs: SqlRunStore) -> None:
    make_run(runs)
    lines = [LogLine(0, NOW, host, f"task {n}", "ok", "text") for n in range(3) for host in ("h1", "h2")]
    runs.record(A, [], lines)

    first = runs.log(A, host="h1", limit=2)

    assert [line.task for line in first] == ["task 0", "task 1"]
    assert [line.task for line in runs.log(A, host="h1", after=first[-1].sequence)] == ["task 2"]
    assert len(runs.log(A)) == 6


def test_the_inventory_s_words_are_kept_and_brought_up_to_date(fleet: SqlFleetStore) -> None:
    fleet.remember_hosts([Host("h1", agency="so_y_te", level=2)])
    fleet.remember_hosts([Host("h1", agency="so_y_te", level=3, role=HostRole.WORKSTATION), Host("h2")])

    first, second = fleet.fleet()

    assert (first.host.level, first.host.role) == (3, HostRole.WORKSTATION)
    assert (second.host.name, second.counts, second.verified_at) == ("h2", None, None)


def observations(host: str = "h1") -> ObservationSet:
    answer = Observation("sysctl", Answer.ANSWERED, {"a": [1, None, "ế"]}, milliseconds=3)
    return ObservationSet(host, NOW, HostFacts(os_id="debian", privileged=True), {"sysctl": answer})


def test_a_verification_becomes_the_present_state_with_its_evidence(
    runs: SqlRunStore, fleet: SqlFleetStore
) -> None:
    make_run(runs)
    seen = observations()
    findings = [
        Finding("c1", Verdict.PASS, ReasonCode.AS_EXPECTED, "2", (seen.observations["sysctl"],)),
        Finding("c2", Verdict.UNKNOWN, ReasonCode.NEEDS_ROOT),
    ]

    fleet.record_verification(A, seen, findings)

    detail = fleet.host("h1")
    assert detail.findings == tuple(findings)
    assert detail.status.counts == VerdictCounts(passed=1, unknown=1)
    assert (detail.status.verified_at, detail.status.facts) == (NOW, seen.facts)
    assert fleet.verdicts(A) == {"h1": VerdictCounts(passed=1, unknown=1)}


CHANGE = PackageChange("openssl", "amd64", "3.0.11-1", "3.0.17-1", "Debian-Security")


def test_predicted_updates_are_pending_and_installed_ones_are_not(
    runs: SqlRunStore, fleet: SqlFleetStore
) -> None:
    make_run(runs, hosts=("h1",))
    planned = PatchReport("planned", (CHANGE,), held=("sudo",), reboot=RebootNeed(needed=False))
    fleet.record_patch(A, "h1", planned, check=False, at=NOW)
    assert (fleet.host("h1").pending, fleet.host("h1").status.pending_security) == ((CHANGE,), 1)

    done = replace(planned, stage="finished", reboot=RebootNeed(needed=True, reasons=("a newer kernel",)))
    fleet.record_patch(A, "h1", done, check=False, at=NOW)

    detail = fleet.host("h1")
    assert (detail.pending, detail.status.pending_security) == ((), 0)
    assert detail.status.reboot_needed
    assert detail.held == ("sudo",)
    assert detail.history[0].changes == (CHANGE,)
    assert fleet.patch_reports(A)["h1"].stage == "finished"


def test_a_host_s_last_outcome_follows_its_runs(runs: SqlRunStore, fleet: SqlFleetStore) -> None:
    fleet.remember_hosts([Host("h1")])
    make_run(runs, hosts=("h1",))
    reason = Reason(ReasonCode.NO_BANNER, {"address": "198.18.1.1"})
    runs.record(A, [HostOutcome("h1", HostState.UNREACHABLE, reason, ended_at=NOW)])

    (status,) = fleet.fleet()

    assert (status.last_run, status.last_state) == ("run-a", HostState.UNREACHABLE)
    assert status.last_reason == reason


def test_a_host_nobody_saw_is_a_usage_error(fleet: SqlFleetStore) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        fleet.host("nowhere")
