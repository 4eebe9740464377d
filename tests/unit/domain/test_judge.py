"""The whole rule: a judgement and the digest of what decided it; properties that no rule may break."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from khien.domain.baseline import Confidence, Levels, LevelValues, Placement
from khien.domain.control import Check, Control, Probe, Severity, Threshold, WhenAbsent
from khien.domain.finding import Verdict, VerdictCounts
from khien.domain.host import Host, HostRole
from khien.domain.judge import Judge
from khien.domain.observation import Answer, HostFacts, Observation, ObservationSet
from khien.domain.text import Bilingual
from khien.domain.waiver import ScopeKind, Waiver

WORDS = Bilingual("en", "vi")
TODAY = date(2026, 11, 25)
NAMES = ("a_x", "b_x", "c_x")
LENGTH = LevelValues("length", WORDS, (1, 2, 3, 4, 5), (1, 1, 1, 1, 1), "own", Confidence.OWN_CHOICE)
LEVELS = Levels(3, {"length": LENGTH}, {"a_x": Placement(1, 1), "b_x": Placement(3, None)})
HOST = Host("web-01", agency="so_y_te", level=3)
WAIVER = Waiver("w-1", "a_x", ScopeKind.AGENCY, "so_y_te", "why", "An", TODAY, TODAY + timedelta(90))


def control(name: str, absent: WhenAbsent = WhenAbsent.FAIL) -> Control:
    check = Check(Probe(name), "at_least", Threshold("length"), when_absent=absent)
    return Control(
        id=name, title=WORDS, rationale=WORDS, severity=Severity.HIGH, area="system", checks=(check,),
        os_families=("debian",), role="sysctl", fix_variable=None, side_effects=WORDS, way_back=WORDS,
    )  # fmt: skip


CONTROLS = tuple(control(name) for name in NAMES)


def seen(**answers: object) -> ObservationSet:
    observations = {name: Observation(name, Answer.ANSWERED, value) for name, value in answers.items()}
    facts = HostFacts(os_id="debian", os_family="debian", os_version="12")
    return ObservationSet("web-01", datetime(2026, 11, 23, tzinfo=UTC), facts, observations)


def test_a_waiver_excuses_what_the_level_demands() -> None:
    judge = Judge(CONTROLS, LEVELS, (WAIVER,))

    findings = judge.judge(HOST, seen(a_x=1, b_x=3, c_x=0), TODAY).findings

    assert {f.control_id: f.verdict for f in findings} == {
        "a_x": Verdict.WAIVED, "b_x": Verdict.PASS, "c_x": Verdict.FAIL,
    }  # fmt: skip
    assert judge.waived_controls(HOST, TODAY) == {"a_x"}
    assert judge.waived_controls(replace(HOST, agency="other"), TODAY) == frozenset()


def test_the_basis_changes_with_everything_that_decides_and_with_nothing_else() -> None:
    judge = Judge(CONTROLS, LEVELS, (WAIVER,))
    basis = judge.basis(HOST, TODAY)
    other_words = tuple(replace(c, title=Bilingual("x", "y"), severity=Severity.LOW) for c in CONTROLS)
    elsewhere = replace(WAIVER, id="w-2", scope="so_khac")

    assert judge.basis(replace(HOST, name="web-02", owner="An"), TODAY + timedelta(1)) == basis
    assert Judge(other_words, LEVELS, (WAIVER, elsewhere)).basis(HOST, TODAY) == basis
    different = [
        judge.basis(replace(HOST, level=4), TODAY),
        judge.basis(replace(HOST, role=HostRole.WORKSTATION), TODAY),
        judge.basis(HOST, WAIVER.expires + timedelta(1)),
        Judge(CONTROLS, LEVELS).basis(HOST, TODAY),
        Judge(CONTROLS[:2], LEVELS, (WAIVER,)).basis(HOST, TODAY),
        Judge(CONTROLS, replace(LEVELS, placements={"b_x": Placement(4, 4)}), (WAIVER,)).basis(HOST, TODAY),
    ]
    assert len({basis, *different}) == len(different) + 1


HOSTS = st.builds(
    Host, st.just("web-01"), level=st.none() | st.integers(1, 5), role=st.sampled_from(HostRole),
    agency=st.sampled_from(["so_y_te", ""]),
)  # fmt: skip
ANSWERS = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(
        Observation,
        st.just(""),
        st.sampled_from(Answer),
        st.none() | st.integers(0, 6) | st.text(max_size=2) | st.lists(st.integers(), max_size=2),
    ),
)
WAIVERS = st.lists(
    st.builds(
        replace,
        st.just(WAIVER),
        control=st.sampled_from(NAMES),
        expires=st.dates(TODAY - timedelta(40), TODAY + timedelta(40)),
        issued=st.just(TODAY - timedelta(50)),
    ),
    max_size=4,
)


def made(observations: dict[str, Observation]) -> ObservationSet:
    known = {name: replace(one, probe_id=name) for name, one in observations.items()}
    return replace(seen(), observations=known)


@given(HOSTS, ANSWERS, WAIVERS, st.sampled_from(WhenAbsent))
def test_never_a_pass_or_a_waiver_without_an_answer(
    host: Host, answers: dict[str, Observation], waivers: list[Waiver], absent: WhenAbsent
) -> None:
    judge = Judge([control(name, absent) for name in NAMES], LEVELS, waivers)
    answered = {name for name, one in answers.items() if one.answer is Answer.ANSWERED}

    for finding in judge.judge(host, made(answers), TODAY).findings:
        if finding.control_id not in answered:
            assert finding.verdict is Verdict.UNKNOWN


@given(HOSTS, ANSWERS, WAIVERS)
def test_waivers_leave_every_other_figure_alone(
    host: Host, answers: dict[str, Observation], waivers: list[Waiver]
) -> None:
    plain, waived = (
        VerdictCounts.of(Judge(CONTROLS, LEVELS, w).judge(host, made(answers), TODAY).findings)
        for w in ((), waivers)
    )

    assert (waived.passed, waived.unknown, waived.not_applicable, waived.applicable) == (
        plain.passed, plain.unknown, plain.not_applicable, plain.applicable,
    )  # fmt: skip


@given(HOSTS, ANSWERS)
def test_a_host_is_held_to_exactly_what_its_level_demands(
    host: Host, answers: dict[str, Observation]
) -> None:
    findings = Judge(CONTROLS, LEVELS).judge(host, made(answers), TODAY).findings

    level = LEVELS.level_of(host)
    assert [f.control_id for f in findings] == [n for n in NAMES if LEVELS.demands(n, level, host.role)]


@given(HOSTS, ANSWERS, st.integers(1, 4))
def test_a_higher_level_demands_no_less(host: Host, answers: dict[str, Observation], level: int) -> None:
    judge = Judge(CONTROLS, LEVELS)
    lower, higher = (
        {f.control_id: f.verdict for f in judge.judge(replace(host, level=n), made(answers), TODAY).findings}
        for n in (level, level + 1)
    )

    assert lower.keys() <= higher.keys()
    assert all(lower[name] is Verdict.PASS for name in lower if higher[name] is Verdict.PASS)


@given(HOSTS, ANSWERS, WAIVERS)
def test_judging_again_changes_nothing(
    host: Host, answers: dict[str, Observation], waivers: list[Waiver]
) -> None:
    once, again = (Judge(CONTROLS, LEVELS, waivers).judge(host, made(answers), TODAY) for _ in range(2))

    assert once == again
