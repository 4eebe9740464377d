"""The figures of a report, worked out from what is known of each host; every figure has its denominator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from khien.domain.control import Control, Severity
from khien.domain.finding import Finding, Verdict, VerdictCounts
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.packages import PackageChange
from khien.domain.run import Run
from khien.domain.standing import (
    AgencyStanding,
    Drift,
    Sheet,
    TrendPoint,
    drift_between,
    in_order,
    standing_of,
)

_SEVERITY_ORDER = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2, None: 3}


class Freshness(StrEnum):
    """How much a host's last verification is still worth."""

    FRESH = "fresh"
    STALE = "stale"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding beside the control it judges."""

    finding: Finding
    control: Control | None
    """None when the catalogue no longer has it."""

    @property
    def severity(self) -> Severity | None:
        """How much it matters; None when the catalogue no longer has the control."""
        return self.control.severity if self.control else None


@dataclass(frozen=True, slots=True)
class HostReport:
    """One host as the report shows it."""

    status: HostStatus
    freshness: Freshness
    age: timedelta | None
    """Since the last verification; None when there was none."""
    failed: tuple[Judged, ...] = ()
    """Most severe first."""
    unknown: tuple[Judged, ...] = ()
    waived: tuple[Judged, ...] = ()
    pending: tuple[PackageChange, ...] = ()
    held: tuple[str, ...] = ()

    @property
    def counts(self) -> VerdictCounts:
        """Controls by verdict; all zero when it was never verified."""
        seen = self.freshness is not Freshness.NEVER and self.status.counts
        return seen or VerdictCounts()

    @property
    def is_compliant(self) -> bool:
        """Verified lately, with controls that apply, and none of them failed or unknown."""
        counts = self.counts
        return (
            self.freshness is Freshness.FRESH
            and counts.applicable > 0
            and counts.failed == 0
            and counts.unknown == 0
        )

    @property
    def needs_words(self) -> bool:
        """Whether there is more to say about it than a row of a table can hold."""
        return bool(self.failed or self.unknown or self.waived or self.pending or self.held)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a group of hosts; `hosts` is the denominator of all that count hosts."""

    hosts: int = 0
    fresh: int = 0
    stale: int = 0
    never_verified: int = 0
    compliant: int = 0
    remembered: int = 0
    """Hosts that are no longer in the inventory; they stay in every denominator."""
    verdicts: VerdictCounts = field(default_factory=VerdictCounts)
    """Controls summed over the verified hosts, stale ones with what was last seen."""
    updates: int = 0
    """Pending security updates, summed over the hosts where they are known."""
    updates_hosts: int = 0
    """Hosts with pending security updates."""
    updates_known: int = 0
    """Hosts of which it is known whether any are pending."""
    reboot_hosts: int = 0
    reboot_known: int = 0

    @property
    def verified(self) -> int:
        """Hosts that were ever verified."""
        return self.fresh + self.stale


@dataclass(frozen=True, slots=True)
class AgencyFigures:
    """The figures of one agency."""

    agency: str
    """Slug; empty for hosts that the inventory gives to none."""
    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class ControlFigures:
    """How one control fares over all hosts."""

    control_id: str
    control: Control | None
    verdicts: VerdictCounts
    """Hosts by verdict."""

    @property
    def judged(self) -> int:
        """Hosts on which it could be judged: the denominator of the failing ones."""
        return self.verdicts.passed + self.verdicts.failed + self.verdicts.waived


