"""Turns what the engine says into outcomes, findings and reports, durably and in batches."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from khien.application.hardening_reasons import harden_reason, surprise_reason, undo_reason
from khien.application.hardening_store import HardeningStore
from khien.application.ports import (
    Clock,
    EngineEvent,
    FleetStore,
    HostStats,
    LogLine,
    RunStore,
    TaskEnded,
    TaskStarted,
    TaskStatus,
)
from khien.domain.hardening import Change, HardenReport, Stage, UndoReport
from khien.domain.host import Host
from khien.domain.judge import Judgement
from khien.domain.observation import ObservationSet
from khien.domain.packages import PatchReport
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, HostState, Reason, RunId
from khien.domain.steps import Step


class ResultReader(Protocol):
    """Understands the `khien` key of a module's result."""

    def observations(self, host: str, result: Mapping[str, object], at: datetime) -> ObservationSet | None:
        """Return the answers to probes when the result holds some."""
        ...

    def updates(self, observations: ObservationSet) -> PatchReport | None:
        """Return which updates wait on the host when the answers say so."""
        ...

    def patch(self, result: Mapping[str, object]) -> PatchReport | None:
        """Return what the host said about its updates when the result holds it."""
        ...

    def hardening(self, result: Mapping[str, object]) -> HardenReport | None:
        """Return what one area of a host said about hardening when the result holds it."""
        ...

    def undo(self, result: Mapping[str, object]) -> UndoReport | None:
        """Return what the host said about an undo when the result holds it."""
        ...


Judge = Callable[[Host, ObservationSet], Judgement]


