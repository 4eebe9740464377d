"""What other tools said, kept in a table of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from khien.adapters.store import Database, SqlImportStore
from khien.domain.imported import Import, ImportedResult, Origin, Said, SaidCounts
from khien.errors import StoreError, UsageError

NOW = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)


def make_import(host: str = "h1", *, sha256: str = "a" * 64, days: int = 0, tool: str = "OpenSCAP") -> Import:
    results = (ImportedResult("rule_a", Said.FAIL, "fail", "high", "Tên", "x", ("CCE-1",)),)
    origin = Origin("openscap", tool, "1.3.7", "standard", "DEBIAN-11", host, "arf.xml", sha256)
    collected = NOW - timedelta(days=days)
    return Import(0, host, origin, collected, NOW, SaidCounts.of(results), "75.0", results)


@pytest.fixture
def store(database: Database) -> SqlImportStore:
    return SqlImportStore(database)


def test_an_import_comes_back_as_it_was(store: SqlImportStore) -> None:
    one = make_import()

    (number,) = store.add([one])

    assert store.latest("h1") == (replace(one, id=number),)
    assert store.imports() == (replace(one, id=number, results=()),)


def test_lists_are_newest_first_and_only_the_newest_of_a_tool_is_shown(store: SqlImportStore) -> None:
    old, new = make_import(days=9, sha256="a" * 64), make_import(days=1, sha256="b" * 64)
    other = make_import(days=5, sha256="c" * 64, tool="Lynis")
    store.add([new, old, other, make_import("h2")])

    assert [one.origin.sha256[0] for one in store.imports("h1")] == ["b", "c", "a"]
    assert [(one.origin.tool, one.origin.sha256[0]) for one in store.latest("h1")] == [
        ("Lynis", "c"),
        ("OpenSCAP", "b"),
    ]
    assert store.latest("nowhere") == ()


def test_all_are_added_or_none(store: SqlImportStore) -> None:
    with pytest.raises(StoreError):
        store.add([make_import("h1"), make_import("h2"), make_import("h1")])

    assert store.imports() == ()


def test_a_forgotten_import_is_gone(store: SqlImportStore) -> None:
    (number,) = store.add([make_import()])

    assert store.forget(number).host == "h1"
    assert store.imports() == ()
    with pytest.raises(UsageError, match="There is no import"):
        store.forget(number)
