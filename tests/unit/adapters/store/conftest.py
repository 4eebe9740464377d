"""A fresh store of each kind: SQLite always, PostgreSQL where its server is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from khien.adapters.store import Database, open_database


def _server_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A private PostgreSQL server on a UNIX socket; the URL of a database of it, without the name."""
    programs = _server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here")
    as_server: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="kpg"))
    if os.geteuid() == 0:
        as_server = ["runuser", "-u", "postgres", "--"]  # the server refuses to run as root
        shutil.chown(folder, "postgres")
    data = folder / "data"
    init = [*as_server, programs / "initdb", "-D", data, "-U", "khien", "-A", "trust"]
    subprocess.run(init, check=True, capture_output=True, cwd="/")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    control = [*as_server, programs / "pg_ctl", "-D", data, "-w"]
    start = [*control, "-o", options, "-l", folder / "log", "start"]
    subprocess.run(start, check=True, capture_output=True, cwd="/")
    try:
        yield f"postgresql+psycopg://khien@/{{name}}?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd="/")
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'khien.db'}"
    import psycopg

    pattern: str = request.getfixturevalue("postgresql")
    name = f"t{abs(hash(request.node.nodeid))}"
    socket = pattern.rpartition("=")[2]
    with psycopg.connect(f"user=khien dbname=postgres host={socket}", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    return pattern.format(name=name)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An open store with the current schema."""
    opened = open_database(url)
    yield opened
    opened.close()
