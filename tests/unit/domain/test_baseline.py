"""A level decides which controls a host is held to and by which numbers; nothing is dropped quietly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from khien.domain.baseline import Confidence, Levels, LevelValues, Placement
from khien.domain.control import Check, Control, Probe, Severity, Threshold
from khien.domain.evaluate import evaluate
from khien.domain.finding import Verdict
from khien.domain.host import Host, HostRole
from khien.domain.judge import Judge
from khien.domain.observation import Answer, HostFacts, Observation, ObservationSet
from khien.domain.text import Bilingual

WORDS = Bilingual("en", "vi")
TODAY = date(2026, 11, 25)
PROBE = Probe("login_defs")
LENGTH = LevelValues("length", WORDS, (8, 12, 14, 14, 16), (8, 8, 8, 8, 8), "own", Confidence.OWN_CHOICE)
CHECK = Check(PROBE, "at_least", Threshold("length"))
CONTROL = Control(
    id="password_length", title=WORDS, rationale=WORDS, severity=Severity.HIGH, area="accounts", checks=(CHECK,),
    os_families=("debian",), role="accounts", fix_variable=None, side_effects=WORDS, way_back=WORDS,
)  # fmt: skip
LEVELS = Levels(3, {"length": LENGTH}, {"password_length": Placement(2, None)})
SEEN = ObservationSet(
    "web-01",
    datetime(2026, 11, 23, tzinfo=UTC),
    HostFacts(os_id="debian", os_family="debian", os_version="12"),
    {PROBE.id: Observation(PROBE.id, Answer.ANSWERED, 12)},
)


def verdicts(host: Host, levels: Levels = LEVELS) -> list[Verdict]:
    return [finding.verdict for finding in Judge([CONTROL], levels).judge(host, SEEN, TODAY).findings]


def test_the_level_decides_the_number() -> None:
    assert verdicts(Host("a", level=2)) == [Verdict.PASS]
    assert verdicts(Host("a", level=3)) == [Verdict.FAIL]


def test_a_control_that_the_level_does_not_demand_is_no_finding() -> None:
    assert verdicts(Host("a", level=1)) == []
    assert verdicts(Host("a", level=5, role=HostRole.WORKSTATION)) == []


def test_a_host_without_a_level_is_judged_by_the_default() -> None:
    assert verdicts(Host("a")) == [Verdict.FAIL]
    assert verdicts(Host("a"), replace(LEVELS, default_level=2)) == [Verdict.PASS]


def test_a_control_that_stands_at_no_level_is_demanded() -> None:
    assert verdicts(Host("a", level=1), replace(LEVELS, placements={})) == [Verdict.PASS]


def test_a_threshold_without_a_value_proves_nothing() -> None:
    assert [finding.verdict for finding in evaluate([CONTROL], SEEN)] == [Verdict.UNKNOWN]
    in_a_range = replace(CONTROL, checks=(Check(PROBE, "between", [1, Threshold("length")]),))
    assert [finding.verdict for finding in evaluate([in_a_range], SEEN)] == [Verdict.UNKNOWN]


def test_a_threshold_inside_a_list_is_resolved() -> None:
    in_a_range = replace(CONTROL, checks=(Check(PROBE, "between", [1, Threshold("length")]),))

    (resolved,) = LEVELS.baseline([in_a_range], 5, HostRole.SERVER)

    assert resolved.checks[0].expected == [1, 16]
