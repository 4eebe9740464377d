"""Drift, agencies by areas, and the trend: nothing not seen is ever good."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.domain.finding import Verdict, VerdictCounts
from khien.domain.host import Host
from khien.domain.standing import DriftKind, Sheet, VerificationCounts, drift_between, standing_of, trend_of

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
AREAS = {"c_one": "access", "c_two": "access", "c_three": "logging"}


def sheet(host: str = "web", at: datetime = NOW, **verdicts: Verdict) -> Sheet:
    return Sheet(host, at, verdicts)


class TestDrift:
    @pytest.mark.parametrize(
        ("was", "now", "kind"),
        [
            (Verdict.PASS, Verdict.FAIL, DriftKind.WORSE),
            (Verdict.WAIVED, Verdict.FAIL, DriftKind.WORSE),
            (Verdict.FAIL, Verdict.PASS, DriftKind.BETTER),
            (Verdict.PASS, Verdict.UNKNOWN, DriftKind.UNSEEN),
            (Verdict.FAIL, Verdict.WAIVED, DriftKind.EXCUSED),
            (Verdict.FAIL, Verdict.NOT_APPLICABLE, DriftKind.SCOPE),
        ],
    )
    def test_a_changed_verdict_is_named_by_what_it_means(
        self, was: Verdict, now: Verdict, kind: DriftKind
    ) -> None:
        (drift,) = drift_between(sheet(c_one=was), sheet(c_one=now))

        assert (drift.was, drift.now, drift.kind) == (was, now, kind)

    def test_what_stayed_is_no_drift(self) -> None:
        assert drift_between(sheet(c_one=Verdict.FAIL), sheet(c_one=Verdict.FAIL)) == ()

    def test_a_control_that_came_and_fails_is_worse_and_one_that_went_is_told(self) -> None:
        came, went = drift_between(sheet(c_two=Verdict.PASS), sheet(c_one=Verdict.FAIL))

        assert (came.control_id, came.was, came.kind) == ("c_one", None, DriftKind.WORSE)
        assert (went.control_id, went.now, went.kind) == ("c_two", None, DriftKind.SCOPE)


class TestStanding:
    def test_hosts_that_were_never_verified_stay_in_the_denominator_and_out_of_the_verdicts(self) -> None:
        hosts = [Host("web", "syt", "Sở Y tế"), Host("db", "syt", "Sở Y tế"), Host("pc", "huyen")]
        sheets = {"web": sheet(c_one=Verdict.PASS, c_two=Verdict.FAIL, c_three=Verdict.UNKNOWN)}

        huyen, syt = sorted(standing_of(hosts, sheets, AREAS, stale_before=NOW), key=lambda one: one.agency)

        assert (huyen.hosts, huyen.verified, huyen.counts.applicable) == (1, 0, 0)
        assert (syt.hosts, syt.verified, syt.counts) == (2, 1, VerdictCounts(passed=1, failed=1, unknown=1))
        assert syt.areas == {
            "access": VerdictCounts(passed=1, failed=1),
            "logging": VerdictCounts(unknown=1),
        }

    def test_an_old_verification_is_counted_as_stale(self) -> None:
        (only,) = standing_of(
            [Host("web")],
            {"web": sheet(at=NOW - timedelta(days=3))},
            AREAS,
            stale_before=NOW - timedelta(days=2),
        )

        assert (only.verified, only.stale) == (1, 1)


DAYS = st.integers(0, 8 * 24).map(lambda hours: datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hours))
ROWS = st.lists(
    st.builds(
        VerificationCounts,
        st.sampled_from("abc"),
        DAYS,
        st.builds(VerdictCounts, st.integers(0, 9), st.integers(0, 9)),
    )
).map(lambda rows: sorted(rows, key=lambda row: row.at))


class TestTrend:
    def test_a_host_counts_with_what_was_last_known_of_it(self) -> None:
        rows = [
            VerificationCounts("web", datetime(2026, 11, 1, tzinfo=UTC), VerdictCounts(passed=1, failed=1)),
            VerificationCounts("web", datetime(2026, 11, 3, tzinfo=UTC), VerdictCounts(passed=2)),
            VerificationCounts("other", datetime(2026, 11, 3, tzinfo=UTC), VerdictCounts(failed=9)),
        ]

        points = trend_of(rows, frozenset({"web"}), date(2026, 11, 2), date(2026, 11, 4), UTC)

        assert [(point.verified, point.counts.passed, point.counts.failed) for point in points] == [
            (1, 1, 1),
            (1, 2, 0),
            (1, 2, 0),
        ]

    @given(rows=ROWS)
    def test_each_day_is_the_sum_of_each_hosts_last_verification(
        self, rows: list[VerificationCounts]
    ) -> None:
        points = trend_of(rows, frozenset("ab"), date(2026, 11, 1), date(2026, 11, 9), UTC)

        for point in points:
            last = {row.host: row.counts for row in rows if row.host in "ab" and row.at.date() <= point.day}
            assert point.verified == len(last)
            assert point.counts == sum(last.values(), VerdictCounts())
