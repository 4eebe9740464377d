"""Turns what the engine says into outcomes, findings and reports, durably and in batches."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

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
from khien.domain.finding import Finding
from khien.domain.host import Host
from khien.domain.observation import ObservationSet
from khien.domain.packages import PatchReport
from khien.domain.reason import ReasonCode
from khien.domain.run import HostOutcome, HostState, Reason, RunId


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


Judge = Callable[[Host, ObservationSet], Sequence[Finding]]


class Recorder:
    """Keeps the present outcome of each host and writes every change of it.

    `offer` is called by the engine and never blocks; a thread of the recorder's own does the work.
    """

    def __init__(
        self,
        run_id: RunId,
        hosts: Iterable[str],
        *,
        check: bool,
        runs: RunStore,
        fleet: FleetStore,
        reader: ResultReader,
        judge: Judge,
        clock: Clock,
        batch_seconds: float,
    ) -> None:
        self._run_id = run_id
        self._check = check
        self._runs = runs
        self._fleet = fleet
        self._reader = reader
        self._judge = judge
        self._clock = clock
        self._batch_seconds = batch_seconds
        self._outcomes = {host: HostOutcome(host, HostState.WAITING) for host in hosts}
        self._transactions: set[str] = set()
        self._events: queue.SimpleQueue[EngineEvent | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._failure: Exception | None = None
        self._ending = threading.Event()

    @property
    def failure(self) -> Exception | None:
        """What made recording impossible; the run must stop then, for nobody would know what it did."""
        return self._failure

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def offer(self, event: EngineEvent) -> None:
        """Take an event; never blocks."""
        self._events.put(event)

    def settle(self, *, reason: Reason) -> None:
        """Write everything offered so far, then give every host without an outcome one, with this reason."""
        self._events.put(None)
        self._ending.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        now = self._clock.now()
        ends = (self._open_end(outcome, reason, now) for outcome in self._outcomes.values())
        self._runs.record(self._run_id, [outcome for outcome in ends if outcome is not None])

    def _open_end(self, outcome: HostOutcome, reason: Reason, now: datetime) -> HostOutcome | None:
        if outcome.state is HostState.WAITING:
            return replace(outcome, state=HostState.NOT_STARTED, reason=reason, ended_at=now)
        if outcome.state is HostState.RUNNING:
            if outcome.host in self._transactions:
                reason = Reason(ReasonCode.TRANSACTION_CONTINUES)
            return replace(outcome, state=HostState.UNKNOWN, reason=reason, ended_at=now)
        return None

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
            after = self._apply(before, event, lines)
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
            findings = self._judge(self._fleet.described(event.host), observations)
            self._fleet.record_verification(self._run_id, observations, findings)
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

    def _after_task(self, outcome: HostOutcome, event: TaskEnded) -> HostOutcome:
        changed = outcome.changed_tasks + (event.status is TaskStatus.CHANGED)
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
        return Reason(ReasonCode.TASK_FAILED, {"task": event.task, "message": event.message})

    def _after_play(self, outcome: HostOutcome, stats: HostStats) -> HostOutcome:
        now = self._clock.now()
        outcome = replace(outcome, ended_at=outcome.ended_at or now)
        if stats.unreachable:
            return replace(outcome, state=HostState.UNREACHABLE)
        if stats.failures:
            return replace(outcome, state=HostState.FAILED)
        # A failure that the playbook rescued is no outcome.
        state = HostState.CHANGED if stats.changed else HostState.OK
        return replace(outcome, state=state, reason=Reason(), ended_at=now)
