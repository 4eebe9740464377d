"""The exit code says the gravest thing that is true of a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from khien.cli.exit_codes import ExitCode, of_run
from khien.domain.finding import VerdictCounts
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, HostState, Reason, Run, RunId, RunOptions, RunState, Verb

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LOCKED = Reason(ReasonCode.LOCKED_BY_RUN, {"run": "other"})


def run(state: RunState = RunState.FINISHED) -> Run:
    return Run(RunId("r"), Verb.VERIFY, state, RunOptions(), "somebody", NOW, "hash")


def outcomes(*states: HostState) -> list[HostOutcome]:
    return [HostOutcome(f"h{number}", state) for number, state in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([HostState.OK, HostState.CHANGED, HostState.SKIPPED], ExitCode.DONE),
        ([HostState.OK, HostState.FAILED], ExitCode.FINDINGS),
        ([HostState.FAILED, HostState.UNREACHABLE], ExitCode.NOT_REACHED),
        ([HostState.OK, HostState.NOT_STARTED], ExitCode.NOT_REACHED),
        ([HostState.OK, HostState.UNKNOWN], ExitCode.NOT_REACHED),
    ],
)
def test_the_gravest_host_decides(states: list[HostState], code: ExitCode) -> None:
    assert of_run(run(), outcomes(*states)) is code


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        (VerdictCounts(passed=5, waived=1, not_applicable=2), ExitCode.DONE),
        (VerdictCounts(passed=5, failed=1), ExitCode.FINDINGS),
        (VerdictCounts(passed=5, unknown=1), ExitCode.FINDINGS),
    ],
)
def test_a_host_that_is_not_compliant_is_a_finding(counts: VerdictCounts, code: ExitCode) -> None:
    assert of_run(run(), outcomes(HostState.OK), [counts]) is code


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RunState.BROKEN, ExitCode.BROKEN),
        (RunState.INTERRUPTED, ExitCode.BROKEN),
        (RunState.CANCELLED, ExitCode.FINDINGS),
    ],
)
def test_a_run_that_did_not_finish_is_never_done(state: RunState, code: ExitCode) -> None:
    assert of_run(run(state), outcomes(HostState.OK)) is code


def test_a_run_whose_every_host_is_locked_was_refused() -> None:
    locked = [HostOutcome(host, HostState.NOT_STARTED, LOCKED) for host in ("h1", "h2")]

    assert of_run(run(), locked) is ExitCode.REFUSED
    assert of_run(run(), [*locked, HostOutcome("h3", HostState.OK)]) is ExitCode.NOT_REACHED


def test_a_plan_that_nobody_approved_or_that_fits_no_host_any_more_is_refused() -> None:
    drifted = Reason(ReasonCode.DRIFTED_SINCE_PLAN)
    out = [HostOutcome("h1", HostState.NOT_STARTED, drifted), HostOutcome("h2", HostState.SKIPPED)]
    surprising = HostOutcome("h4", HostState.CHANGED, Reason(ReasonCode.NOT_AS_PREDICTED))
    unapproved = replace(run(), reason=Reason(ReasonCode.NOT_APPROVED))

    assert of_run(run(), out) is ExitCode.REFUSED
    assert of_run(run(), [surprising]) is ExitCode.FINDINGS
    assert of_run(run(), [*out, HostOutcome("h3", HostState.CHANGED)]) is ExitCode.NOT_REACHED
    assert of_run(unapproved, outcomes(HostState.NOT_STARTED)) is ExitCode.REFUSED
