"""What a host answered becomes the right verdict, and never a pass without an answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.domain.control import Check, Control, Probe, Severity, WhenAbsent
from khien.domain.evaluate import combine, evaluate
from khien.domain.expectation import OPERATORS
from khien.domain.finding import Finding, Verdict
from khien.domain.observation import Answer, HostFacts, Observation, ObservationSet
from khien.domain.reason import ReasonCode
from khien.domain.text import Bilingual

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DEBIAN = HostFacts(os_id="debian", os_family="debian", os_version="12", virtualization="none")
PROBE = Probe("sysctl", {"key": "kernel.randomize_va_space"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
EXPECTED = {
    "at_least": 1, "at_most": 1, "between": [1, 2], "count_between": [1, 2], "equals": "no", "equals_list": ["root"],
    "is_empty": True, "mode_at_most": "0640", "supported_until": {"debian": {"12": "2028-06-30"}},
}  # fmt: skip


def control(*checks: Check, families: tuple[str, ...] = ("debian",), host_only: bool = False) -> Control:
    words = Bilingual("en", "vi")
    return Control(
        id="some_control", title=words, rationale=words, severity=Severity.HIGH, area="system", checks=checks,
        os_families=families, role="sysctl", fix_variable=None, side_effects=words, way_back=words,
        not_in_containers=host_only,
    )  # fmt: skip


def equals_two(probe: Probe = PROBE, absent: WhenAbsent = WhenAbsent.FAIL) -> Check:
    return Check(probe, "equals", 2, when_absent=absent)


def answers(*observations: Observation, facts: HostFacts = DEBIAN) -> ObservationSet:
    return ObservationSet("web-01", NOW, facts, {o.probe_id: o for o in observations})


def answered(value: object, probe: Probe = PROBE) -> Observation:
    return Observation(probe.id, Answer.ANSWERED, value)


def judge(one: Control, seen: ObservationSet) -> Finding:
    (finding,) = evaluate([one], seen)
    return finding


def test_the_expected_value_passes_with_its_evidence() -> None:
    finding = judge(control(equals_two()), answers(answered(2)))

    assert (finding.verdict, finding.reason) == (Verdict.PASS, ReasonCode.AS_EXPECTED)
    assert finding.detail == "kernel.randomize_va_space = 2 (= 2)"
    assert finding.evidence == (answered(2),)


def test_another_value_fails_and_both_are_shown() -> None:
    finding = judge(control(equals_two()), answers(answered(1)))

    assert (finding.verdict, finding.reason) == (Verdict.FAIL, ReasonCode.NOT_AS_EXPECTED)
    assert finding.detail == "kernel.randomize_va_space = 1 (= 2)"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer.NEEDS_ROOT, ReasonCode.NEEDS_ROOT),
        (Answer.TIMED_OUT, ReasonCode.TIMED_OUT),
        (Answer.FAILED, ReasonCode.NO_ANSWER),
        (Answer.UNSUPPORTED, ReasonCode.NO_ANSWER),
    ],
)
def test_no_answer_is_unknown_with_what_the_host_said(answer: Answer, reason: ReasonCode) -> None:
    finding = judge(control(equals_two()), answers(Observation(PROBE.id, answer, detail="why not")))

    assert (finding.verdict, finding.reason) == (Verdict.UNKNOWN, reason)
    assert "why not" in finding.detail


def test_a_missing_observation_is_unknown() -> None:
    assert judge(control(equals_two()), answers()).verdict is Verdict.UNKNOWN


def test_a_control_without_checks_proves_nothing() -> None:
    assert judge(control(), answers()).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("absent", "verdict"),
    [
        (WhenAbsent.PASS, Verdict.PASS),
        (WhenAbsent.FAIL, Verdict.FAIL),
        (WhenAbsent.NOT_APPLICABLE, Verdict.NOT_APPLICABLE),
    ],
)
def test_each_check_says_what_absence_means(absent: WhenAbsent, verdict: Verdict) -> None:
    finding = judge(control(equals_two(absent=absent)), answers(answered(None)))

    assert (finding.verdict, finding.reason) == (verdict, ReasonCode.ABSENT)


def test_a_list_without_entries_counts_as_absent_where_each_entry_must_hold() -> None:
    check = Check(PROBE, "all_equal", "no", when_absent=WhenAbsent.FAIL)

    assert judge(control(check), answers(answered([]))).verdict is Verdict.FAIL


def test_another_family_is_not_applicable_and_no_family_is_unknown() -> None:
    one = control(equals_two(), families=("redhat",))

    assert judge(one, answers(answered(2))).reason == ReasonCode.OTHER_SYSTEM
    assert judge(one, answers(answered(2), facts=HostFacts())).verdict is Verdict.UNKNOWN


def test_kernel_settings_are_not_judged_in_a_container() -> None:
    container = HostFacts(os_family="debian", virtualization="container")
    finding = judge(control(equals_two(), host_only=True), answers(answered(0), facts=container))

    assert (finding.verdict, finding.reason) == (Verdict.NOT_APPLICABLE, ReasonCode.IN_CONTAINER)


def test_a_check_for_another_system_is_left_out() -> None:
    other = Check(Probe("mounts"), "equals", 2, only_on=("rhel9",))
    one = judge(control(equals_two(), other), answers(answered(2)))

    assert (one.verdict, one.evidence) == (Verdict.PASS, (answered(2),))


def test_a_control_without_a_check_for_this_system_is_not_applicable() -> None:
    one = judge(control(Check(PROBE, "equals", 2, only_on=("ubuntu2404", "redhat"))), answers(answered(2)))

    assert (one.verdict, one.reason) == (Verdict.NOT_APPLICABLE, ReasonCode.OTHER_SYSTEM)


def test_a_value_of_another_shape_is_unknown_not_failed() -> None:
    check = Check(PROBE, "at_least", 1)

    assert judge(control(check), answers(answered({"a": 1}))).verdict is Verdict.UNKNOWN


def test_a_field_that_the_answer_lacks_is_unknown_even_where_absence_would_pass() -> None:
    check = Check(PROBE, "equals", 2, field_path=("missing",), when_absent=WhenAbsent.PASS)

    assert judge(control(check), answers(answered({"other": 2}))).verdict is Verdict.UNKNOWN


def test_a_field_path_goes_into_every_entry_of_a_list() -> None:
    check = Check(PROBE, "all_mode_at_most", "0640", field_path=("mode",))

    assert (
        judge(control(check), answers(answered([{"mode": "0600"}, {"mode": "0640"}]))).verdict is Verdict.PASS
    )
    assert (
        judge(control(check), answers(answered([{"mode": "0600"}, {"mode": "0644"}]))).verdict is Verdict.FAIL
    )


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ("pass pass", "pass"),
        ("pass fail unknown", "fail"),
        ("pass unknown", "unknown"),
        ("pass not_applicable", "pass"),
        ("not_applicable unknown", "unknown"),
        ("not_applicable not_applicable", "not_applicable"),
        ("", "unknown"),
    ],
)
def test_checks_combine(verdicts: str, together: str) -> None:
    assert combine([Verdict(word) for word in verdicts.split()]) is Verdict(together)


def test_the_end_of_support_is_compared_with_the_day_of_the_collection() -> None:
    check = Check(
        Probe("os_release"), "supported_until", {"debian": {"12": "2026-11-23", "11": "2026-11-22"}}
    )
    seen = [
        answered({"id": "debian", "version": version}, Probe("os_release")) for version in ("12", "11", "14")
    ]

    verdicts = [judge(control(check), answers(one)).verdict for one in seen]

    assert verdicts == [Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN]


def test_a_detail_has_an_end_however_much_the_host_says() -> None:
    check = Check(PROBE, "is_empty", expected=True)
    many = [{"name": "p" * 200, "from": "1", "to": "2"}] * 5000

    assert len(judge(control(check), answers(answered(many))).detail) <= 1500


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_an_answer_nested_without_end_breaks_nothing(operator: str) -> None:
    check = Check(PROBE, operator, EXPECTED.get(operator.removeprefix("all_"), ["a"]))

    assert judge(control(check), answers(answered(nested(5000)))).verdict in Verdict


@given(
    operator=st.sampled_from(sorted(OPERATORS)), value=JSON, path=st.lists(st.text(max_size=4), max_size=2)
)
def test_every_answer_gets_a_verdict(operator: str, value: object, path: list[str]) -> None:
    expected = EXPECTED.get(operator.removeprefix("all_"), EXPECTED.get(operator, ["no", "022"]))
    check = Check(PROBE, operator, expected, field_path=tuple(path))

    finding = judge(control(check), answers(answered(value)))

    assert finding.verdict in Verdict


@given(
    operator=st.sampled_from(sorted(OPERATORS)),
    answer=st.sampled_from([None, *(a for a in Answer if a is not Answer.ANSWERED)]),
    value=JSON,
    absent=st.sampled_from(list(WhenAbsent)),
)
def test_never_a_pass_without_an_answer(
    operator: str, answer: Answer | None, value: object, absent: WhenAbsent
) -> None:
    check = Check(PROBE, operator, EXPECTED.get(operator, ["a"]), when_absent=absent)
    seen = answers() if answer is None else answers(Observation(PROBE.id, answer, value))

    assert judge(control(check, check), seen).verdict is Verdict.UNKNOWN
