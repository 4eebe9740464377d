"""What hardening would do, did and took back, and who approved it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from khien.adapters.store import schema as t
from khien.adapters.store.codec import decode, encode
from khien.adapters.store.connect import Database
from khien.adapters.store.stored_findings import decode_findings
from khien.domain.hardening import (
    Change,
    GuardReport,
    HardenReport,
    HostHardening,
    SkippedChange,
    Stage,
    UndoReport,
)
from khien.domain.prediction import Approval
from khien.domain.proof import VerificationPair
from khien.domain.run import RunId

_Skips = tuple[SkippedChange, ...]


class SqlHardeningStore:
    """The HardeningStore port over SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def record_hardening(self, run_id: RunId, host: str, report: HardenReport, at: datetime) -> None:
        """Store what one area of a host said."""
        with self._db.write() as connection:
            done = connection.execute(
                t.harden_reports.insert().values(
                    run_id=run_id,
                    host=host,
                    area=report.area,
                    stage=report.stage.value,
                    at=at,
                    skipped=encode(_Skips, report.skipped),
                    guard=encode(GuardReport, report.guard),
                    problem=report.problem,
                    problem_detail=report.problem_detail,
                )
            )
            assert done.inserted_primary_key is not None  # noqa: S101 - an insert of one row always has one
            if report.changes:
                connection.execute(
                    t.harden_changes.insert(),
                    [_change_row(done.inserted_primary_key[0], change) for change in report.changes],
                )

    def hardening(self, run_id: RunId) -> Mapping[str, HostHardening]:
        """Return what each host of a run said."""
        with self._db.read() as connection:
            changes = _changes(connection, run_id)
            query = t.harden_reports.select().where(t.harden_reports.c.run_id == run_id)
            rows = connection.execute(query.order_by(t.harden_reports.c.host, t.harden_reports.c.id)).all()
        found: dict[str, HostHardening] = {}
        for row in rows:
            report = _report(row, tuple(changes.get(row.id, ())))
            before = found.get(row.host, HostHardening())
            if report.stage is Stage.PLANNED:
                found[row.host] = HostHardening((*before.predicted, report), before.actual)
            else:
                found[row.host] = HostHardening(before.predicted, (*before.actual, report))
        return found

    def record_undo(self, run_id: RunId, host: str, report: UndoReport, at: datetime) -> None:
        """Store what a host said about an undo."""
        values = {"at": at, "report": encode(UndoReport, report)}
        key = (t.undo_reports.c.run_id == run_id, t.undo_reports.c.host == host)
        with self._db.write() as connection:
            connection.execute(t.undo_reports.delete().where(*key))
            connection.execute(t.undo_reports.insert().values(run_id=run_id, host=host, **values))

    def undo_reports(self, run_id: RunId) -> Mapping[str, UndoReport]:
        """Return what each host said in a run that undoes."""
        query = t.undo_reports.select().where(t.undo_reports.c.run_id == run_id)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(t.undo_reports.c.host)).all()
        return {row.host: decode(UndoReport, row.report) for row in rows}

    def verification_pairs(self, run_id: RunId) -> Mapping[str, VerificationPair]:
        """Return the first and the last judgement of each host that a run verified."""
        columns = t.verifications.c
        query = sa.select(columns.host, columns.findings).where(columns.run_id == run_id)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(columns.id)).all()
        texts: dict[str, list[str]] = {}
        for row in rows:
            texts.setdefault(row.host, []).append(row.findings)
        return {
            host: VerificationPair(
                decode_findings(each[0]), decode_findings(each[-1]) if len(each) > 1 else ()
            )
            for host, each in texts.items()
        }

    def approve(self, approval: Approval) -> None:
        """Record an approval; it takes the place of an earlier one of the same run."""
        with self._db.write() as connection:
            connection.execute(t.plan_approvals.delete().where(t.plan_approvals.c.run_id == approval.run))
            connection.execute(
                t.plan_approvals.insert().values(
                    run_id=approval.run, hash=approval.hash, approved_by=approval.by, approved_at=approval.at
                )
            )

    def approval(self, run_id: RunId) -> Approval | None:
        """Return who approved what a run predicted, and when."""
        query = t.plan_approvals.select().where(t.plan_approvals.c.run_id == run_id)
        with self._db.read() as connection:
            row = connection.execute(query).first()
        return Approval(RunId(row.run_id), row.hash, row.approved_by, row.approved_at) if row else None


def _change_row(report_id: int, change: Change) -> dict[str, Any]:
    return {
        "report_id": report_id,
        "control": change.control,
        "kind": change.kind,
        "thing": change.thing,
        "before": change.before,
        "after": change.after,
    }


def _changes(connection: Connection, run_id: RunId) -> dict[int, list[Change]]:
    query = (
        sa.select(t.harden_changes)
        .join(t.harden_reports, t.harden_changes.c.report_id == t.harden_reports.c.id)
        .where(t.harden_reports.c.run_id == run_id)
        .order_by(t.harden_changes.c.id)
    )
    found: dict[int, list[Change]] = {}
    for row in connection.execute(query):
        change = Change(row.control, row.kind, row.thing, row.before, row.after)
        found.setdefault(row.report_id, []).append(change)
    return found


def _report(row: Row[Any], changes: tuple[Change, ...]) -> HardenReport:
    return HardenReport(
        area=row.area,
        stage=Stage(row.stage),
        changes=changes,
        skipped=decode(_Skips, row.skipped),
        guard=decode(GuardReport, row.guard),
        problem=row.problem,
        problem_detail=row.problem_detail,
    )
