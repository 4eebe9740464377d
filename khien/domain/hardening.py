"""What hardening would change, did change and took back; schemas `khien.harden/1` and `khien.undo/1`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

HARDEN_SCHEMA = "khien.harden/1"
UNDO_SCHEMA = "khien.undo/1"


class Stage(StrEnum):
    """Whether a report speaks of what would be done or of what was."""

    PLANNED = "planned"
    APPLIED = "applied"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One thing of a host that a control changes; equal changes are the same change."""

    control: str
    kind: str
    """file, sysctl, unit …"""
    thing: str
    """Its path, key or name."""
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SkippedChange:
    """Something a control demands that is not done on the host."""

    control: str
    kind: str
    thing: str
    why: str
    """absent, in_container, other_system or not_opted_in: a code of khien.domain.reason."""
    detail: str = ""


class GuardState(StrEnum):
    """What became of the revert that was armed against locking oneself out."""

    NONE = "none"
    """Nothing that management access depends on was touched."""
    ARMED = "armed"
    """The host waits for a fresh login, or will take the change back."""
    DISARMED = "disarmed"
    """A fresh login worked."""
    REVERTED = "reverted"
    """None worked, so the host took the change back."""
    LOST = "lost"
    """None worked, and the host did not come back in time to say what it did."""


@dataclass(frozen=True, slots=True)
class GuardReport:
    """The armed revert of one area."""

    state: GuardState = GuardState.NONE
    seconds: float = 0
    """The time that a fresh login had; 0 when nothing was armed."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HardenReport:
    """What one area of one host said in one run."""

    area: str
    """The role."""
    stage: Stage
    changes: tuple[Change, ...] = ()
    skipped: tuple[SkippedChange, ...] = ()
    guard: GuardReport = field(default_factory=GuardReport)
    problem: str = ""
    """Empty when all went well; else a code of khien.domain.reason."""
    problem_detail: str = ""


@dataclass(frozen=True, slots=True)
class RestoredThing:
    """One thing that undo put back, or would."""

    kind: str
    thing: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RefusedThing:
    """One thing that undo did not put back."""

    kind: str
    thing: str
    why: str
    """changed_since or cannot_restore: a code of khien.domain.reason."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What one host said about taking a run's changes back."""

    stage: Stage
    restored: tuple[RestoredThing, ...] = ()
    refused: tuple[RefusedThing, ...] = ()
    guard: GuardReport = field(default_factory=GuardReport)
    problem: str = ""
    problem_detail: str = ""


@dataclass(frozen=True, slots=True)
class HostHardening:
    """All reports of one host in one run."""

    predicted: tuple[HardenReport, ...] = ()
    actual: tuple[HardenReport, ...] = ()

    @property
    def predicted_changes(self) -> tuple[Change, ...]:
        """What would be changed, sorted."""
        return tuple(sorted(change for report in self.predicted for change in report.changes))

    @property
    def actual_changes(self) -> tuple[Change, ...]:
        """What was changed, sorted."""
        return tuple(sorted(change for report in self.actual for change in report.changes))

    @property
    def skipped(self) -> tuple[SkippedChange, ...]:
        """What was left alone, each once; as the last stage said it."""
        reports = self.actual or self.predicted
        return tuple(dict.fromkeys(skip for report in reports for skip in report.skipped))