@dataclass(frozen=True, slots=True)
class Past:
    """The verdicts of the report's hosts, now and before."""

    sheets: Mapping[str, Sheet] = field(default_factory=dict)
    """Of each host's last verification."""
    earlier: Mapping[str, Sheet] = field(default_factory=dict)
    """Of the one before it."""
    trend: tuple[TrendPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report shows, whatever its form."""

    generated_at: datetime
    stale_after: timedelta
    scope: str
    """What was asked for, in the words of the request; empty for the whole fleet."""
    totals: Figures
    agencies: tuple[AgencyFigures, ...]
    controls: tuple[ControlFigures, ...]
    """Those that fail somewhere first, by hosts failing."""
    hosts: tuple[HostReport, ...]
    runs: tuple[Run, ...] = ()
    standing: tuple[AgencyStanding, ...] = ()
    """Agencies by areas."""
    drifts: tuple[Drift, ...] = ()
    """What changed on each host since its verification before the last one; what became worse first."""
    trend: tuple[TrendPoint, ...] = ()
    """How all these hosts stood at the end of each day, the oldest first."""

    @property
    def failing_controls(self) -> tuple[ControlFigures, ...]:
        """Controls that fail on at least one host."""
        return tuple(c for c in self.controls if c.verdicts.failed)


def freshness(verified_at: datetime | None, now: datetime, stale_after: timedelta) -> Freshness:
    """Say how much a verification of that moment is still worth."""
    if verified_at is None:
        return Freshness.NEVER
    return Freshness.STALE if now - verified_at > stale_after else Freshness.FRESH


def report_host(
    status: HostStatus,
    detail: HostDetail | None,
    controls: Mapping[str, Control],
    *,
    now: datetime,
    stale_after: timedelta,
) -> HostReport:
    """Put together what a report shows of one host."""
    verified_at = status.verified_at if status.counts is not None else None
    findings = detail.findings if detail else ()
    return HostReport(
        status=status,
        freshness=freshness(verified_at, now, stale_after),
        age=max(now - verified_at, timedelta()) if verified_at else None,
        failed=_judged(findings, Verdict.FAIL, controls),
        unknown=_judged(findings, Verdict.UNKNOWN, controls),
        waived=_judged(findings, Verdict.WAIVED, controls),
        pending=detail.pending if detail else (),
        held=detail.held if detail else (),
    )


def build_report(
    fleet: Sequence[HostStatus],
    details: Mapping[str, HostDetail],
    controls: Mapping[str, Control],
    *,
    now: datetime,
    stale_after: timedelta,
    runs: Sequence[Run] = (),
    scope: str = "",
    past: Past | None = None,
) -> Report:
    """Work out the figures of these hosts.

    Args:
        fleet: the hosts that the report is about.
        details: by host name; a host without an entry is shown by its status alone.
        controls: by id.
        now: the moment the report is for.
        stale_after: the age from which a verification counts as stale.
        runs: the last runs, newest first.
        scope: what was asked for, in the words of the request.
        past: the verdicts of these hosts now and before.
    """
    past = past or Past()
    hosts = tuple(
        report_host(status, details.get(status.host.name), controls, now=now, stale_after=stale_after)
        for status in fleet
    )
    by_agency: dict[str, list[HostReport]] = {}
    for host in hosts:
        by_agency.setdefault(host.status.host.agency, []).append(host)
    return Report(
        generated_at=now,
        stale_after=stale_after,
        scope=scope,
        totals=sum_figures(hosts),
        agencies=tuple(
            AgencyFigures(agency, _agency_name(members), sum_figures(members))
            # Hosts of no agency come last: they are somebody's homework, not an agency.
            for agency, members in sorted(by_agency.items(), key=lambda item: (not item[0], item[0]))
        ),
        controls=_control_figures(
            (details[name] for h in hosts if (name := h.status.host.name) in details), controls
        ),
        hosts=hosts,
        runs=tuple(runs),
        standing=standing_of(
            (status.host for status in fleet),
            past.sheets,
            {control.id: control.area for control in controls.values()},
            stale_before=now - stale_after,
        ),
        drifts=in_order(
            drift
            for name in sorted(past.sheets.keys() & past.earlier.keys())
            for drift in drift_between(past.earlier[name], past.sheets[name])
        ),
        trend=past.trend,
    )


def sum_figures(hosts: Iterable[HostReport]) -> Figures:
    """Count a group of hosts."""
    members = tuple(hosts)
    statuses = tuple(member.status for member in members)
    by_freshness = {f: sum(m.freshness is f for m in members) for f in Freshness}
    pending = [s.pending_security for s in statuses if s.pending_security is not None]
    reboots = [s.reboot_needed for s in statuses if s.reboot_needed is not None]
    return Figures(
        hosts=len(members),
        fresh=by_freshness[Freshness.FRESH],
        stale=by_freshness[Freshness.STALE],
        never_verified=by_freshness[Freshness.NEVER],
        compliant=sum(member.is_compliant for member in members),
        remembered=sum(not status.in_inventory for status in statuses),
        verdicts=sum((m.counts for m in members), VerdictCounts()),
        updates=sum(pending),
        updates_hosts=sum(count > 0 for count in pending),
        updates_known=len(pending),
        reboot_hosts=sum(reboots),
        reboot_known=len(reboots),
    )


def _judged(
    findings: Iterable[Finding], verdict: Verdict, controls: Mapping[str, Control]
) -> tuple[Judged, ...]:
    chosen = (Judged(f, controls.get(f.control_id)) for f in findings if f.verdict is verdict)
    return tuple(sorted(chosen, key=lambda j: (_SEVERITY_ORDER[j.severity], j.finding.control_id)))


def _agency_name(members: Sequence[HostReport]) -> str:
    return next((m.status.host.agency_name for m in members if m.status.host.agency_name), "")


def _control_figures(
    details: Iterable[HostDetail], controls: Mapping[str, Control]
) -> tuple[ControlFigures, ...]:
    seen: dict[str, list[Finding]] = {}
    for detail in details:
        for finding in detail.findings:
            seen.setdefault(finding.control_id, []).append(finding)
    figures = (
        ControlFigures(control_id, controls.get(control_id), VerdictCounts.of(findings))
        for control_id, findings in seen.items()
    )
    return tuple(
        sorted(
            figures,
            key=lambda c: (
                -c.verdicts.failed,
                _SEVERITY_ORDER[c.control.severity if c.control else None],
                c.control_id,
            ),
        )
    )
