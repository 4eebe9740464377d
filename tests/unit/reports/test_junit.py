"""JUnit XML: readable, honest, stable."""

from __future__ import annotations

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from khien.domain.finding import Verdict
from khien.reports.junit import VERIFICATION_CASE, render_junit
from tests.unit.reports.exchanges import make_exchange, never_verified, verdicts


def cases() -> dict[tuple[str, str], TestCase]:
    read = JUnitXml.fromstring(render_junit(make_exchange()).encode())
    return {(suite.name, case.name): case for suite in read for case in suite}


def kinds(case: TestCase) -> list[type]:
    return [type(result) for result in case.result]


def test_each_verdict_is_what_it_is() -> None:
    truth = verdicts(make_exchange())
    wanted: dict[Verdict, list[type]] = {
        Verdict.PASS: [],
        Verdict.FAIL: [Failure],
        Verdict.UNKNOWN: [Error],
        Verdict.WAIVED: [Skipped],
        Verdict.NOT_APPLICABLE: [Skipped],
    }
    seen = {key: case for key, case in cases().items() if key[1] != VERIFICATION_CASE}

    assert {key: kinds(case) for key, case in seen.items()} == {k: wanted[v] for k, v in truth.items()}
    for key, case in seen.items():
        if truth[key] is Verdict.WAIVED:
            assert case.result[0].message.startswith("Waived: ")
        if truth[key] is Verdict.NOT_APPLICABLE:
            assert case.result[0].message.startswith("Not applicable: ")


def test_a_host_that_nobody_looked_at_lately_is_never_green() -> None:
    exchange = make_exchange()
    seen = {key[0]: case for key, case in cases().items() if key[1] == VERIFICATION_CASE}

    assert len(seen) == 42
    assert {name for name, case in seen.items() if kinds(case) == [Error]} == never_verified(exchange) | {
        host.host.name for host in exchange.hosts if host.report.freshness == "stale"
    }


def test_the_counts_of_the_suites_are_those_of_their_cases() -> None:
    read = JUnitXml.fromstring(render_junit(make_exchange()).encode())
    said = (read.tests, read.failures, read.errors, read.skipped)
    read.update_statistics()

    assert said == (read.tests, read.failures, read.errors, read.skipped)


def test_equal_values_give_equal_text() -> None:
    assert render_junit(make_exchange()) == render_junit(make_exchange())


def test_an_empty_scope_is_still_a_document() -> None:
    assert JUnitXml.fromstring(render_junit(make_exchange(0)).encode()).tests == 0
