"""Verdict sheets: the same on every database, also those of verifications that were stored before there were any."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from khien.adapters.store import Database, SqlFleetStore, SqlRunStore, open_database
from khien.adapters.store.migrate import migration_config
from khien.adapters.store.schema import verdict_sheets
from khien.adapters.store.standing import SqlStandingStore
from khien.domain.finding import Finding, Verdict
from khien.domain.host import Host
from khien.domain.observation import HostFacts, ObservationSet
from khien.domain.plan import Plan
from khien.domain.run import Run, RunId, RunOptions, RunState, Verb

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
RUN = RunId("run-a")
PASS, FAIL = Verdict.PASS, Verdict.FAIL


@pytest.fixture
def fleet(database: Database) -> SqlFleetStore:
    plan = Plan(Verb.VERIFY, RunOptions(), ("web", "db"), NOW)
    run = Run(RUN, Verb.VERIFY, RunState.CREATED, plan.options, "an operator", NOW, plan.hash)
    SqlRunStore(database).create_run(run, plan)
    store = SqlFleetStore(database)
    store.remember_hosts([Host("web"), Host("db"), Host("new")])
    return store


def verify(fleet: SqlFleetStore, host: str, hours: int, **verdicts: Verdict) -> None:
    at = NOW + timedelta(hours=hours)
    findings = [Finding(control, verdict, "as_expected", "a detail") for control, verdict in verdicts.items()]
    fleet.record_verification(RUN, ObservationSet(host, at, HostFacts()), findings)


def test_the_last_sheet_of_each_verified_host_and_the_one_before(
    database: Database, fleet: SqlFleetStore
) -> None:
    verify(fleet, "web", 0, c_one=FAIL)
    verify(fleet, "db", 0, c_one=PASS)
    verify(fleet, "web", 1, c_one=PASS, c_two=FAIL)
    verify(fleet, "web", 2, c_one=PASS)
    store = SqlStandingStore(database)

    now, before, long_ago = store.sheets(), store.earlier_sheets(), store.earlier_sheets(NOW)

    assert {host: sheet.verdicts for host, sheet in now.items()} == {
        "web": {"c_one": PASS},
        "db": {"c_one": PASS},
    }
    assert now["web"].at == NOW + timedelta(hours=2)
    assert {host: sheet.verdicts for host, sheet in before.items()} == {"web": {"c_one": PASS, "c_two": FAIL}}
    assert {host: sheet.verdicts for host, sheet in long_ago.items()} == {"web": {"c_one": FAIL}}


def test_counts_come_in_the_order_of_time_until_a_moment(database: Database, fleet: SqlFleetStore) -> None:
    verify(fleet, "web", 3, c_one=PASS)
    verify(fleet, "db", 1, c_one=FAIL)
    verify(fleet, "web", 9, c_one=FAIL)

    rows = SqlStandingStore(database).counts_until(NOW + timedelta(hours=5))

    assert [(row.host, row.counts.passed, row.counts.failed) for row in rows] == [("db", 0, 1), ("web", 1, 0)]


def test_an_older_store_gets_the_sheets_of_all_its_verifications(url: str) -> None:
    engine = sa.create_engine(url)
    config = migration_config()
    config.attributes["engine"] = engine
    command.upgrade(config, "0003")
    findings = {
        "items": [{"control_id": "c_one", "verdict": "pass"}, {"control_id": "c_two", "verdict": "fail"}]
    }
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO runs (id, verb, state, requested_by, created_at, plan_hash, options, plan)"
                " VALUES ('run-a', 'verify', 'finished', 'me', '2026-11-23 01:30:00', 'h', '{}', '{}')"
            )
        )
        for number in range(1, 4):
            connection.execute(
                sa.text(
                    "INSERT INTO verifications (id, run_id, host, collected_at, observations, findings,"
                    " passed, failed, waived, not_applicable, unknown)"
                    " VALUES (:id, 'run-a', 'web', '2026-11-23 01:30:00', '{}', :findings, 1, 1, 0, 0, 0)"
                ),
                {"id": number, "findings": json.dumps(findings)},
            )
    engine.dispose()

    database = open_database(url)

    with database.read() as connection:
        rows = connection.execute(verdict_sheets.select()).all()
    database.close()
    assert [(row.verification_id, row.host, json.loads(row.verdicts)) for row in rows] == [
        (number, "web", {"c_one": "pass", "c_two": "fail"}) for number in (1, 2, 3)
    ]
    assert rows[0].collected_at == NOW
