"""Fakes of the ports that executing a run needs; the store is the real one on SQLite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from khien.adapters.store import SqlFleetStore, SqlHardeningStore, SqlRunStore, open_database
from khien.application.execute_run import RunTools
from khien.application.ports import EngineEvent, EngineJob, EngineResult, PreflightResult
from khien.domain.finding import Finding
from khien.domain.hardening import HardenReport, UndoReport
from khien.domain.host import Host
from khien.domain.judge import Judgement
from khien.domain.observation import ObservationSet
from khien.domain.packages import PatchReport
from khien.domain.plan import Plan
from khien.domain.run import ProcessIdentity, Run, RunId, RunOptions, RunState, Verb


@dataclass
class FakeClock:
    """A clock that moves only when told."""

    time: datetime = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, **words: float) -> None:
        self.time += timedelta(**words)


@dataclass
class FakeInventory:
    """Knows the hosts it was given."""

    names: tuple[str, ...]

    def hosts(self, inventory: Sequence[str], limit: str = "") -> tuple[Host, ...]:
        return tuple(Host(name) for name in sorted(self.names))


@dataclass
class FakePreflight:
    """Finds every host ready, but those it was told about."""

    troubled: Mapping[str, PreflightResult] = field(default_factory=dict)
    looked_at: list[str] = field(default_factory=list)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def with_secrets(self, secrets: Mapping[str, str]) -> FakePreflight:
        self.secrets = secrets
        return self

    def check(self, hosts: Sequence[Host], *, deadline_seconds: float) -> tuple[PreflightResult, ...]:
        self.looked_at += [host.name for host in hosts]
        return tuple(self.troubled.get(host.name, PreflightResult(host.name, ready=True)) for host in hosts)


Script = Callable[[EngineJob, Callable[[EngineEvent], None], Callable[[], bool]], EngineResult]


@dataclass
class FakeEngine:
    """Plays a script: a function that gets the job and tells the events."""

    script: Script
    jobs: list[EngineJob] = field(default_factory=list)

    def execute(
        self, job: EngineJob, on_event: Callable[[EngineEvent], None], should_stop: Callable[[], bool]
    ) -> EngineResult:
        self.jobs.append(job)
        return self.script(job, on_event, should_stop)


@dataclass
class FakeProcesses:
    """A machine on which all processes live but the dead ones."""

    me: ProcessIdentity = field(default_factory=lambda: ProcessIdentity("m", "b", 1, 1))
    dead: set[ProcessIdentity] = field(default_factory=set)
    ended: list[RunId] = field(default_factory=list)

    def current(self) -> ProcessIdentity:
        return self.me

    def is_alive(self, process: ProcessIdentity) -> bool:
        return process not in self.dead

    def end_leftovers(self, run_id: RunId) -> int:
        self.ended.append(run_id)
        return 0


@dataclass
class FakeLauncher:
    """Starts nothing, and remembers what it was asked to start."""

    started: list[RunId] = field(default_factory=list)
    tidied: list[RunId] = field(default_factory=list)
    words: str = ""

    def launch(self, run_id: RunId, secrets: Mapping[str, str]) -> ProcessIdentity:
        self.started.append(run_id)
        return ProcessIdentity("m", "b", 2, 2)

    def tidy(self, run_id: RunId) -> None:
        self.tidied.append(run_id)

    def last_words(self, run_id: RunId) -> str:
        return self.words


class FakeReader:
    """Takes a result's values as they are: under "patch", "seen", "harden" and "undo"."""

    def observations(self, host: str, result: Mapping[str, object], at: datetime) -> ObservationSet | None:
        value = result.get("seen")
        return value if isinstance(value, ObservationSet) else None

    def updates(self, observations: ObservationSet) -> PatchReport | None:
        return None

    def patch(self, result: Mapping[str, object]) -> PatchReport | None:
        value = result.get("patch")
        return value if isinstance(value, PatchReport) else None

    def hardening(self, result: Mapping[str, object]) -> HardenReport | None:
        value = result.get("harden")
        return value if isinstance(value, HardenReport) else None

    def undo(self, result: Mapping[str, object]) -> UndoReport | None:
        value = result.get("undo")
        return value if isinstance(value, UndoReport) else None


class RunWorld:
    """Everything around one run."""

    def __init__(self, folder: Path, engine: FakeEngine, hosts: tuple[str, ...] = ("h1", "h2", "h3")) -> None:
        self.database = open_database(f"sqlite:///{folder / 'khien.db'}")
        self.runs = SqlRunStore(self.database)
        self.fleet = SqlFleetStore(self.database)
        self.hardening = SqlHardeningStore(self.database)
        self.engine = engine
        self.hosts = hosts
        self.clock = FakeClock()
        self.preflight = FakePreflight()
        self.processes = FakeProcesses()
        self.launcher = FakeLauncher()
        self.findings: Sequence[Finding] = ()

    def tools(self) -> RunTools:
        return RunTools(
            runs=self.runs,
            fleet=self.fleet,
            hardening=self.hardening,
            inventory=FakeInventory(self.hosts),
            preflight=self.preflight,
            engine=self.engine,
            processes=self.processes,
            clock=self.clock,
            reader=FakeReader(),
            judge=lambda _host, _seen: Judgement(tuple(self.findings), ""),
            playbook=lambda verb: Path(f"{verb.value}.yml"),
            extra_vars=lambda _run, _plan: {},
            documents=lambda _plan: {},
            preflight_deadline_seconds=1,
            batch_seconds=0.001,
        )

    def create(self, verb: Verb = Verb.PATCH, run_id: str = "run-1", *, check: bool = False) -> RunId:
        plan = Plan(verb, RunOptions(check=check), self.hosts, self.clock.now())
        run = Run(
            RunId(run_id), verb, RunState.CREATED, plan.options, "somebody", self.clock.now(), plan.hash
        )
        self.runs.create_run(run, plan)
        return run.id
