"""The figures of a report and their denominators."""

from __future__ import annotations

from datetime import timedelta

import pytest

from khien.application.report import Figures, Freshness, Report, build_report, freshness
from khien.domain.finding import Finding, Verdict, VerdictCounts
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.host import Host
from tests.fakes.province import NOW, make_control, make_province

STALE_AFTER = timedelta(hours=48)
CONTROLS = {
    "a": make_control("a", "A", "Á", "low"),
    "b": make_control("b", "B", "Bê", "high"),
}
PASS, FAIL, WAIVED = Verdict.PASS, Verdict.FAIL, Verdict.WAIVED
UNKNOWN, NOT_APPLICABLE = Verdict.UNKNOWN, Verdict.NOT_APPLICABLE


def make_host(
    name: str,
    *verdicts: Verdict,
    agency: str = "x",
    hours_ago: float = 1,
    pending: int | None = 0,
    reboot: bool | None = False,
) -> HostDetail:
    findings = tuple(
        Finding(control, verdict, "reason") for control, verdict in zip("abcdef", verdicts, strict=False)
    )
    status = HostStatus(
        Host(name, agency=agency),
        counts=VerdictCounts.of(findings),
        verified_at=NOW - timedelta(hours=hours_ago),
        pending_security=pending,
        reboot_needed=reboot,
    )
    return HostDetail(status, findings)


def report(*details: HostDetail) -> Report:
    return build_report(
        [detail.status for detail in details],
        {detail.status.host.name: detail for detail in details},
        CONTROLS,
        now=NOW,
        stale_after=STALE_AFTER,
    )


def never(name: str, agency: str = "x") -> HostDetail:
    return HostDetail(HostStatus(Host(name, agency=agency)))


def test_a_host_that_was_never_verified_is_in_the_denominator_and_not_compliant() -> None:
    totals = report(make_host("h1", PASS), never("h2")).totals

    assert (totals.compliant, totals.hosts) == (1, 2)
    assert (totals.fresh, totals.stale, totals.never_verified) == (1, 0, 1)


def test_a_stale_host_is_not_compliant_however_good_it_was() -> None:
    made = report(make_host("h1", PASS, hours_ago=49))

    assert made.totals.compliant == 0
    assert made.hosts[0].freshness is Freshness.STALE
    assert made.hosts[0].age == timedelta(hours=49)


@pytest.mark.parametrize(
    ("verdicts", "compliant"),
    [
        ((PASS, PASS), True),
        ((PASS, WAIVED), True),
        ((PASS, NOT_APPLICABLE), True),
        ((PASS, FAIL), False),
        ((PASS, UNKNOWN), False),
        ((NOT_APPLICABLE,), False),
        ((), False),
    ],
)
def test_compliant_needs_something_that_applies_and_nothing_failed_or_unknown(
    verdicts: tuple[Verdict, ...], compliant: bool
) -> None:
    assert report(make_host("h1", *verdicts)).hosts[0].is_compliant is compliant


def test_the_denominator_of_verdicts_leaves_out_only_what_does_not_apply() -> None:
    verdicts = report(make_host("h1", PASS, FAIL, WAIVED, UNKNOWN, NOT_APPLICABLE)).totals.verdicts

    assert (verdicts.passed, verdicts.applicable, verdicts.not_applicable) == (1, 4, 1)


def test_what_is_not_known_of_updates_and_restarts_is_not_counted_as_none() -> None:
    totals = report(
        make_host("h1", PASS, pending=3, reboot=True),
        make_host("h2", PASS, pending=0, reboot=False),
        make_host("h3", PASS, pending=None, reboot=None),
    ).totals

    assert (totals.updates, totals.updates_hosts, totals.updates_known, totals.hosts) == (3, 1, 2, 3)
    assert (totals.reboot_hosts, totals.reboot_known) == (1, 2)


def test_a_control_is_counted_over_the_hosts_where_it_could_be_judged() -> None:
    made = report(
        make_host("h1", FAIL, PASS),
        make_host("h2", UNKNOWN, FAIL),
        make_host("h3", NOT_APPLICABLE, WAIVED),
        never("h4"),
    )

    by_id = {figures.control_id: figures for figures in made.controls}
    assert (by_id["a"].verdicts.failed, by_id["a"].judged) == (1, 1)
    assert (by_id["b"].verdicts.failed, by_id["b"].judged) == (1, 3)


def test_controls_that_fail_most_come_first_and_then_the_most_severe() -> None:
    made = report(make_host("h1", FAIL, FAIL, PASS), make_host("h2", PASS, PASS, PASS))

    assert [figures.control_id for figures in made.controls] == ["b", "a", "c"]
    assert [figures.control_id for figures in made.failing_controls] == ["b", "a"]


def test_failed_findings_are_sorted_by_severity_and_a_retired_control_comes_last() -> None:
    host = report(make_host("h1", FAIL, FAIL, FAIL)).hosts[0]

    assert [judged.finding.control_id for judged in host.failed] == ["b", "a", "c"]
    assert host.failed[2].control is None


def test_agencies_sum_up_to_the_total_and_hosts_of_none_come_last() -> None:
    made = report(
        make_host("h1", FAIL, agency=""),
        make_host("h2", PASS, agency="so_y_te"),
        make_host("h3", PASS, FAIL, agency="so_y_te"),
        never("h4", agency="an_binh"),
    )

    assert [agency.agency for agency in made.agencies] == ["an_binh", "so_y_te", ""]
    assert [agency.figures.hosts for agency in made.agencies] == [1, 2, 1]
    assert made.agencies[1].figures.verdicts == VerdictCounts(passed=2, failed=1)


def test_every_figure_of_a_large_province_sums_up_over_its_agencies() -> None:
    province = make_province(500)
    made = build_report(province.fleet, province.details, province.controls, now=NOW, stale_after=STALE_AFTER)

    for name in Figures.__slots__:
        if name != "verdicts":
            assert sum(getattr(a.figures, name) for a in made.agencies) == getattr(made.totals, name), name
    assert sum((a.figures.verdicts for a in made.agencies), VerdictCounts()) == made.totals.verdicts
    assert made.totals.hosts == made.totals.fresh + made.totals.stale + made.totals.never_verified == 500


def test_no_host_at_all_is_no_division_by_zero() -> None:
    made = report()

    assert made.totals == Figures()
    assert made.agencies == ()


def test_a_verification_turns_stale_only_after_the_whole_time() -> None:
    assert freshness(NOW - STALE_AFTER, NOW, STALE_AFTER) is Freshness.FRESH
    assert freshness(NOW - STALE_AFTER - timedelta(seconds=1), NOW, STALE_AFTER) is Freshness.STALE


def test_a_verification_from_the_future_has_no_negative_age() -> None:
    assert report(make_host("h1", PASS, hours_ago=-1)).hosts[0].age == timedelta()
