"""What is known of each host: answers, findings, updates, history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from khien.adapters.store import schema as t
from khien.adapters.store.codec import decode, encode
from khien.adapters.store.connect import Database
from khien.adapters.store.standing import write_sheet
from khien.adapters.store.stored_findings import decode_findings, encode_findings
from khien.domain.finding import Finding, VerdictCounts
from khien.domain.fleet import HostDetail, HostHistoryEntry, HostStatus
from khien.domain.host import Host
from khien.domain.observation import HostFacts, ObservationSet
from khien.domain.packages import PatchReport
from khien.domain.run import HostState, Reason, RunId, RunOptions, Verb
from khien.errors import UsageError
from khien.i18n import _

_STAGES = ("planned", "started", "finished")
_HISTORY = 50


class SqlFleetStore:
    """The FleetStore port over SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def remember_hosts(self, hosts: Sequence[Host]) -> None:
        """Bring the inventory's words of these hosts up to date."""
        wanted = {host.name: encode(Host, host) for host in hosts}
        with self._db.write() as connection:
            query = sa.select(t.hosts.c.name, t.hosts.c.words)
            known: dict[str, str] = {row.name: row.words for row in connection.execute(query)}
            new = [{"name": name, "words": words} for name, words in wanted.items() if name not in known]
            if new:
                connection.execute(t.hosts.insert(), new)
            for name, words in wanted.items():
                if known.get(name, words) != words:
                    connection.execute(t.hosts.update().where(t.hosts.c.name == name).values(words=words))

    def fleet(self) -> tuple[HostStatus, ...]:
        """Return the status of every host ever seen, by name."""
        with self._db.read() as connection:
            rows = connection.execute(t.hosts.select().order_by(t.hosts.c.name))
            return tuple(_status(row) for row in rows)

    def host(self, name: str) -> HostDetail:
        """Return all that is known of one host."""
        with self._db.read() as connection:
            row = connection.execute(t.hosts.select().where(t.hosts.c.name == name)).first()
            if row is None:
                raise UsageError(_("No host named {name} was ever seen.").format(name=name))
            findings = _findings(connection, row.verification_id)
            history = _history(connection, name)
        updates = decode(PatchReport, row.updates) if row.updates else None
        return HostDetail(
            status=_status(row),
            findings=findings,
            pending=updates.changes if updates and updates.stage == "planned" else (),
            held=updates.held if updates else (),
            history=history,
        )

    def described(self, name: str) -> Host:
        """Return a host as the inventory described it last; one that was never described is only a name."""
        query = sa.select(t.hosts.c.words).where(t.hosts.c.name == name)
        with self._db.read() as connection:
            words = connection.execute(query).scalar()
        return decode(Host, words) if words else Host(name)

    def record_verification(
        self, run_id: RunId, observations: ObservationSet, findings: Sequence[Finding], *, basis: str = ""
    ) -> None:
        """Store a host's answers and their judgement, and make them its present state."""
        numbers = asdict(VerdictCounts.of(findings))
        with self._db.write() as connection:
            _require_host(connection, observations.host)
            done = connection.execute(
                t.verifications.insert().values(
                    run_id=run_id,
                    host=observations.host,
                    collected_at=observations.collected_at,
                    observations=encode(ObservationSet, observations),
                    findings=encode_findings(findings),
                    **numbers,
                )
            )
            assert done.inserted_primary_key is not None  # noqa: S101 - an insert of one row always has one
            number = done.inserted_primary_key[0]
            write_sheet(connection, number, observations.host, observations.collected_at, findings)
            connection.execute(
                t.hosts.update()
                .where(t.hosts.c.name == observations.host)
                .values(
                    facts=encode(HostFacts, observations.facts),
                    seen_at=observations.collected_at,
                    verified_at=observations.collected_at,
                    verification_id=number,
                    basis=basis or None,
                    **numbers,
                )
            )

    def record_updates(self, host: str, report: PatchReport, at: datetime) -> None:
        """Store which updates wait on a host, as a verification saw it."""
        with self._db.write() as connection:
            _require_host(connection, host)
            _set_updates(connection, host, report, at)

    def record_patch(
        self, run_id: RunId, host: str, report: PatchReport, *, check: bool, at: datetime
    ) -> None:
        """Store what a host said about its updates, and make it its present state."""
        with self._db.write() as connection:
            _require_host(connection, host)
            key = (
                t.patch_reports.c.run_id == run_id,
                t.patch_reports.c.host == host,
                t.patch_reports.c.stage == report.stage,
            )
            connection.execute(t.patch_reports.delete().where(*key))
            connection.execute(
                t.patch_reports.insert().values(
                    run_id=run_id, host=host, stage=report.stage, at=at, report=encode(PatchReport, report)
                )
            )
            if report.stage == "finished" and not check and not report.problem:
                # What was done is no longer pending; holds stay.
                report = replace(report, stage="planned", changes=())
            if not report.problem:
                _set_updates(connection, host, report, at)

    def verdicts(self, run_id: RunId) -> Mapping[str, VerdictCounts]:
        """Return how each host that a run verified was judged."""
        query = t.verifications.select().where(t.verifications.c.run_id == run_id)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(t.verifications.c.id)).all()
        return {row.host: counts for row in rows if (counts := _counts(row)) is not None}

    def patch_reports(self, run_id: RunId) -> Mapping[str, PatchReport]:
        """Return the latest report of each host in a run."""
        query = t.patch_reports.select().where(t.patch_reports.c.run_id == run_id)
        with self._db.read() as connection:
            rows = sorted(connection.execute(query), key=lambda row: _STAGES.index(row.stage))
        return {row.host: decode(PatchReport, row.report) for row in rows}


