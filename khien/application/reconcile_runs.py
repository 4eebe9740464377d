"""Finds runs whose process died, says so, and tidies up after them."""

from __future__ import annotations

from datetime import timedelta

from khien.application.execute_run import closing_outcomes
from khien.application.ports import Clock, ProcessTable, RunLauncher, RunStore
from khien.domain.reason import ReasonCode
from khien.domain.run import Reason, Run, RunId, RunState
from khien.domain.text import safe_text

_TIME_TO_CLAIM = timedelta(seconds=30)


def reconcile_runs(
    *, runs: RunStore, processes: ProcessTable, launcher: RunLauncher, clock: Clock
) -> tuple[RunId, ...]:
    """Record every dead run as interrupted; return their ids.

    A host that was waiting was not started. What became of one that was being worked on, only the host knows:
    its outcome is unknown until a retry asks it.
    """
    active = runs.runs(active_only=True, limit=1000)
    dead = [run for run in active if is_dead(run, runs=runs, processes=processes, clock=clock)]
    for run in dead:
        processes.end_leftovers(run.id)
        launcher.tidy(run.id)
        words = safe_text(launcher.last_words(run.id), 500)
        reason = Reason(ReasonCode.RUN_INTERRUPTED, {"message": words} if words else {})
        runs.record(run.id, closing_outcomes(runs.outcomes(run.id), reason, clock))
        runs.unlock_hosts(run.id)
        runs.set_state(run.id, RunState.INTERRUPTED, clock.now(), reason)
    return tuple(run.id for run in dead)


def is_dead(run: Run, *, runs: RunStore, processes: ProcessTable, clock: Clock) -> bool:
    """Whether the process of a run that has not ended is gone."""
    process = runs.process(run.id)
    if process is None:
        # Recorded, and its process had no time yet to claim it – or never came up.
        return clock.now() - run.created_at > _TIME_TO_CLAIM
    return not processes.is_alive(process)
