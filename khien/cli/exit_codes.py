"""What the exit code of a run says; the table stands in docs/json.md."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from khien.domain.finding import VerdictCounts
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, HostState, Run, RunState


class ExitCode(IntEnum):
    """The promises of the command line."""

    DONE = 0
    FINDINGS = 1
    """Done, with findings or failures; also a cancelled run."""
    USAGE = 2
    NOT_REACHED = 3
    REFUSED = 4
    BROKEN = 5
    DETACHED = 130
    """The person stopped watching; the run goes on."""


_REFUSALS = frozenset({ReasonCode.LOCKED_BY_RUN, ReasonCode.DRIFTED_SINCE_PLAN})
"""Reasons that leave a host out; a run that left out all hosts did nothing."""


def of_run(run: Run, outcomes: Iterable[HostOutcome], verdicts: Iterable[VerdictCounts] = ()) -> ExitCode:
    """Return the exit code of a run that ended; the gravest thing wins."""
    if run.state in (RunState.BROKEN, RunState.INTERRUPTED):
        return ExitCode.BROKEN
    if run.state is RunState.CANCELLED:
        return ExitCode.FINDINGS
    outcomes = tuple(outcomes)
    if run.reason.code == ReasonCode.NOT_APPROVED:
        return ExitCode.REFUSED
    concerned = [o for o in outcomes if o.state is not HostState.SKIPPED]
    if concerned and all(o.reason.code in _REFUSALS for o in concerned):
        return ExitCode.REFUSED
    states = {outcome.state for outcome in outcomes}
    if states & {HostState.UNREACHABLE, HostState.NOT_STARTED, HostState.UNKNOWN}:
        return ExitCode.NOT_REACHED
    surprised = any(outcome.reason.code == ReasonCode.NOT_AS_PREDICTED for outcome in outcomes)
    if surprised or HostState.FAILED in states or any(counts.failed or counts.unknown for counts in verdicts):
        return ExitCode.FINDINGS
    return ExitCode.DONE