def _require_host(connection: Connection, name: str) -> None:
    known = connection.execute(sa.select(t.hosts.c.name).where(t.hosts.c.name == name)).first()
    if known is None:
        connection.execute(t.hosts.insert().values(name=name, words=encode(Host, Host(name))))


def _set_updates(connection: Connection, host: str, report: PatchReport, at: datetime) -> None:
    values: dict[str, Any] = {
        "updates": encode(PatchReport, report),
        "pending_security": len(report.changes) if report.stage == "planned" else None,
        "seen_at": at,
    }
    if report.reboot is not None:
        values["reboot_needed"] = report.reboot.needed
    connection.execute(t.hosts.update().where(t.hosts.c.name == host).values(**values))


def _findings(connection: Connection, verification_id: int | None) -> tuple[Finding, ...]:
    if verification_id is None:
        return ()
    row = connection.execute(t.verifications.select().where(t.verifications.c.id == verification_id)).one()
    return decode_findings(row.findings, decode(ObservationSet, row.observations))


def _history(connection: Connection, name: str) -> tuple[HostHistoryEntry, ...]:
    query = (
        sa.select(
            t.run_hosts.c.run_id,
            t.run_hosts.c.state,
            t.run_hosts.c.reason,
            t.run_hosts.c.ended_at,
            t.runs.c.created_at,
            t.runs.c.verb,
            t.runs.c.options,
        )
        .join(t.runs, t.runs.c.id == t.run_hosts.c.run_id)
        .where(t.run_hosts.c.host == name)
        .order_by(t.runs.c.created_at.desc())
        .limit(_HISTORY)
    )
    rows = connection.execute(query).all()
    ids = [row.run_id for row in rows]
    judged = t.verifications.select().where(t.verifications.c.host == name, t.verifications.c.run_id.in_(ids))
    counts = {row.run_id: _counts(row) for row in connection.execute(judged)}
    patched = t.patch_reports.select().where(
        t.patch_reports.c.host == name, t.patch_reports.c.run_id.in_(ids)
    )
    reports: dict[str, PatchReport] = {}
    for row in sorted(connection.execute(patched), key=lambda row: _STAGES.index(row.stage)):
        reports[row.run_id] = decode(PatchReport, row.report)
    return tuple(
        HostHistoryEntry(
            run=RunId(row.run_id),
            verb=Verb(row.verb),
            check=decode(RunOptions, row.options).check,
            state=HostState(row.state),
            reason=decode(Reason, row.reason) if row.reason else Reason(),
            at=row.ended_at or row.created_at,
            counts=counts.get(row.run_id),
            changes=reports[row.run_id].changes if row.run_id in reports else (),
        )
        for row in rows
    )


def _counts(row: Row[Any]) -> VerdictCounts | None:
    if row.passed is None:
        return None
    return VerdictCounts(row.passed, row.failed, row.waived, row.not_applicable, row.unknown)


def _status(row: Row[Any]) -> HostStatus:
    return HostStatus(
        host=decode(Host, row.words),
        facts=decode(HostFacts, row.facts) if row.facts else None,
        counts=_counts(row),
        basis=row.basis or "",
        verified_at=row.verified_at,
        seen_at=row.seen_at,
        pending_security=row.pending_security,
        reboot_needed=row.reboot_needed,
        last_run=RunId(row.last_run) if row.last_run else None,
        last_verb=Verb(row.last_verb) if row.last_verb else None,
        last_state=HostState(row.last_state) if row.last_state else None,
        last_reason=decode(Reason, row.last_reason) if row.last_reason else Reason(),
    )
