"""What other tools said of hosts, in a table of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from khien.adapters.store import schema as t
from khien.adapters.store.codec import decode, encode
from khien.adapters.store.connect import Database
from khien.domain.imported import Import, ImportedResult, Origin, SaidCounts
from khien.errors import UsageError
from khien.i18n import _

# A list of imports must not read every rule of every file.
_LISTED = tuple(column for column in t.imports.c if column.name != "results")


@dataclass(frozen=True, slots=True)
class _StoredResults:
    items: tuple[ImportedResult, ...]


class SqlImportStore:
    """The ImportStore port over SQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, imports: Sequence[Import]) -> tuple[int, ...]:
        """Store new imports in one transaction, whatever their `id`; return the ids they got, in order."""
        with self._db.write() as connection:
            return tuple(
                connection.execute(
                    t.imports.insert().values(**_values(one)).returning(t.imports.c.id)
                ).scalar_one()
                for one in imports
            )

    def imports(self, host: str | None = None) -> tuple[Import, ...]:
        """Return imports without their results, the newest first, all or those of one host."""
        query = sa.select(*_LISTED).order_by(t.imports.c.collected_at.desc(), t.imports.c.id.desc())
        if host is not None:
            query = query.where(t.imports.c.host == host)
        with self._db.read() as connection:
            return tuple(_import(row) for row in connection.execute(query))

    def latest(self, host: str) -> tuple[Import, ...]:
        """Return the newest import of each tool and profile on a host, with its results."""
        newest: dict[tuple[str, str], int] = {}
        for one in self.imports(host):
            newest.setdefault((one.origin.tool, one.origin.profile), one.id)
        query = t.imports.select().where(t.imports.c.id.in_(newest.values()))
        query = query.order_by(t.imports.c.tool, t.imports.c.profile)
        with self._db.read() as connection:
            return tuple(
                _import(row, decode(_StoredResults, row.results).items) for row in connection.execute(query)
            )

    def forget(self, import_id: int) -> Import:
        """Remove one import and return what it was."""
        with self._db.write() as connection:
            row = connection.execute(sa.select(*_LISTED).where(t.imports.c.id == import_id)).first()
            if row is None:
                raise UsageError(_("There is no import {id}.").format(id=import_id))
            connection.execute(t.imports.delete().where(t.imports.c.id == import_id))
        return _import(row)


def _values(one: Import) -> dict[str, Any]:
    return {
        "host": one.host,
        "sha256": one.origin.sha256,
        "position": one.origin.position,
        "tool": one.origin.tool,
        "profile": one.origin.profile,
        "origin": encode(Origin, one.origin),
        "collected_at": one.collected_at,
        "imported_at": one.imported_at,
        "score": one.score,
        "counts": encode(SaidCounts, one.counts),
        "results": encode(_StoredResults, _StoredResults(one.results)),
    }


def _import(row: Row[Any], results: tuple[ImportedResult, ...] = ()) -> Import:
    return Import(
        id=row.id,
        host=row.host,
        origin=decode(Origin, row.origin),
        collected_at=row.collected_at,
        imported_at=row.imported_at,
        counts=decode(SaidCounts, row.counts),
        score=row.score,
        results=results,
    )
