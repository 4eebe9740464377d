"""A waiver excuses a failure on its scope until its day; it never makes anything better than waived."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.domain.finding import Finding, Verdict, VerdictCounts
from khien.domain.host import Host
from khien.domain.reason import ReasonCode
from khien.domain.waiver import ScopeKind, Waiver, WaiverState, apply_waivers

TODAY = date(2026, 11, 25)
WAIVER = Waiver(
    "w-1", "sshd_banner", ScopeKind.HOST, "web-01", "why", "An", TODAY - timedelta(9), TODAY + timedelta(90)
)
FAILED = Finding("sshd_banner", Verdict.FAIL, ReasonCode.NOT_AS_EXPECTED, "banner = none (≠ none)")


@pytest.mark.parametrize(
    ("days", "state"),
    [(-10, "not_yet"), (-9, "active"), (59, "active"), (60, "expiring"), (90, "expiring"), (91, "expired")],
)
def test_it_stands_somewhere_on_every_day(days: int, state: str) -> None:
    assert WAIVER.state(TODAY + timedelta(days)) is WaiverState(state)


def test_a_revoked_one_excuses_nothing_from_that_day_on() -> None:
    revoked = replace(WAIVER, revoked=TODAY)

    assert revoked.state(TODAY) is WaiverState.REVOKED
    assert revoked.state(TODAY - timedelta(1)).in_effect


def test_it_covers_a_host_a_group_or_an_agency() -> None:
    host = Host("web-01", agency="so_y_te", groups=("web", "so_y_te_servers"))
    cases = {
        (ScopeKind.HOST, "web-01"): True,
        (ScopeKind.HOST, "web"): False,
        (ScopeKind.GROUP, "web"): True,
        (ScopeKind.GROUP, "so_y_te"): False,
        (ScopeKind.AGENCY, "so_y_te"): True,
        (ScopeKind.AGENCY, ""): False,
    }

    assert {case: replace(WAIVER, kind=case[0], scope=case[1]).covers(host) for case in cases} == cases


def test_a_failure_becomes_waived_and_keeps_what_was_seen() -> None:
    (finding,) = apply_waivers([FAILED], [WAIVER], TODAY)

    assert (finding.verdict, finding.reason) == (Verdict.WAIVED, ReasonCode.WAIVED)
    assert finding.detail == FAILED.detail
    assert finding.excuse is not None
    assert (finding.excuse.waiver, finding.excuse.expires) == ("w-1", WAIVER.expires)


def test_after_its_end_it_is_a_failure_again_that_says_so() -> None:
    (finding,) = apply_waivers([FAILED], [WAIVER], WAIVER.expires + timedelta(1))

    assert (finding.verdict, finding.reason) == (Verdict.FAIL, ReasonCode.WAIVER_EXPIRED)
    assert finding.excuse is not None


def test_one_that_holds_goes_before_one_that_ended() -> None:
    ended = replace(WAIVER, id="w-0", expires=TODAY - timedelta(1))

    (finding,) = apply_waivers([FAILED], [ended, WAIVER], TODAY)

    assert finding.excuse is not None
    assert (finding.verdict, finding.excuse.waiver) == (Verdict.WAIVED, "w-1")


FINDINGS = st.lists(
    st.builds(
        Finding,
        st.sampled_from(["a_x", "b_x", "c_x"]),
        st.sampled_from([verdict for verdict in Verdict if verdict is not Verdict.WAIVED]),
        st.just("as_expected"),
    ),
    max_size=8,
)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
WAIVERS = st.lists(
    st.builds(
        Waiver,
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(["a_x", "b_x", "c_x"]),
        st.sampled_from(ScopeKind),
        st.just("web-01"),
        st.just("why"),
        st.just("An"),
        DAYS,
        DAYS,
        st.none() | DAYS,
    ),
    max_size=6,
)


@given(FINDINGS, WAIVERS, DAYS)
def test_a_waiver_never_raises_the_pass_count(
    findings: list[Finding], waivers: list[Waiver], today: date
) -> None:
    before, after = VerdictCounts.of(findings), VerdictCounts.of(apply_waivers(findings, waivers, today))

    assert after.passed == before.passed
    assert (after.unknown, after.not_applicable) == (before.unknown, before.not_applicable)
    assert after.failed + after.waived == before.failed
    assert after.applicable == before.applicable


@given(FINDINGS, WAIVERS, DAYS)
def test_only_a_failure_is_touched(findings: list[Finding], waivers: list[Waiver], today: date) -> None:
    for before, after in zip(findings, apply_waivers(findings, waivers, today), strict=True):
        if before.verdict is not Verdict.FAIL:
            assert after == before
        elif after.verdict is Verdict.WAIVED:
            assert any(w.control == before.control_id and w.state(today).in_effect for w in waivers)


@given(FINDINGS, WAIVERS, DAYS)
def test_the_order_of_waivers_means_nothing(
    findings: list[Finding], waivers: list[Waiver], today: date
) -> None:
    there, back = (apply_waivers(findings, w, today) for w in (waivers, waivers[::-1]))

    assert [f.verdict for f in there] == [f.verdict for f in back]
