"""Stored answers beside their judgement, so that one can be made anew without the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from khien.adapters.store import schema as t
from khien.adapters.store.codec import decode
from khien.adapters.store.connect import Database
from khien.adapters.store.standing import sheet_text
from khien.adapters.store.stored_findings import encode_findings
from khien.application.rejudge import StoredAnswers
from khien.domain.finding import VerdictCounts
from khien.domain.host import Host
from khien.domain.judge import Judgement
from khien.domain.observation import ObservationSet

_ROWS = 100
"""How many hosts' answers are in memory at once."""


class SqlJudgementStore:
    """The JudgementStore port over SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def answers(self, hosts: Collection[str] | None = None) -> Iterator[StoredAnswers]:
        """Return the latest answers of hosts, or of all, by name; no more than a few are in memory."""
        # In portions and not as one open query, so that whoever reads may write meanwhile.
        if hosts is not None:
            names = sorted(set(hosts))
            for start in range(0, len(names), _ROWS):
                chosen = t.hosts.c.name.in_(names[start : start + _ROWS])
                yield from map(_answers, self._portion(chosen))
            return
        last = ""
        while rows := self._portion(t.hosts.c.name > last):
            last = rows[-1].name
            yield from map(_answers, rows)

    def replace(self, judgements: Collection[tuple[StoredAnswers, Judgement]]) -> None:
        """Put new judgements in the place of old ones; hosts that answered anew meanwhile keep theirs."""
        rows = [_values(answers, judgement) for answers, judgement in judgements]
        if not rows:
            return
        counts: dict[str, Any] = {name: sa.bindparam(name) for name in asdict(VerdictCounts())}
        verification = (
            t.verifications.update()
            .where(t.verifications.c.id == sa.bindparam("verification"))
            .values(findings=sa.bindparam("stored"), **counts)
        )
        sheet = (
            t.verdict_sheets.update()
            .where(t.verdict_sheets.c.verification_id == sa.bindparam("verification"))
            .values(verdicts=sa.bindparam("sheet"))
        )
        host = (
            t.hosts.update()
            .where(
                t.hosts.c.name == sa.bindparam("host_name"),
                t.hosts.c.verification_id == sa.bindparam("verification"),
            )
            .values(basis=sa.bindparam("rules"), **counts)
        )
        with self._db.write() as connection:
            connection.execute(verification, rows)
            connection.execute(sheet, rows)
            connection.execute(host, rows)

    def _portion(self, chosen: sa.ColumnElement[bool]) -> list[Row[Any]]:
        query = (
            sa.select(
                t.hosts.c.name,
                t.hosts.c.words,
                t.hosts.c.basis,
                t.verifications.c.id,
                t.verifications.c.observations,
                *(t.verifications.c[name] for name in asdict(VerdictCounts())),
            )
            .join(t.verifications, t.verifications.c.id == t.hosts.c.verification_id)
            .where(chosen)
            .order_by(t.hosts.c.name)
            .limit(_ROWS)
        )
        with self._db.read() as connection:
            return list(connection.execute(query))


def _answers(row: Row[Any]) -> StoredAnswers:
    return StoredAnswers(
        verification=row.id,
        host=decode(Host, row.words),
        observations=decode(ObservationSet, row.observations),
        counts=VerdictCounts(row.passed, row.failed, row.waived, row.not_applicable, row.unknown),
        basis=row.basis or "",
    )


def _values(answers: StoredAnswers, judgement: Judgement) -> dict[str, object]:
    return {
        "verification": answers.verification,
        "host_name": answers.host.name,
        "stored": encode_findings(judgement.findings),
        "sheet": sheet_text(judgement.findings),
        "rules": judgement.basis,
        **asdict(VerdictCounts.of(judgement.findings)),
    }
