"""A console over a made-up province in memory: runs go as far as the test lets them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from khien.application.ports import LogLine, PreflightResult
from khien.domain.control import Control
from khien.domain.finding import VerdictCounts
from khien.domain.fleet import HostDetail, HostHistoryEntry, HostStatus
from khien.domain.hardening import (
    Change,
    HardenReport,
    HostHardening,
    RestoredThing,
    SkippedChange,
    Stage,
    UndoReport,
)
from khien.domain.host import Host
from khien.domain.packages import PackageChange, PatchReport, RebootNeed
from khien.domain.plan import ApprovedPlan, LeftOut, Plan
from khien.domain.prediction import Approval, StoredPlan, prediction_hash
from khien.domain.proof import ControlResult, VerificationPair, prove
from khien.domain.run import (
    HostOutcome,
    HostState,
    Reason,
    Run,
    RunId,
    RunOptions,
    RunState,
    Verb,
    count_states,
)
from khien.errors import KhienError, RefusedError, UsageError
from tests.fakes.province import FORMULA, HOSTILE, NOW, Province, make_hostile, make_province

HOSTILE_NAMES = ("web[/red]01", "[@click=app.quit]x[/]", "a\x1b]0;owned\x07b\x1b[2J", "<b>h</b>", FORMULA)
CHANGES = (
    PackageChange("openssl", "amd64", "3.5.1-1", "3.5.1-1+deb13u2", "Debian-Security"),
    PackageChange("libssl3t64", "amd64", "3.5.1-1", "3.5.1-1+deb13u2", "Debian-Security"),
    PackageChange("sudo", "amd64", "1.9.16p2-3", "1.9.16p2-3+deb13u1", "Debian-Security"),
)
HARDENED = (
    Change("sshd_root_login_off", "file", "/etc/ssh/sshd_config.d/00-khien.conf", "∅", "PermitRootLogin no"),
    Change("sysctl_rp_filter", "sysctl", "net.ipv4.conf.all.rp_filter", "0", "1"),
)
SKIPPED = (SkippedChange("tmp_noexec", "mount", "/tmp", "in_container"),)


@dataclass
class Record:
    """A run of the fake, as far as it got."""

    run: Run
    plan: Plan
    outcomes: dict[str, HostOutcome]
    lines: list[LogLine] = field(default_factory=list)


class FakeConsole:
    """The Console protocol; `step` moves a run on, `broken` makes every question fail."""

    def __init__(self, province: Province | None = None, *, now: datetime = NOW) -> None:
        self.province = province or make_province()
        self.details: dict[str, HostDetail] = dict(self.province.details)
        self.now = now
        self.broken: KhienError | None = None
        self.refuse: KhienError | None = None
        self.left_out: tuple[LeftOut, ...] = ()
        self.launched: list[Plan] = []
        self.approvals: dict[str, Approval] = {}
        self.records: dict[str, Record] = {}
        self.asked: list[str] = []
        self._lock = threading.RLock()

    def _check(self, question: str) -> None:
        self.asked.append(question)
        if self.broken:
            raise self.broken

    # Queries

    def fleet(self) -> tuple[HostStatus, ...]:
        self._check("fleet")
        return tuple(self.details[name].status for name in sorted(self.details))

    def host(self, name: str) -> HostDetail:
        self._check("host")
        if name not in self.details:
            raise UsageError(f"There is no host {name}.")
        detail = self.details[name]
        history = tuple(
            HostHistoryEntry(
                r.run.id, r.run.verb, r.run.is_check, r.outcomes[name].state, r.outcomes[name].reason,
                r.run.created_at, changes=CHANGES if r.outcomes[name].state is HostState.CHANGED else (),
            )
            for r in reversed(self.records.values())
            if name in r.outcomes
        )  # fmt: skip
        return replace(detail, history=history + detail.history)

    def controls(self) -> Mapping[str, Control]:
        self._check("controls")
        return self.province.controls

    def runs(self, limit: int = 50) -> tuple[Run, ...]:
        self._check("runs")
        with self._lock:
            own = [record.run for record in reversed(self.records.values())]
        return tuple(own)[:limit]

    def run(self, run_id: str) -> Run:
        self._check("run")
        return self._record(run_id).run

    def outcomes(self, run_id: RunId) -> tuple[HostOutcome, ...]:
        self._check("outcomes")
        with self._lock:
            outcomes = self._record(run_id).outcomes
            return tuple(outcomes[name] for name in sorted(outcomes))

    def log(self, run_id: RunId, *, host: str | None = None, after: int = 0) -> tuple[LogLine, ...]:
        self._check("log")
        with self._lock:
            lines = [
                line
                for line in self._record(run_id).lines
                if line.sequence > after and host in (None, line.host)
            ]
        return tuple(lines[:1000])

    def verdicts(self, run_id: RunId) -> Mapping[str, VerdictCounts]:
        self._check("verdicts")
        done = (o.host for o in self.outcomes(run_id) if o.state.is_done)
        return {name: self.details[name].status.counts or VerdictCounts() for name in done}

    def patch_reports(self, run_id: RunId) -> Mapping[str, PatchReport]:
        self._check("patch_reports")
        check = self._record(run_id).run.is_check
        reboot = RebootNeed(True, ("linux-image-6.12.48",), ("ssh.service",))
        report = PatchReport("planned" if check else "finished", CHANGES, held=("nginx",), reboot=reboot)
        return {o.host: report for o in self.outcomes(run_id) if o.state is HostState.CHANGED}

    def hardening(self, run_id: RunId) -> Mapping[str, HostHardening]:
        self._check("hardening")
        run = self._record(run_id).run
        if run.verb is not Verb.HARDEN:
            return {}
        planned = HardenReport("sshd", Stage.PLANNED, HARDENED, SKIPPED)
        applied = () if run.is_check else (replace(planned, stage=Stage.APPLIED),)
        return {o.host: HostHardening((planned,), applied) for o in self.outcomes(run_id) if o.state.is_done}

    def proofs(self, run_id: RunId) -> Mapping[str, tuple[ControlResult, ...]]:
        self._check("proofs")
        reports = self.hardening(run_id)
        pairs = {
            name: VerificationPair(self.details[name].findings) for name in reports if name in self.details
        }
        return {
            o.host: prove(
                o,
                reports[o.host],
                pairs.get(o.host, VerificationPair()),
                self.province.controls,
                self.province.controls,
            )
            for o in self.outcomes(run_id)
            if o.host in reports
        }

    def undo_reports(self, run_id: RunId) -> Mapping[str, UndoReport]:
        self._check("undo_reports")
        run = self._record(run_id).run
        if run.verb is not Verb.UNDO:
            return {}
        restored = tuple(RestoredThing(c.kind, c.thing, c.after, c.before) for c in HARDENED)
        report = UndoReport(Stage.PLANNED if run.is_check else Stage.APPLIED, restored)
        return {o.host: report for o in self.outcomes(run_id) if o.state.is_done}

    def plans(self, limit: int = 50) -> tuple[StoredPlan, ...]:
        self._check("plans")
        runs = [run for run in self.runs(limit) if run.verb is Verb.HARDEN and run.is_check]
        return tuple(self.stored_plan(run.id) for run in runs if run.state.is_final)

    def stored_plan(self, run_id: str) -> StoredPlan:
        self._check("stored_plan")
        record = self._record(run_id)
        if record.run.verb is not Verb.HARDEN or not record.run.is_check:
            raise UsageError(f"Run {run_id} is no plan.")
        reports = self.hardening(record.run.id)
        return StoredPlan(
            record.run, prediction_hash(record.plan, reports), reports, self.approvals.get(record.run.id)
        )

    def preflight(self, hosts: Sequence[Host]) -> tuple[PreflightResult, ...]:
        return tuple(PreflightResult(host.name, ready=True) for host in hosts)

    # Planning and launching

    def make_plan(self, verb: Verb, options: RunOptions) -> Plan:
        self._check("make_plan")
        if self.refuse:
            raise self.refuse
        wanted = options.limit.split(",") if options.limit else sorted(self.details)
        hosts = [name for name in wanted if name in self.details]
        for group in wanted:
            hosts += [n for n, d in self.details.items() if group and group in d.status.host.groups]
        if not hosts:
            raise UsageError("No host matches.")
        names = tuple(sorted(set(hosts) - {left.host for left in self.left_out}))
        left = tuple(left for left in self.left_out if left.host in hosts)
        return Plan(verb, options, names, self.now, left)

    def make_retry_plan(self, run_id: RunId, states: frozenset[HostState]) -> Plan:
        self._check("make_retry_plan")
        record = self._record(run_id)
        hosts = tuple(o.host for o in self.outcomes(run_id) if o.state in states)
        return replace(record.plan, hosts=hosts, left_out=(), parent=run_id)

    def make_undo_plan(self, run_id: str, options: RunOptions) -> Plan:
        self._check("make_undo_plan")
        if self.refuse:
            raise self.refuse
        record = self._record(run_id)
        hosts = tuple(o.host for o in self.outcomes(record.run.id) if o.state is HostState.CHANGED)
        return Plan(Verb.UNDO, options, hosts, self.now, undoes=record.run.id)

    def approve_plan(self, run_id: str, expected_hash: str = "") -> Approval:
        self._check("approve_plan")
        plan = self.stored_plan(run_id)
        if not plan.hash.startswith(expected_hash):
            raise RefusedError(f"Plan {run_id} has another hash.")
        self.approvals[plan.run.id] = Approval(plan.run.id, plan.hash, "lan", self.now)
        return self.approvals[plan.run.id]

    def make_approved_plan(self, run_id: str) -> Plan:
        self._check("make_approved_plan")
        if self.refuse:
            raise self.refuse
        plan = self.stored_plan(run_id)
        if not plan.is_approved:
            raise RefusedError(f"Plan {run_id} is not approved.")
        record = self._record(run_id)
        return replace(
            record.plan,
            options=replace(record.plan.options, check=False),
            hosts=tuple(sorted(plan.predictions)),
            approved=ApprovedPlan(plan.run.id, plan.hash),
        )

    def launch(self, plan: Plan, secrets: Mapping[str, str] | None = None) -> RunId:
        self._check("launch")
        self.launched.append(plan)
        return self.add_run(
            plan, f"20261123-0115{len(self.records):02}-{'abcdefghijkm'[len(self.records) % 12] * 4}"
        )

    def cancel(self, run_id: RunId) -> None:
        self._check("cancel")
        with self._lock:
            self.end(run_id, RunState.CANCELLED, HostState.NOT_STARTED, Reason("run_cancelled"))

    # What a test does with runs

    def _record(self, run_id: str) -> Record:
        if run_id not in self.records:
            raise UsageError(f"There is no run {run_id}.")
        return self.records[run_id]

    def add_run(self, plan: Plan, run_id: str, *, person: str = "lan") -> RunId:
        outcomes = {name: HostOutcome(name, HostState.WAITING) for name in plan.hosts}
        run = Run(
            RunId(run_id), plan.verb, RunState.RUNNING, plan.options, person, self.now, plan.hash,
            started_at=self.now, parent=plan.parent, counts=count_states(outcomes.values()),
        )  # fmt: skip
        with self._lock:
            self.records[run_id] = Record(run, plan, outcomes)
        return run.id

    def put(self, run_id: str, *outcomes: HostOutcome) -> None:
        with self._lock:
            record = self._record(run_id)
            for outcome in outcomes:
                record.outcomes[outcome.host] = outcome
                record.lines.append(
                    LogLine(
                        len(record.lines) + 1,
                        self.now,
                        outcome.host,
                        outcome.task or "Ask the host",
                        outcome.state.value,
                        "",
                    )
                )
            record.run = replace(record.run, counts=count_states(record.outcomes.values()))

    def say(
        self, run_id: str, host: str, status: str, text: str, *, task: str = "Install the updates"
    ) -> None:
        with self._lock:
            lines = self._record(run_id).lines
            lines.append(LogLine(len(lines) + 1, self.now, host, task, status, text))

    def step(self, run_id: str, *, at_once: int = 2) -> bool:
        """Let the hosts at work end, and the next ones begin; return whether the run goes on."""
        with self._lock:
            record = self._record(run_id)
            if record.run.state.is_final:
                return False
            for name, outcome in sorted(record.outcomes.items()):
                if outcome.state is HostState.RUNNING:
                    self.put(
                        run_id,
                        replace(self._ending(record, name), started_at=outcome.started_at, ended_at=self.now),
                    )
            waiting = [n for n, o in sorted(record.outcomes.items()) if o.state is HostState.WAITING]
            for name in waiting[:at_once]:
                self.put(
                    run_id,
                    HostOutcome(name, HostState.RUNNING, task="Refresh the lists", started_at=self.now),
                )
            if not waiting and all(o.state.is_final for o in record.outcomes.values()):
                record.run = replace(record.run, state=RunState.FINISHED, ended_at=self.now)
            return not record.run.state.is_final

    def _ending(self, record: Record, name: str) -> HostOutcome:
        place = sorted(record.outcomes).index(name)
        if record.run.parent is None and place % 5 == 3:
            return HostOutcome(
                name, HostState.UNREACHABLE, Reason("tcp_timeout", {"address": "192.0.2.7", "port": 22})
            )
        if record.run.parent is None and place % 7 == 5:
            arguments = {"task": "Install the updates", "message": "No space left on device"}
            return HostOutcome(
                name, HostState.FAILED, Reason("task_failed", arguments), task="Install the updates"
            )
        return HostOutcome(name, HostState.CHANGED if record.run.verb.changes_hosts else HostState.OK)

    def finish(self, run_id: str) -> None:
        while self.step(run_id):
            pass

    def end(self, run_id: str, state: RunState, rest: HostState, why: Reason) -> None:
        record = self._record(run_id)
        for name, outcome in sorted(record.outcomes.items()):
            if not outcome.state.is_final:
                self.put(run_id, HostOutcome(name, rest, why))
        record.run = replace(record.run, state=state, ended_at=self.now, reason=why)


def make_console(hosts: int = 42) -> FakeConsole:
    """Make a console over a province with hostile hosts, a finished run, a cancelled one and one that goes on."""
    console = FakeConsole(make_province(hosts))
    for number, name in enumerate(HOSTILE_NAMES):
        detail = make_hostile(name, dict(console.province.controls))
        host = replace(detail.status.host, agency="so_y_te" if number % 2 else "", agency_name="Sở Y tế")
        console.details[name] = replace(detail, status=replace(detail.status, host=host))
    names = sorted(console.details)
    console.now = NOW - timedelta(hours=6)
    first = console.add_run(
        Plan(Verb.VERIFY, RunOptions(), tuple(names[:20]), NOW), "20261122-191500-aaaa", person="an"
    )
    console.now += timedelta(minutes=4, seconds=7)
    console.finish(first)
    console.now = NOW - timedelta(hours=2)
    patch = Plan(Verb.PATCH, RunOptions(check=True), tuple(names[:10]), NOW)
    second = console.add_run(patch, "20261122-231500-bbbb", person=HOSTILE)
    console.step(second)
    console.step(second)
    console.put(
        second,
        HostOutcome(names[0], HostState.FAILED, Reason("task_failed", {"task": HOSTILE, "message": HOSTILE})),
    )
    console.say(second, names[0], "failed", f"{HOSTILE}\n{FORMULA}\n[red]x[/red] [/] web[/red]01")
    console.now += timedelta(minutes=2)
    console.cancel(second)
    console.now = NOW - timedelta(minutes=3)
    third = console.add_run(Plan(Verb.PATCH, RunOptions(), tuple(names[10:20]), NOW), "20261123-011200-cccc")
    for _turn in range(4):
        console.step(third)
    console.now = NOW
    return console


def main() -> None:
    """Open the terminal UI on the made-up province, with runs that move: `python -m tests.fakes.console`."""
    from tui.__main__ import run

    console = make_console(int(os.environ.get("HOSTS", "42")))
    stop = threading.Event()

    def move() -> None:
        while not stop.wait(0.7):
            for run_id in list(console.records):
                console.step(run_id)

    threading.Thread(target=move, daemon=True).start()
    run(console, language=os.environ.get("KHIEN_LANG"))
    stop.set()


if __name__ == "__main__":
    main()
