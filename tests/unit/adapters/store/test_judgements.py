"""Stored answers are judged again without a host: the answers stay, their judgement and figures are new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from khien.adapters.store import Database, SqlFleetStore, SqlJudgementStore, SqlRunStore
from khien.adapters.store import schema as t
from khien.adapters.store.standing import SqlStandingStore
from khien.application.rejudge import rejudge
from khien.domain.baseline import Levels, Placement
from khien.domain.control import Check, Control, Probe, Severity
from khien.domain.finding import Verdict, VerdictCounts
from khien.domain.host import Host
from khien.domain.judge import Judge
from khien.domain.observation import Answer, HostFacts, Observation, ObservationSet
from khien.domain.plan import Plan
from khien.domain.run import Run, RunId, RunOptions, RunState, Verb
from khien.domain.text import Bilingual
from khien.domain.waiver import ScopeKind, Waiver

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
TODAY = NOW.date()
RUN = RunId("20261125-030000-aaaa")
WORDS = Bilingual("en", "vi")


def control(name: str) -> Control:
    return Control(
        id=name, title=WORDS, rationale=WORDS, severity=Severity.HIGH, area="system",
        checks=(Check(Probe(name), "equals", 1),), os_families=("debian",), role="sysctl", fix_variable=None,
        side_effects=WORDS, way_back=WORDS,
    )  # fmt: skip


CONTROLS = (control("a_x"), control("b_x"))
OLD = Judge(CONTROLS, Levels(3))
WAIVER = Waiver("w-1", "b_x", ScopeKind.GROUP, "web", "why", "An", TODAY, TODAY + timedelta(90))
NEW = replace(OLD, waivers=(WAIVER,))


@pytest.fixture
def fleet(database: Database) -> SqlFleetStore:
    runs, fleet = SqlRunStore(database), SqlFleetStore(database)
    plan = Plan(Verb.VERIFY, RunOptions(), ("web-01", "web-02"), NOW)
    runs.create_run(Run(RUN, Verb.VERIFY, RunState.CREATED, plan.options, "an", NOW, plan.hash), plan)
    fleet.remember_hosts([Host(name, groups=("web",)) for name in ("web-01", "web-02", "web-03")])
    for name in ("web-01", "web-02"):
        observe(fleet, name, b_x=0)
    return fleet


def observe(fleet: SqlFleetStore, name: str, b_x: int) -> None:
    answers = {
        "a_x": Observation("a_x", Answer.ANSWERED, 1),
        "b_x": Observation("b_x", Answer.ANSWERED, b_x),
    }
    seen = ObservationSet(name, NOW, HostFacts(os_id="debian", os_family="debian", os_version="12"), answers)
    judgement = OLD.judge(fleet.described(name), seen, TODAY)
    fleet.record_verification(RUN, seen, judgement.findings, basis=judgement.basis)


def figures(fleet: SqlFleetStore) -> dict[str, VerdictCounts | None]:
    return {status.host.name: status.counts for status in fleet.fleet()}


def test_a_waiver_reaches_what_is_stored(fleet: SqlFleetStore, database: Database) -> None:
    done = list(rejudge(SqlJudgementStore(database), NEW, TODAY, described={}))

    assert [(one.host, one.before.failed, one.after.waived) for one in done] == [
        ("web-01", 1, 1),
        ("web-02", 1, 1),
    ]
    assert figures(fleet) == {
        "web-01": VerdictCounts(passed=1, waived=1),
        "web-02": VerdictCounts(passed=1, waived=1),
        "web-03": None,
    }
    finding = fleet.host("web-01").findings[1]
    assert (finding.verdict, finding.evidence[0].value) == (Verdict.WAIVED, 0)
    assert finding.excuse is not None
    assert (finding.excuse.waiver, finding.excuse.expires) == ("w-1", WAIVER.expires)
    assert SqlStandingStore(database).sheets()["web-01"].verdicts == {
        "a_x": Verdict.PASS,
        "b_x": Verdict.WAIVED,
    }
    assert fleet.verdicts(RUN)["web-01"] == VerdictCounts(passed=1, waived=1)


def test_a_host_says_by_which_rules_it_was_judged(fleet: SqlFleetStore, database: Database) -> None:
    before = {status.host.name: status.basis for status in fleet.fleet()}
    list(rejudge(SqlJudgementStore(database), NEW, TODAY, described={}, only=["web-02"]))
    after = {status.host.name: status.basis for status in fleet.fleet()}

    host = Host("web-01", groups=("web",))
    assert before == {"web-01": OLD.basis(host, TODAY), "web-02": OLD.basis(host, TODAY), "web-03": ""}
    assert after == {**before, "web-02": NEW.basis(host, TODAY)}


def test_the_level_of_today_decides(fleet: SqlFleetStore, database: Database) -> None:
    judge = replace(OLD, levels=Levels(3, placements={"a_x": Placement(1, 1), "b_x": Placement(2, 2)}))

    list(rejudge(SqlJudgementStore(database), judge, TODAY, described={"web-01": Host("web-01", level=1)}))

    assert figures(fleet)["web-01"] == VerdictCounts(passed=1)
    assert figures(fleet)["web-02"] == VerdictCounts(passed=1, failed=1)


def test_judging_again_changes_no_answer(fleet: SqlFleetStore, database: Database) -> None:
    def answers() -> list[str]:
        with database.read() as connection:
            return list(connection.execute(sa.select(t.verifications.c.observations)).scalars())

    before = answers()
    list(rejudge(SqlJudgementStore(database), NEW, date(2030, 1, 1), described={}))

    assert answers() == before


def test_answers_that_came_meanwhile_keep_their_own_judgement(
    fleet: SqlFleetStore, database: Database
) -> None:
    store = SqlJudgementStore(database)
    (old,) = store.answers(["web-01"])
    observe(fleet, "web-01", b_x=1)

    store.replace([(old, NEW.judge(old.host, old.observations, TODAY))])

    assert figures(fleet)["web-01"] == VerdictCounts(passed=2)
