"""What the use cases need from the outside; adapters implement these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from khien.domain.control import Control
from khien.domain.finding import Finding, VerdictCounts
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.host import Host
from khien.domain.observation import ObservationSet
from khien.domain.packages import PatchReport
from khien.domain.plan import Plan
from khien.domain.run import HostOutcome, HostState, ProcessIdentity, Reason, Run, RunId, RunState


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class InventorySource(Protocol):
    """Reads Ansible's inventory."""

    def hosts(self, inventory: Sequence[str], limit: str = "") -> tuple[Host, ...]:
        """Return the hosts, sorted by name.

        Args:
            inventory: paths or comma lists as for ansible's -i; empty means the configured default.
            limit: an Ansible host pattern; empty means all.

        Raises:
            UsageError: the pattern matches no host or the inventory cannot be read.
        """
        ...


class ControlCatalogue(Protocol):
    """Knows all controls."""

    def controls(self) -> tuple[Control, ...]:
        """Return all controls, sorted by id.

        Raises:
            InputError: a controls.yml is unusable; file and line are named.
        """
        ...


@dataclass(frozen=True, slots=True)
class PreflightResult:
    """What was found at a host's door before a run."""

    host: str
    ready: bool
    troubles: tuple[Reason, ...] = ()
    """What stands in the way; empty when ready."""
    warnings: tuple[Reason, ...] = ()
    """What is worth knowing and stops nothing."""
    milliseconds: int = 0
    facts: Mapping[str, str | int] = field(default_factory=dict)
    """What the host said of itself: boot id, Python, free space …"""


class Preflight(Protocol):
    """Looks at many hosts' doors at once, without Ansible."""

    def with_secrets(self, secrets: Mapping[str, str]) -> Preflight:
        """Return the same preflight that uses these passwords where keys and sudo rules do not do."""
        ...

    def check(self, hosts: Sequence[Host], *, deadline_seconds: float) -> tuple[PreflightResult, ...]:
        """Check all hosts concurrently; every host has a result at the latest after the deadline."""
        ...


class TaskStatus(StrEnum):
    """How one task ended on one host."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A host begins a task."""

    host: str
    task: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A host ended a task."""

    host: str
    task: str
    status: TaskStatus
    at: datetime
    ignored: bool = False
    """A failure that the playbook chose to ignore."""
    message: str = ""
    result: Mapping[str, object] = field(default_factory=dict)
    """The module's `khien` key when it has one; else empty."""


@dataclass(frozen=True, slots=True)
class HostStats:
    """Ansible's own count for one host at the end of the play."""

    host: str
    ok: int = 0
    changed: int = 0
    failures: int = 0
    unreachable: int = 0
    skipped: int = 0
    rescued: int = 0
    ignored: int = 0


EngineEvent = TaskStarted | TaskEnded | HostStats


@dataclass(frozen=True, slots=True)
class EngineJob:
    """What the engine executes."""

    run: RunId
    plan: Plan
    playbook: Path
    extra_vars: Mapping[str, object]
    secrets: Mapping[str, str] = field(default_factory=dict)
    """become_password, connection_password, vault_password: never on argv, never in the environment."""
    documents: Mapping[str, object] = field(default_factory=dict)
    """What travels as a JSON file of its own, by the variable that names the file."""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """How the engine ended."""

    completed: bool
    """Whether Ansible itself said it reached the end."""
    exit_code: int | None
    message: str = ""
    """What it said last, when it did not complete."""


class Engine(Protocol):
    """Executes playbooks."""

    def execute(
        self, job: EngineJob, on_event: Callable[[EngineEvent], None], should_stop: Callable[[], bool]
    ) -> EngineResult:
        """Run the playbook to its end, or stop it soon after should_stop() turns true.

        When it returns or raises, none of its processes is left on the controller.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of what happened to a host in a run."""

    sequence: int
    at: datetime
    host: str
    task: str
    status: str
    text: str


