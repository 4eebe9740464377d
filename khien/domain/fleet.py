"""What is known of each host now: the rows of the fleet screen, the CLI and the reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from khien.domain.finding import Finding, VerdictCounts
from khien.domain.host import Host
from khien.domain.observation import HostFacts
from khien.domain.packages import PackageChange
from khien.domain.run import HostState, Reason, RunId, Verb


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host: what the inventory says and what was last seen of it."""

    host: Host
    facts: HostFacts | None = None
    counts: VerdictCounts | None = None
    """None: never verified, which is never compliant."""
    basis: str = ""
    """The digest of the rules that gave the counts; empty when not known."""
    is_outdated: bool = False
    """Whether the rules would judge by another basis now: the counts are those of older rules."""
    verified_at: datetime | None = None
    seen_at: datetime | None = None
    """When it last answered anything."""
    pending_security: int | None = None
    """Security updates waiting; None when unknown."""
    reboot_needed: bool | None = None
    """None when unknown."""
    last_run: RunId | None = None
    last_verb: Verb | None = None
    last_state: HostState | None = None
    last_reason: Reason = field(default_factory=Reason)
    in_inventory: bool = True
    """False for a host that is only remembered."""


@dataclass(frozen=True, slots=True)
class HostHistoryEntry:
    """What one run did with one host."""

    run: RunId
    verb: Verb
    check: bool
    state: HostState
    reason: Reason
    at: datetime
    counts: VerdictCounts | None = None
    changes: tuple[PackageChange, ...] = ()


@dataclass(frozen=True, slots=True)
class HostDetail:
    """All that is known of one host."""

    status: HostStatus
    findings: tuple[Finding, ...] = ()
    pending: tuple[PackageChange, ...] = ()
    """Security updates that wait, as last seen."""
    held: tuple[str, ...] = ()
    history: tuple[HostHistoryEntry, ...] = ()
    """Newest first."""
