"""Opening the store: pragmas, transactions and the schema brought up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from khien.adapters.store.schema import REVISION
from khien.errors import StoreError

_WRITE = "khien_write"


@dataclass(frozen=True, slots=True)
class Database:
    """An open store; `read` and `write` give connections inside a transaction."""

    engine: Engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent moment."""
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection that is the only writer; it commits durably at the end."""
        with _translated(), self.engine.execution_options(**{_WRITE: True}).begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", error)
        raise StoreError(f"the store failed: {error.__class__.__name__}: {cause}") from error


def open_database(url: str, *, migrate: bool = True) -> Database:
    """Open the store and bring its schema up to date.

    Args:
        url: an SQLAlchemy URL; a SQLite file is created when missing, readable by its owner only.
        migrate: whether an older schema is upgraded; else it is an error.

    Raises:
        StoreError: it cannot be opened, or its schema is newer than this program.
    """
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        raise StoreError(f"store_url is not a database URL: {error}") from error
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(parsed.database or "")
    else:
        engine = sa.create_engine(parsed, pool_pre_ping=True, pool_size=4)
    database = Database(engine)
    with _translated():
        _bring_up_to_date(database, migrate=migrate)
    return database


def _sqlite(file: str) -> Engine:
    if file and file != ":memory:":
        path = Path(file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Created by us so that it never exists with wider rights, not even for a moment.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise StoreError(f"{path}: cannot be opened for writing: {error.strerror}") from error
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=file), connect_args={"timeout": 30, "check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        # The driver's own transactions would start too late for BEGIN IMMEDIATE.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: a journal row that was committed survives a power cut.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _bring_up_to_date(database: Database, *, migrate: bool) -> None:
    revision = _revision(database)
    if revision == REVISION:
        return
    if not migrate:
        raise StoreError(f"the store has schema {revision or 'none'}, this program needs {REVISION}")
    # Imported only here: a store that is up to date must not pay for it at every start.
    from khien.adapters.store.migrate import upgrade

    upgrade(database.engine, revision)


def _revision(database: Database) -> str | None:
    with database.engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
