"""What the run process does: claims the run, locks and looks at its hosts, executes, records the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from khien.application.hardening_reasons import drift_reason
from khien.application.hardening_store import HardeningStore
from khien.application.ports import (
    Clock,
    Engine,
    EngineJob,
    FleetStore,
    InventorySource,
    Preflight,
    PreflightResult,
    ProcessTable,
    RunStore,
)
from khien.application.record_run import Judge, Recorder, ResultReader
from khien.domain.hardening import HostHardening
from khien.domain.plan import Plan
from khien.domain.prediction import find_drift, prediction_hash
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, HostState, Reason, RunId, RunState, Verb
from khien.domain.selection import restrict
from khien.domain.steps import Step, steps_of
from khien.domain.text import safe_lines
from khien.errors import EngineError, KhienError

# What a preflight may find that the playbook itself deals with better: it waits, or repairs when told to.
_LEFT_TO_THE_PLAYBOOK = frozenset({ReasonCode.PACKAGE_LOCK_HELD, ReasonCode.PACKAGES_BROKEN})
_NOT_REACHED = frozenset(
    {
        ReasonCode.NAME_UNRESOLVED,
        ReasonCode.TCP_REFUSED,
        ReasonCode.TCP_TIMEOUT,
        ReasonCode.NO_ROUTE,
        ReasonCode.NO_BANNER,
        ReasonCode.HOST_KEY_UNKNOWN,
        ReasonCode.HOST_KEY_CHANGED,
        ReasonCode.LOGIN_REFUSED,
        ReasonCode.PREFLIGHT_TIMEOUT,
        ReasonCode.CONNECTION_LOST,
    }
)


@dataclass(frozen=True, slots=True)
class RunTools:
    """All that executing a run needs from the outside."""

    runs: RunStore
    fleet: FleetStore
    hardening: HardeningStore
    inventory: InventorySource
    preflight: Preflight
    engine: Engine
    processes: ProcessTable
    clock: Clock
    reader: ResultReader
    judge: Judge
    playbook: Callable[[Verb], Path]
    extra_vars: Callable[[RunId, Plan], Mapping[str, object]]
    documents: Callable[[Plan], Mapping[str, object]]
    """What the playbook reads from JSON files of their own, by the variable that names the file."""
    preflight_deadline_seconds: float
    batch_seconds: float


def execute_run(run_id: RunId, secrets: Mapping[str, str], tools: RunTools) -> RunState:
    """Execute a recorded run to its end and return its final state.

    Raises:
        StoreError: what happens cannot be recorded; the run is then found interrupted by whoever looks next.
    """
    tools.runs.claim(run_id, tools.processes.current(), tools.clock.now())
    try:
        state, reason = _execute(run_id, secrets, tools)
    except EngineError as error:
        state, reason = RunState.BROKEN, Reason(ReasonCode.ENGINE_BROKE, {"message": safe_lines(error, 2000)})
        _close_open_hosts(run_id, reason, tools)
    finally:
        tools.runs.unlock_hosts(run_id)
    tools.runs.set_state(run_id, state, tools.clock.now(), reason)
    return state


def _execute(run_id: RunId, secrets: Mapping[str, str], tools: RunTools) -> tuple[RunState, Reason]:
    plan = tools.runs.plan(run_id)
    if plan.verb is Verb.HARDEN and plan.changes_hosts and not _is_approved(plan, tools):
        reason = Reason(ReasonCode.NOT_APPROVED, {"run": plan.approved.run} if plan.approved else {})
        _close_open_hosts(run_id, reason, tools)
        return RunState.FINISHED, reason
    hosts = list(plan.hosts)
    if plan.changes_hosts:
        hosts = _without_locked(run_id, hosts, tools)
    if plan.verb.changes_hosts and hosts:
        hosts = _without_unready(run_id, replace(plan, hosts=tuple(hosts)), secrets, tools)
    if tools.runs.cancel_requested(run_id):
        reason = Reason(ReasonCode.RUN_CANCELLED)
        _close_open_hosts(run_id, reason, tools)
        return RunState.CANCELLED, reason
    if not hosts:
        return RunState.FINISHED, Reason()
    return _play(run_id, replace(plan, hosts=tuple(hosts)), secrets, tools)


def _is_approved(plan: Plan, tools: RunTools) -> bool:
    """Whether somebody approved what this plan would do, and it is still what was predicted then."""
    if plan.approved is None:
        return False
    approval = tools.hardening.approval(plan.approved.run)
    predicted = tools.runs.plan(plan.approved.run)
    now = prediction_hash(predicted, tools.hardening.hardening(plan.approved.run))
    same_selection = restrict(predicted.selection, plan.hosts) == restrict(plan.selection, plan.hosts)
    return approval is not None and approval.hash == plan.approved.hash == now and same_selection


def _without_locked(run_id: RunId, hosts: list[str], tools: RunTools) -> list[str]:
    busy = tools.runs.lock_hosts(run_id, hosts, tools.processes.current(), tools.processes.is_alive)
    now = tools.clock.now()
    outcomes = [
        HostOutcome(
            host, HostState.NOT_STARTED, Reason(ReasonCode.LOCKED_BY_RUN, {"run": other}), ended_at=now
        )
        for host, other in sorted(busy.items())
    ]
    tools.runs.record(run_id, outcomes)
    return [host for host in hosts if host not in busy]


def _without_unready(run_id: RunId, plan: Plan, secrets: Mapping[str, str], tools: RunTools) -> list[str]:
    """Keep a hung or broken host from costing the others time: look first, all at once."""
    wanted = set(plan.hosts)
    known = tools.inventory.hosts(plan.options.inventory, plan.options.limit)
    hosts = [host for host in known if host.name in wanted]
    preflight = tools.preflight.with_secrets(secrets)
    results = preflight.check(hosts, deadline_seconds=tools.preflight_deadline_seconds)
    troubled = [outcome for result in results if (outcome := _trouble(result, tools)) is not None]
    tools.runs.record(run_id, troubled)
    out = {outcome.host for outcome in troubled}
    return [host for host in plan.hosts if host not in out]


def _trouble(result: PreflightResult, tools: RunTools) -> HostOutcome | None:
    grave = [trouble for trouble in result.troubles if trouble.code not in _LEFT_TO_THE_PLAYBOOK]
    if not grave:
        return None
    state = HostState.UNREACHABLE if grave[0].code in _NOT_REACHED else HostState.FAILED
    return HostOutcome(result.host, state, grave[0], ended_at=tools.clock.now())


def _play(run_id: RunId, plan: Plan, secrets: Mapping[str, str], tools: RunTools) -> tuple[RunState, Reason]:
    recorder = Recorder(
        run_id,
        plan.hosts,
        check=plan.options.check,
        runs=tools.runs,
        fleet=tools.fleet,
        hardening=tools.hardening,
        reader=tools.reader,
        judge=tools.judge,
        clock=tools.clock,
        batch_seconds=tools.batch_seconds,
    )
    stop = _StopSwitch(run_id, tools, recorder)
    for step in steps_of(plan):
        ended = _play_step(run_id, plan, step, secrets, tools, recorder, stop)
        if ended is not None:
            return ended
        if step.is_prediction:
            recorder.leave_out(_drifted(run_id, plan, recorder.open_hosts, tools))
    return RunState.FINISHED, Reason()


def _play_step(
    run_id: RunId,
    plan: Plan,
    step: Step,
    secrets: Mapping[str, str],
    tools: RunTools,
    recorder: Recorder,
    stop: _StopSwitch,
) -> tuple[RunState, Reason] | None:
    """Execute one step on the hosts that came so far; return how the run ended when it did so here."""
    hosts = recorder.open_hosts
    if step.is_last and not step.decides:
        # Whose change failed is looked at as well: only then is it known what it left behind.
        hosts = tuple(sorted({*hosts, *recorder.hosts_in(HostState.FAILED)}))
    if not hosts:
        return None
    options = replace(plan.options, check=step.check)
    now = replace(
        plan, verb=step.verb, options=options, hosts=hosts, selection=restrict(plan.selection, hosts)
    )
    job = EngineJob(
        run_id, now, tools.playbook(step.verb), tools.extra_vars(run_id, now), secrets, tools.documents(now)
    )
    recorder.begin(step)
    try:
        result = tools.engine.execute(job, recorder.offer, stop)
    except KhienError as error:
        recorder.settle(reason=Reason(ReasonCode.ENGINE_BROKE, {"message": safe_lines(error, 2000)}))
        raise
    if stop.cancelled:
        reason = Reason(ReasonCode.RUN_CANCELLED)
        recorder.settle(reason=reason)
        return RunState.CANCELLED, reason
    if not result.completed:
        message = result.message or f"ansible-playbook ended with code {result.exit_code}"
        reason = Reason(ReasonCode.ENGINE_BROKE, {"message": message})
        recorder.settle(reason=reason)
        return RunState.BROKEN, reason
    recorder.settle(reason=Reason(ReasonCode.HOST_SKIPPED), is_over=step.is_last)
    return None


def _drifted(run_id: RunId, plan: Plan, hosts: Sequence[str], tools: RunTools) -> list[HostOutcome]:
    """Return the outcome of each host that is not what it was when the plan was made."""
    assert plan.approved is not None  # noqa: S101 - only an approved plan predicts again
    approved = tools.hardening.hardening(plan.approved.run)
    fresh = tools.hardening.hardening(run_id)
    now = tools.clock.now()
    outcomes: list[HostOutcome] = []
    for host in hosts:
        then, today = approved.get(host, HostHardening()), fresh.get(host, HostHardening())
        # A retry follows a run that may have applied a part; what is left of the rest is still approved.
        drift = find_drift(
            then.predicted_changes, today.predicted_changes, partly_done=plan.parent is not None
        )
        if drift:
            outcomes.append(HostOutcome(host, HostState.NOT_STARTED, drift_reason(drift), ended_at=now))
    return outcomes


class _StopSwitch:
    """Tells the engine to stop: when somebody cancelled, or when nothing can be recorded any more."""

    _LOOK_EVERY_SECONDS = 0.5

    def __init__(self, run_id: RunId, tools: RunTools, recorder: Recorder) -> None:
        self._run_id = run_id
        self._tools = tools
        self._recorder = recorder
        self._looked_at = tools.clock.now()
        self.cancelled = False

    def __call__(self) -> bool:
        now = self._tools.clock.now()
        if not self.cancelled and (now - self._looked_at).total_seconds() >= self._LOOK_EVERY_SECONDS:
            self._looked_at = now
            self.cancelled = self._tools.runs.cancel_requested(self._run_id)
            if self.cancelled:
                self._tools.runs.set_state(self._run_id, RunState.CANCELLING, now)
        return self.cancelled or self._recorder.failure is not None


def _close_open_hosts(run_id: RunId, reason: Reason, tools: RunTools) -> None:
    """Give every host of a run that is over, and still has none, its outcome."""
    tools.runs.record(run_id, closing_outcomes(tools.runs.outcomes(run_id), reason, tools.clock))


def closing_outcomes(outcomes: tuple[HostOutcome, ...], reason: Reason, clock: Clock) -> list[HostOutcome]:
    """Return the outcome of each host that was waiting or running when its run ended."""
    now = clock.now()
    ends = {HostState.WAITING: HostState.NOT_STARTED, HostState.RUNNING: HostState.UNKNOWN}
    return [
        replace(outcome, state=ends[outcome.state], reason=reason, ended_at=now)
        for outcome in outcomes
        if outcome.state in ends
    ]
