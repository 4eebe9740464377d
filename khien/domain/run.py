"""Runs and what becomes of each host in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

RunId = NewType("RunId", str)


class Verb(StrEnum):
    """What a run does; each has a playbook of the same name."""

    VERIFY = "verify"
    PATCH = "patch"
    HARDEN = "harden"
    UNDO = "undo"

    @property
    def changes_hosts(self) -> bool:
        """Whether a real run of it may change a host."""
        return self is not Verb.VERIFY


class RunState(StrEnum):
    """Where a run stands."""

    CREATED = "created"
    RUNNING = "running"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """Its process died without ending it."""
    BROKEN = "broken"
    """Ansible itself could not do it; the reason is on the run."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the run."""
        return self not in (RunState.CREATED, RunState.RUNNING, RunState.CANCELLING)


class HostState(StrEnum):
    """What became of one host in one run."""

    WAITING = "waiting"
    RUNNING = "running"
    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    NOT_STARTED = "not_started"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """It was being worked on when the run ended; only the host knows, and retry asks it."""

    @property
    def is_final(self) -> bool:
        """Whether it is an outcome rather than a moment."""
        return self not in (HostState.WAITING, HostState.RUNNING)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do for the host in this run."""
        return self in (HostState.OK, HostState.CHANGED, HostState.SKIPPED)


RETRIABLE = frozenset({HostState.FAILED, HostState.UNREACHABLE, HostState.NOT_STARTED, HostState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is as it is: a code that the edges put into words, and what the words need."""

    code: str = ""
    """A key of khien.application.wording.REASONS; empty when there is nothing to say."""
    arguments: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HostOutcome:
    """One host of one run."""

    host: str
    state: HostState
    reason: Reason = field(default_factory=Reason)
    task: str = ""
    """The task it is at, or the one that ended it."""
    changed_tasks: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the person asked for, in Ansible's own words."""

    inventory: tuple[str, ...] = ()
    limit: str = ""
    check: bool = False
    diff: bool = False
    forks: int | None = None
    extra_vars: tuple[str, ...] = ()
    reboot: bool = False
    level: int | None = None
    """Harden for this level instead of each host's own."""
    controls: tuple[str, ...] = ()
    """Harden for these controls only; empty: for all that the host's level demands."""
    force: bool = False
    """Undo also what somebody changed since."""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a plan."""

    id: RunId
    verb: Verb
    state: RunState
    options: RunOptions
    requested_by: str
    created_at: datetime
    plan_hash: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    parent: RunId | None = None
    """The run this one retries."""
    reason: Reason = field(default_factory=Reason)
    counts: Mapping[HostState, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Hosts in the plan: the denominator of every figure of the run."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Hosts with an outcome."""
        return sum(n for state, n in self.counts.items() if state.is_final)

    @property
    def is_check(self) -> bool:
        """Whether it only predicts."""
        return self.options.check


def count_states(outcomes: Iterable[HostOutcome]) -> dict[HostState, int]:
    """Count hosts by state."""
    return dict(Counter(outcome.state for outcome in outcomes))


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process of this machine that cannot be mistaken for a later one with the same pid."""

    machine: str
    """Machine id of the controller."""
    boot: str
    """Boot id, so that a pid from before a reboot never matches."""
    pid: int
    started: int
    """Start time in clock ticks since boot, which no change of the clock can move."""
