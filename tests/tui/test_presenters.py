from dataclasses import replace
from datetime import timedelta

import pytest
from rich.cells import cell_len

from khien.domain.control import Severity
from khien.domain.finding import Finding, Verdict, VerdictCounts
from khien.domain.fleet import HostStatus
from khien.domain.host import Host
from khien.domain.packages import PackageChange, PatchReport
from khien.domain.plan import Plan
from khien.domain.run import HostOutcome, HostState, Run, RunId, RunOptions, RunState, Verb, count_states
from khien.i18n import choose_language
from tests.fakes.province import HOSTILE, NOW, make_province
from tui.dialogs.plan import plan_title, plan_words
from tui.presenters.cell import Tone, bar, text_of
from tui.presenters.changes import report_words
from tui.presenters.columns import Column, fit_columns
from tui.presenters.findings import FindingRow, finding_rows, finding_words
from tui.presenters.fleet_table import (
    FleetOrder,
    chosen,
    compliance,
    fleet_columns,
    grouped,
    ordered,
    prepare,
    totals,
    updates,
)
from tui.presenters.host_query import STATES, Moment, parse_query, searchable
from tui.presenters.moments import age, duration
from tui.presenters.run_table import outcome_order, progress, retriable, state_counts
from tui.presenters.selection import LaunchWish, Scope, limit_for, scopes
from tui.presenters.words import number

AT = Moment(NOW, timedelta(hours=48))


def status(
    name: str = "h1", *, passed: int = 41, failed: int = 0, hours: float = 1, **more: object
) -> HostStatus:
    counts = VerdictCounts(passed=passed, failed=failed)
    verified = NOW - timedelta(hours=hours)
    return HostStatus(Host(name), counts=counts, verified_at=verified, seen_at=verified, **more)  # type: ignore[arg-type]


class TestCompliance:
    def test_passed_stands_over_what_applies(self) -> None:
        assert text_of(compliance(status(passed=37, failed=4), AT)).startswith("✗ 37/41")

    def test_never_verified_is_said_and_not_good(self) -> None:
        cell = compliance(HostStatus(Host("h")), AT)

        assert "never verified" in text_of(cell)
        assert Tone.GOOD not in {piece.tone for piece in cell}

    def test_a_stale_result_says_its_age_and_is_not_good(self) -> None:
        cell = compliance(status(hours=24 * 6), AT)

        assert "6 d old" in text_of(cell)
        assert "✓" not in text_of(cell)

    def test_unknown_answers_are_not_compliant(self) -> None:
        unsure = replace(status(), counts=VerdictCounts(passed=40, unknown=1))

        assert text_of(compliance(unsure, AT)).startswith("? 40/41")
        assert not STATES["compliant"](unsure, AT)

    def test_nothing_that_applies_is_not_compliant(self) -> None:
        empty = replace(status(), counts=VerdictCounts(not_applicable=5))

        assert "nothing applies" in text_of(compliance(empty, AT))
        assert not STATES["compliant"](empty, AT)

    def test_the_bar_is_full_only_for_all(self) -> None:
        assert "╌" in text_of(bar(999, 1000, 6, Tone.GOOD))
        assert "╌" not in text_of(bar(1000, 1000, 6, Tone.GOOD))

    def test_unknown_updates_are_not_none(self) -> None:
        assert text_of(updates(status())) == "?"
        assert text_of(updates(status(pending_security=0))) == "0"


class TestQuery:
    fleet = prepare(
        [
            HostStatus(Host("web-01", agency="so_y_te", agency_name="Sở Y tế")),
            status("db-01", failed=2, pending_security=3),
            replace(
                status("db-02", hours=100), host=Host("db-02", agency="huyen_d", agency_name="Huyện Đông")
            ),
            status("web[/red]01", last_state=HostState.UNREACHABLE),
        ]
    )

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("", ["web-01", "db-01", "db-02", "web[/red]01"]),
            ("db", ["db-01", "db-02"]),
            ("DB 02", ["db-02"]),
            ("!db", ["web-01", "web[/red]01"]),
            ("so y te", ["web-01"]),
            ('"sở y tế"', ["web-01"]),
            ('"sở y', ["web-01"]),
            ("agency:dong", ["db-02"]),
            ("agency:y_te", ["web-01"]),
            ("!agency:y_te db", ["db-01", "db-02"]),
            ("is:failed", ["db-01"]),
            ("is:fa", ["db-01"]),
            ("is:", ["web-01", "db-01", "db-02", "web[/red]01"]),
            ("is:stale", ["db-02"]),
            ("is:unverified", ["web-01"]),
            ("!is:unverified role:server", ["db-01", "db-02", "web[/red]01"]),
            ("is:updates", ["db-01"]),
            ("is:unreachable", ["web[/red]01"]),
            ("[/red]", ["web[/red]01"]),
            ("role:work", []),
            ("is:nonsense", []),
            ("a:b", []),
        ],
    )
    def test_terms_choose_hosts(self, text: str, names: list[str]) -> None:
        assert [host.status.host.name for host in chosen(self.fleet, parse_query(text), AT)] == names

    def test_an_unknown_state_is_said(self) -> None:
        assert "is:nonsense" in parse_query("is:nonsense").trouble

    def test_every_state_has_a_beginning_of_its_own(self) -> None:
        for name in STATES:
            assert [other for other in STATES if other.startswith(name)] == [name]


