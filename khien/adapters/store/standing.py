"""The StandingStore port over SQL: verdicts in few bytes, so that all hosts' are read at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from khien.adapters.store import schema as t
from khien.adapters.store.connect import Database
from khien.domain.finding import Finding, Verdict, VerdictCounts
from khien.domain.standing import Sheet, VerificationCounts

_COUNTS = (
    t.verifications.c.passed,
    t.verifications.c.failed,
    t.verifications.c.waived,
    t.verifications.c.not_applicable,
    t.verifications.c.unknown,
)


def write_sheet(
    connection: Connection, verification_id: int, host: str, at: datetime, findings: Sequence[Finding]
) -> None:
    """Write the verdicts of a verification, in place of those it had."""
    sheets = t.verdict_sheets
    connection.execute(sheets.delete().where(sheets.c.verification_id == verification_id))
    connection.execute(
        sheets.insert().values(
            verification_id=verification_id,
            host=host,
            collected_at=at,
            verdicts=sheet_text(findings),
        )
    )


def sheet_text(findings: Sequence[Finding]) -> str:
    """Return verdicts as a sheet keeps them."""
    verdicts = {finding.control_id: finding.verdict.value for finding in findings}
    return json.dumps(verdicts, separators=(",", ":"))


class SqlStandingStore:
    """The StandingStore port over SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def sheets(self) -> Mapping[str, Sheet]:
        """Return the last sheet of every host that was ever verified."""
        joined = t.verdict_sheets.join(
            t.hosts, t.hosts.c.verification_id == t.verdict_sheets.c.verification_id
        )
        return self._read(sa.select(t.verdict_sheets).select_from(joined))

    def earlier_sheets(self, before: datetime | None = None) -> Mapping[str, Sheet]:
        """Return each host's sheet before its last one; with a moment, its last one until then."""
        older = t.verdict_sheets.alias("older")
        number = sa.select(sa.func.max(older.c.verification_id)).where(
            older.c.host == t.verdict_sheets.c.host, older.c.verification_id < t.hosts.c.verification_id
        )
        if before is not None:
            number = number.where(older.c.collected_at <= before)
        joined = t.verdict_sheets.join(t.hosts, t.hosts.c.name == t.verdict_sheets.c.host)
        query = sa.select(t.verdict_sheets).select_from(joined)
        return self._read(
            query.where(
                t.verdict_sheets.c.verification_id
                == number.correlate(t.verdict_sheets, t.hosts).scalar_subquery()
            )
        )

    def counts_until(self, last: datetime) -> tuple[VerificationCounts, ...]:
        """Return how every verification until a moment counted, in the order of time."""
        query = (
            sa.select(t.verifications.c.host, t.verifications.c.collected_at, *_COUNTS)
            .where(t.verifications.c.collected_at <= last)
            .order_by(t.verifications.c.collected_at)
        )
        with self._db.read() as connection:
            return tuple(
                VerificationCounts(host, at, VerdictCounts(*numbers))
                for host, at, *numbers in connection.execute(query)
            )

    def _read(self, query: sa.Select[tuple[object, ...]]) -> Mapping[str, Sheet]:
        words = {verdict.value: verdict for verdict in Verdict}
        with self._db.read() as connection:
            return {
                row.host: Sheet(
                    row.host,
                    row.collected_at,
                    {control: words[verdict] for control, verdict in json.loads(row.verdicts).items()},
                )
                for row in connection.execute(query)
            }