class Recorder:
    """Keeps the present outcome of each host and writes every change of it.

    `offer` is called by the engine and never blocks; a thread of the recorder's own does the work. A run has
    one or several steps; each is begun and settled.
    """

    def __init__(
        self,
        run_id: RunId,
        hosts: Iterable[str],
        *,
        check: bool,
        runs: RunStore,
        fleet: FleetStore,
        hardening: HardeningStore,
        reader: ResultReader,
        judge: Judge,
        clock: Clock,
        batch_seconds: float,
    ) -> None:
        self._run_id = run_id
        self._check = check
        self._runs = runs
        self._fleet = fleet
        self._hardening = hardening
        self._reader = reader
        self._judge = judge
        self._clock = clock
        self._batch_seconds = batch_seconds
        self._outcomes = {host: HostOutcome(host, HostState.WAITING) for host in hosts}
        self._transactions: set[str] = set()
        self._complaints: dict[str, Reason] = {}
        self._predicted: dict[str, dict[str, tuple[Change, ...]]] = {}
        self._actual: dict[str, list[Change]] = {}
        self._decided = False
        self._failure: Exception | None = None

    @property
    def failure(self) -> Exception | None:
        """What made recording impossible; the run must stop then, for nobody would know what it did."""
        return self._failure

    @property
    def open_hosts(self) -> tuple[str, ...]:
        """The hosts that have no outcome yet, by name."""
        return tuple(sorted(host for host, outcome in self._outcomes.items() if not outcome.state.is_final))

    def hosts_in(self, state: HostState) -> tuple[str, ...]:
        """Return the hosts that are in a state, by name."""
        return tuple(sorted(host for host, outcome in self._outcomes.items() if outcome.state is state))

    def leave_out(self, outcomes: Sequence[HostOutcome]) -> None:
        """Give hosts their outcome between two steps."""
        self._outcomes.update((outcome.host, outcome) for outcome in outcomes)
        self._runs.record(self._run_id, outcomes)

    def begin(self, step: Step) -> None:
        """Begin to write what a step does. Hosts that have an outcome keep it; what they say is stored."""
        self._step = step
        self._closed = {host for host, outcome in self._outcomes.items() if outcome.state.is_final}
        self._touched: set[str] = set()
        self._passed: set[str] = set()
        self._events: queue.SimpleQueue[EngineEvent | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def offer(self, event: EngineEvent) -> None:
        """Take an event; never blocks."""
        self._events.put(event)

    def settle(self, *, reason: Reason, is_over: bool = True) -> None:
        """Write everything offered so far, then give every host that did not pass the step its outcome.

        Args:
            reason: why such a host has none of its own.
            is_over: whether the run ends here, so that hosts that passed need an outcome, too.
        """
        self._events.put(None)
        self._ending.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        now = self._clock.now()
        staying = set() if is_over else self._passed
        ends = (
            self._open_end(outcome, reason, now)
            for host, outcome in self._outcomes.items()
            if host not in staying
        )
        self.leave_out([outcome for outcome in ends if outcome is not None])
        self._decided = self._decided or self._step.decides

    def _open_end(self, outcome: HostOutcome, reason: Reason, now: datetime) -> HostOutcome | None:
        if outcome.state.is_final:
            return None
        if self._decided or (self._step.decides and outcome.host in self._passed):
            # What the run was for is done; only what follows it is missing.
            return replace(self._decision(outcome), reason=reason, ended_at=now)
        begun = outcome.state is HostState.RUNNING and outcome.host in self._touched
        if not begun or not (self._step.decides or self._step.changes_hosts):
            return replace(outcome, state=HostState.NOT_STARTED, reason=reason, ended_at=now)
        if outcome.host in self._transactions:
            reason = Reason(ReasonCode.TRANSACTION_CONTINUES)
        return replace(outcome, state=HostState.UNKNOWN, reason=reason, ended_at=now)

    def _decision(self, outcome: HostOutcome) -> HostOutcome:
        """Return the outcome of a host that went through the step that decides."""
        complaint = self._complaints.get(outcome.host)
        if complaint is not None:
            return replace(outcome, state=HostState.FAILED, reason=complaint)
        state = HostState.CHANGED if outcome.changed_tasks else HostState.OK
        return replace(outcome, state=state, reason=self._surprise(outcome.host))

    def _surprise(self, host: str) -> Reason:
        """Return how what was done differs from what this run predicted; empty when it does not."""
        if self._check:
            return Reason()  # it only predicts
        predicted = [change for each in self._predicted.get(host, {}).values() for change in each]
        return surprise_reason(predicted, self._actual.get(host, ()))

    def _work(self) -> None:
        try:
            while self._write_batch():
                pass
        except Exception as error:  # noqa: BLE001 - handed to the thread that supervises the run
            self._failure = error

    def _write_batch(self) -> bool:
        """Wait for events, gather more for a moment, write them; false when the last one came."""
        batch = [self._events.get()]
        self._ending.wait(self._batch_seconds)
        while not self._events.empty():
            batch.append(self._events.get())
        lines: list[LogLine] = []
        changes: list[HostOutcome] = []
        for event in batch:
            before = self._outcomes.get(event.host) if event is not None else None
            if event is None or before is None:
                continue  # the end, or not a host of the plan: Ansible's implicit localhost
            self._touched.add(event.host)
            after = self._apply(before, event, lines)
            if before.state.is_final and event.host in self._closed:
                continue  # it is only looked at once more
            self._outcomes[event.host] = after
            if changes and changes[-1].host == after.host and changes[-1].state is after.state:
                changes[-1] = after  # only its task moved on: one row is enough
            else:
                changes.append(after)
        self._runs.record(self._run_id, changes, lines)
        return None not in batch

    def _apply(self, outcome: HostOutcome, event: EngineEvent, lines: list[LogLine]) -> HostOutcome:
        match event:
            case TaskStarted():
                started = outcome.started_at or event.at
                return replace(outcome, state=HostState.RUNNING, task=event.task, started_at=started)
            case TaskEnded():
                self._store_result(event)
                lines.append(LogLine(0, event.at, event.host, event.task, event.status.value, event.message))
                return self._after_task(outcome, event)
            case HostStats():
                return self._after_play(outcome, event)

    def _store_result(self, event: TaskEnded) -> None:
        if not event.result:
            return
        observations = self._reader.observations(event.host, event.result, event.at)
        if observations is not None:
            judgement = self._judge(self._fleet.described(event.host), observations)
            self._fleet.record_verification(
                self._run_id, observations, judgement.findings, basis=judgement.basis
            )
            updates = self._reader.updates(observations)
            if updates is not None:
                self._fleet.record_updates(event.host, updates, event.at)
        report = self._reader.patch(event.result)
        if report is not None:
            self._fleet.record_patch(self._run_id, event.host, report, check=self._check, at=event.at)
            if report.stage == "started":
                self._transactions.add(event.host)
            else:
                self._transactions.discard(event.host)
        self._store_hardening(event)

    def _store_hardening(self, event: TaskEnded) -> None:
        report = self._reader.hardening(event.result)
        if report is not None:
            self._hardening.record_hardening(self._run_id, event.host, report, event.at)
            areas = self._predicted.setdefault(event.host, {})
            if report.stage is Stage.PLANNED:
                areas[report.area] = (*areas.get(report.area, ()), *report.changes)
            elif report.changes:
                self._actual.setdefault(event.host, []).extend(report.changes)
            else:
                # A task that was taken back changed nothing in the end; what it tried is what was predicted.
                report = replace(report, changes=areas.get(report.area, ()))
        undone = self._reader.undo(event.result)
        if undone is not None:
            self._hardening.record_undo(self._run_id, event.host, undone, event.at)
        complaint = (report and harden_reason(report)) or (undone and undo_reason(undone))
        if complaint:
            self._complaints[event.host] = complaint

    def _after_task(self, outcome: HostOutcome, event: TaskEnded) -> HostOutcome:
        changed = outcome.changed_tasks + (event.status is TaskStatus.CHANGED and self._step.decides)
        started = outcome.started_at or event.at
        outcome = replace(outcome, task=event.task, changed_tasks=changed, started_at=started)
        if event.status is TaskStatus.UNREACHABLE:
            if event.host in self._transactions:
                reason = Reason(ReasonCode.TRANSACTION_CONTINUES)
            else:
                reason = Reason(ReasonCode.CONNECTION_LOST, {"message": event.message})
            return replace(outcome, state=HostState.UNREACHABLE, reason=reason, ended_at=event.at)
        if event.status is TaskStatus.FAILED and not event.ignored:
            return replace(outcome, state=HostState.FAILED, reason=self._why(event), ended_at=event.at)
        return replace(outcome, state=HostState.RUNNING)

    def _why(self, event: TaskEnded) -> Reason:
        report = self._reader.patch(event.result) if event.result else None
        if report is not None and report.problem:
            return Reason(report.problem, {"detail": report.problem_detail})
        if event.result and event.host in self._complaints:
            return self._complaints[event.host]
        return Reason(ReasonCode.TASK_FAILED, {"task": event.task, "message": event.message})

    def _after_play(self, outcome: HostOutcome, stats: HostStats) -> HostOutcome:
        now = self._clock.now()
        if stats.unreachable:
            return replace(outcome, state=HostState.UNREACHABLE, ended_at=outcome.ended_at or now)
        if stats.failures:
            return replace(outcome, state=HostState.FAILED, ended_at=outcome.ended_at or now)
        # A failure that the playbook rescued is no outcome.
        self._passed.add(outcome.host)
        if self._step.decides:
            outcome = replace(outcome, changed_tasks=max(outcome.changed_tasks, stats.changed))
        if not self._step.is_last:
            return replace(outcome, state=HostState.RUNNING, reason=Reason(), ended_at=None)
        return replace(self._decision(outcome), ended_at=now)