class TestFleet:
    def test_5000_hosts_are_filtered_and_sorted_as_by_hand(self) -> None:
        hosts = prepare(make_province(5000).fleet)
        by_hand = [h.status for h in hosts if h.status.counts and h.status.counts.failed]
        by_hand.sort(
            key=lambda s: (s.counts.ratio if s.counts and s.counts.ratio is not None else 2, s.host.name)
        )

        shown = chosen(ordered(hosts, FleetOrder("compliance")), parse_query("is:failed"), AT)

        assert [host.status.host.name for host in shown] == [s.host.name for s in by_hand]
        assert 1000 < len(shown) < 5000

    @pytest.mark.parametrize("column", [c.key for c in fleet_columns((), AT)])
    def test_every_column_sorts_both_ways_without_losing_a_host(self, column: str) -> None:
        hosts = prepare(make_province(200).fleet)

        for backwards in (False, True):
            rows = ordered(hosts, FleetOrder(column, backwards))
            assert sorted(h.name for h in rows) == sorted(h.name for h in hosts)

    def test_groups_hold_every_host_once_and_count_themselves(self) -> None:
        hosts = prepare(make_province(100, hostile=False).fleet)

        lines = grouped(ordered(hosts, FleetOrder(grouped=True)), AT)

        members = [name for line in lines if hasattr(line, "members") for name in line.members]
        assert sorted(members) == sorted(h.status.host.name for h in hosts)
        assert len(lines) == len(hosts) + 6

    def test_totals_have_denominators(self) -> None:
        words = text_of(totals([status(), status(failed=1), HostStatus(Host("x"))], AT))

        assert words.startswith("compliant 1/3")
        assert "never verified 1/3" in words

    def test_hostile_words_are_plain_in_every_cell(self) -> None:
        hosts = prepare(make_province(1).fleet)

        for column in fleet_columns(hosts, AT):
            text = text_of(column.cell(hosts[0]))
            assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in text)

    def test_thousands_are_set_apart_as_the_language_does(self) -> None:
        assert number(5000) == "5,000"
        choose_language("vi")
        assert number(5000) == "5.000"


class TestColumns:
    columns = tuple(
        Column(k, title, lambda _row: (), minimum, ideal, weight, grows=k == "a")
        for k, title, minimum, ideal, weight in (
            ("a", "Host", 16, 30, 100), ("b", "Compliance", 16, 16, 90), ("c", "Agency", 12, 30, 10),
        )
    )  # fmt: skip

    @pytest.mark.parametrize("width", range(1, 220))
    def test_columns_never_overlap_the_width(self, width: int) -> None:
        fitted = fit_columns(self.columns, width)

        used = sum(room for _column, room in fitted) + (1 if width < 96 else 2) * (len(fitted) - 1)
        assert used <= max(width, 16)

    def test_the_least_important_goes_first_and_order_stays(self) -> None:
        assert [column.key for column, _room in fit_columns(self.columns, 40)] == ["a", "b"]
        assert [column.key for column, _room in fit_columns(self.columns, 100)] == ["a", "b", "c"]

    @pytest.mark.parametrize("language", ["en", "vi"])
    def test_the_fleet_at_80_shows_what_matters(self, language: str) -> None:
        choose_language(language)
        hosts = prepare(make_province(50).fleet)

        keys = {column.key for column, _room in fit_columns(fleet_columns(hosts, AT), 80 - 6)}

        assert keys >= {"host", "compliance", "updates", "last"}


class TestFindings:
    def test_failed_and_heavy_first_and_settled_left_out(self) -> None:
        province = make_province(3, hostile=False)
        findings = next(iter(province.details.values())).findings

        every = finding_rows(findings, province.controls, only_open=False)
        needing = finding_rows(findings, province.controls, only_open=True)

        assert len(every) == len(findings)
        assert {row.finding.verdict for row in needing} <= {Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED}
        verdicts = [row.finding.verdict for row in every]
        assert verdicts == sorted(
            verdicts,
            key=[Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED, Verdict.PASS, Verdict.NOT_APPLICABLE].index,
        )
        failed = [row.severity for row in every if row.finding.verdict is Verdict.FAIL]
        assert failed == sorted(failed, key=list(Severity).index)

    @pytest.mark.parametrize("language", ["en", "vi"])
    def test_a_finding_says_what_why_and_the_way_back(self, language: str) -> None:
        choose_language(language)
        control = make_province(1).controls["aslr_full"]
        finding = Finding("aslr_full", Verdict.FAIL, "not_as_expected", f"aslr = 1 (= 2) {HOSTILE}")

        words = "\n".join(text_of(cell) for cell in finding_words(FindingRow(finding, control)))

        for part in (control.title, control.rationale, control.way_back):
            assert part.in_language(language) in words
        assert "aslr = 1 (= 2)" in words
        assert "cis_debian12 1.5.1" in words
        assert "\x1b" not in words

    def test_a_control_that_left_the_catalogue_is_said(self) -> None:
        row = FindingRow(Finding("gone", Verdict.FAIL, "not_as_expected", "x"), None)

        assert "left the catalogue" in text_of(finding_words(row)[-1])


