"""The store: SQLite in WAL mode by default, PostgreSQL by URL."""

from khien.adapters.store.connect import Database, open_database
from khien.adapters.store.fleet import SqlFleetStore
from khien.adapters.store.hardening import SqlHardeningStore
from khien.adapters.store.runs import SqlRunStore

__all__ = ["Database", "SqlFleetStore", "SqlHardeningStore", "SqlRunStore", "open_database"]