class RunStore(Protocol):
    """Remembers runs and what became of each host; one writer per run."""

    def create_run(self, run: Run, plan: Plan) -> None:
        """Record a new run with every host of its plan as waiting and the left-out ones as skipped."""
        ...

    def run(self, run_id: RunId) -> Run:
        """Return a run; a unique prefix of its id is enough.

        Raises:
            UsageError: there is no such run, or several.
        """
        ...

    def runs(self, *, limit: int = 50, active_only: bool = False) -> tuple[Run, ...]:
        """Return runs, newest first."""
        ...

    def plan(self, run_id: RunId) -> Plan:
        """Return the plan that the run executes."""
        ...

    def outcomes(self, run_id: RunId, states: frozenset[HostState] | None = None) -> tuple[HostOutcome, ...]:
        """Return the hosts of a run by name, all or those in the given states."""
        ...

    def log(
        self, run_id: RunId, *, host: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[LogLine, ...]:
        """Return log lines in order, of all hosts or of one."""
        ...

    def claim(self, run_id: RunId, process: ProcessIdentity, at: datetime) -> None:
        """Say which process executes the run, and that it is running now."""
        ...

    def expect(self, run_id: RunId, process: ProcessIdentity) -> None:
        """Say which process was started for the run: its death before the claim is noticed at once."""
        ...

    def process(self, run_id: RunId) -> ProcessIdentity | None:
        """Return the process that executes the run, if one was started."""
        ...

    def set_state(self, run_id: RunId, state: RunState, at: datetime, reason: Reason | None = None) -> None:
        """Move the run to a state; a final state is never left again."""
        ...

    def request_cancel(self, run_id: RunId, at: datetime) -> None:
        """Ask the run's process to stop."""
        ...

    def cancel_requested(self, run_id: RunId) -> bool:
        """Whether somebody asked the run to stop."""
        ...

    def record(self, run_id: RunId, outcomes: Sequence[HostOutcome], lines: Sequence[LogLine] = ()) -> None:
        """Store host transitions with a journal row each, and log lines, in one durable transaction."""
        ...

    def lock_hosts(
        self,
        run_id: RunId,
        hosts: Sequence[str],
        process: ProcessIdentity,
        is_alive: Callable[[ProcessIdentity], bool],
    ) -> Mapping[str, RunId]:
        """Lock hosts for a changing run; return those another live run holds, with that run.

        Locks of dead processes are taken over.
        """
        ...

    def unlock_hosts(self, run_id: RunId) -> None:
        """Give up all locks of the run."""
        ...


class FleetStore(Protocol):
    """Remembers what is known of each host."""

    def remember_hosts(self, hosts: Sequence[Host]) -> None:
        """Bring the inventory's words of these hosts up to date."""
        ...

    def fleet(self) -> tuple[HostStatus, ...]:
        """Return the status of every host ever seen, by name."""
        ...

    def host(self, name: str) -> HostDetail:
        """Return all that is known of one host.

        Raises:
            UsageError: no such host.
        """
        ...

    def described(self, name: str) -> Host:
        """Return a host as the inventory described it last; one that was never described is only a name."""
        ...

    def record_verification(
        self, run_id: RunId, observations: ObservationSet, findings: Sequence[Finding], *, basis: str = ""
    ) -> None:
        """Store a host's answers and their judgement, and make them its present state.

        Args:
            run_id: the run that asked.
            observations: what the host answered.
            findings: what that means.
            basis: the digest of the rules that said so; empty when not known.
        """
        ...

    def verdicts(self, run_id: RunId) -> Mapping[str, VerdictCounts]:
        """Return how each host that a run verified was judged."""
        ...

    def record_updates(self, host: str, report: PatchReport, at: datetime) -> None:
        """Store which updates wait on a host, as a verification saw it."""
        ...

    def record_patch(
        self, run_id: RunId, host: str, report: PatchReport, *, check: bool, at: datetime
    ) -> None:
        """Store what a host said about its updates, and make it its present state."""
        ...

    def patch_reports(self, run_id: RunId) -> Mapping[str, PatchReport]:
        """Return the latest report of each host in a run."""
        ...


class RunLauncher(Protocol):
    """Starts run processes that outlive whoever asked for them."""

    def launch(self, run_id: RunId, secrets: Mapping[str, str]) -> ProcessIdentity:
        """Start the process that executes the run, detached; secrets travel by pipe only."""
        ...

    def tidy(self, run_id: RunId) -> None:
        """Remove the private files that a dead run left behind."""
        ...

    def last_words(self, run_id: RunId) -> str:
        """Return the last line that the run's process said itself; normally it says nothing."""
        ...


class ProcessTable(Protocol):
    """Knows this machine's processes."""

    def current(self) -> ProcessIdentity:
        """Return who we are."""
        ...

    def is_alive(self, process: ProcessIdentity) -> bool:
        """Whether exactly that process still lives; unknown machines count as alive."""
        ...

    def end_leftovers(self, run_id: RunId) -> int:
        """End every process that the dead run left behind; return how many there were."""
        ...