class TestRuns:
    outcomes = tuple(
        HostOutcome(f"h{n}", state)
        for n, state in enumerate(
            [
                HostState.OK,
                HostState.FAILED,
                HostState.UNREACHABLE,
                HostState.RUNNING,
                HostState.NOT_STARTED,
                HostState.FAILED,
            ]
        )
    )

    def run(self) -> Run:
        counts = count_states(self.outcomes)
        return Run(RunId("r"), Verb.PATCH, RunState.RUNNING, RunOptions(), "lan", NOW, "", counts=counts)

    def test_progress_has_a_denominator(self) -> None:
        assert text_of(progress(self.run(), 10)).endswith(" 5/6")

    def test_states_are_counted_by_name(self) -> None:
        assert "2 failed" in text_of(state_counts(self.run()))

    def test_failed_hosts_first(self) -> None:
        assert [o.host for o in outcome_order(self.outcomes, failed_first=True)][:3] == ["h1", "h5", "h2"]
        assert outcome_order(self.outcomes, failed_first=False)[0].host == "h0"

    def test_retriable_states_with_their_numbers(self) -> None:
        assert retriable(self.outcomes) == (
            (HostState.FAILED, 2), (HostState.UNREACHABLE, 1), (HostState.NOT_STARTED, 1),
        )  # fmt: skip

    def test_a_prediction_says_would(self) -> None:
        report = PatchReport("planned", (PackageChange("sudo", "amd64", "1", "2"),))

        assert text_of(report_words(report, check=True)[0]) == "would change 1 package:"
        assert "would" not in text_of(report_words(replace(report, stage="finished"), check=False)[0])


class TestSelection:
    fleet = (
        HostStatus(Host("a1", agency="a", groups=("a",))),
        HostStatus(Host("a2", agency="a", groups=("a",))),
        HostStatus(Host("b1", agency="b")),
        HostStatus(Host("gone", agency="a"), in_inventory=False),
    )

    @pytest.mark.parametrize(
        ("hosts", "limit"),
        [
            (["a1", "a2", "b1"], ""),
            (["a1", "a2"], "a"),
            (["a2"], "a2"),
            (["b1"], "b1"),
            (["b1", "a1"], "a1,b1"),
        ],
    )
    def test_a_limit_is_as_short_as_it_may_be(self, hosts: list[str], limit: str) -> None:
        assert limit_for(hosts, self.fleet) == limit

    def test_marked_hosts_win_over_the_cursor(self) -> None:
        offered = scopes(marked=["b"], current=["a"], current_words="only a", shown=["a", "b"], filtered=True)

        assert [scope.hosts for scope in offered] == [("b",), ("a", "b")]

    def test_verify_never_checks_nor_restarts(self) -> None:
        wish = LaunchWish(Verb.VERIFY, Scope("", ("a1",)), check=True, reboot=True)

        assert wish.options(self.fleet) == RunOptions(limit="a1")

    def test_a_check_never_restarts(self) -> None:
        wish = LaunchWish(Verb.PATCH, Scope("", ("a1",)), check=True, reboot=True)

        assert wish.options(self.fleet) == RunOptions(limit="a1", check=True, diff=True)

    def test_the_plan_says_what_it_does_to_how_many(self) -> None:
        real = Plan(Verb.PATCH, RunOptions(reboot=True), ("a", "b"), NOW)

        assert plan_title(real) == "Install security updates on 2 hosts?"
        assert "restarts" in plan_words(real)
        assert "nothing on them changes" in plan_words(replace(real, options=RunOptions(check=True)))


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=5), "now"),
        (timedelta(minutes=90), "90 min"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=6), "6 d"),
        (-timedelta(hours=1), "now"),
    ],
)
def test_age_is_said_in_its_largest_unit(ago: timedelta, words: str) -> None:
    assert age(NOW, NOW - ago) == words


def test_durations() -> None:
    assert duration(timedelta(seconds=42)) == "0:42"
    assert duration(timedelta(hours=1, minutes=2, seconds=3)) == "1:02:03"


def test_cells_measure_as_they_are_drawn() -> None:
    assert cell_len(text_of(compliance(status(), AT))) <= 16
    assert searchable(status("Máy-Đ")).name == "may-d"


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("verb", Verb)
def test_each_verb_asks_its_own_question(verb: Verb, check: bool) -> None:
    def title(other: Verb) -> str:
        return plan_title(Plan(other, RunOptions(check=check), ("h1",), NOW))

    assert [other for other in Verb if title(other) == title(verb)] == [verb]
