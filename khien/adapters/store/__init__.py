"""The store: SQLite in WAL mode by default, PostgreSQL by URL."""

from khien.adapters.store.connect import Database, open_database
from khien.adapters.store.fleet import SqlFleetStore
from khien.adapters.store.hardening import SqlHardeningStore
from khien.adapters.store.imports import SqlImportStore
from khien.adapters.store.judgements import SqlJudgementStore
from khien.adapters.store.runs import SqlRunStore

__all__ = [
    "Database",
    "SqlFleetStore",
    "SqlHardeningStore",
    "SqlImportStore",
    "SqlJudgementStore",
    "SqlRunStore",
    "open_database",
]
