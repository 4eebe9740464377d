"""What leaves the house: every host of a scope with every finding, whatever the format it is written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from khien.application.report import Figures, Freshness, HostReport, Judged, report_host, sum_figures
from khien.application.wording import describe
from khien.domain.control import Control
from khien.domain.finding import Finding, Verdict
from khien.domain.fleet import HostDetail, HostStatus
from khien.domain.host import Host
from khien.domain.run import Reason, RunId
from khien.domain.text import safe_text

NEVER_VERIFIED = "never_verified"
"""Stands where a verdict stands, for a host on which nothing was ever judged."""


@dataclass(frozen=True, slots=True)
class ExchangeHost:
    """One host with everything that was judged on it."""

    report: HostReport
    judged: tuple[Judged, ...]
    """All findings, by control; empty when it was never verified."""
    run: RunId | None
    """The run that verified it last; None when there was none or it is no longer remembered."""

    @property
    def host(self) -> Host:
        """What the inventory says of it."""
        return self.report.status.host

    @property
    def verified_at(self) -> datetime | None:
        """When it was judged last; None when never."""
        return self.report.status.verified_at if self.report.freshness is not Freshness.NEVER else None

    @property
    def age_seconds(self) -> int | None:
        """How old the judgement is; None when there is none."""
        return int(self.report.age.total_seconds()) if self.report.age is not None else None


@dataclass(frozen=True, slots=True)
class Exchange:
    """Everything that an export holds."""

    generated_at: datetime
    """The one moment that is not from the store: it is given, so that equal stores give equal files."""
    stale_after: timedelta
    scope: str
    hosts: tuple[ExchangeHost, ...]
    """By name; those never verified are among them."""
    controls: tuple[Control, ...]
    """The controls that were judged on any of the hosts and are in the catalogue, by id."""
    totals: Figures

    def findings(self) -> Iterator[tuple[ExchangeHost, Judged]]:
        """Go through all findings, host by host."""
        for host in self.hosts:
            for judged in host.judged:
                yield host, judged


def build_exchange(
    fleet: Sequence[HostStatus],
    details: Mapping[str, HostDetail],
    controls: Mapping[str, Control],
    *,
    generated_at: datetime,
    stale_after: timedelta,
    scope: str = "",
) -> Exchange:
    """Put together what an export holds.

    Args:
        fleet: the hosts that it is about.
        details: by host name; a host without an entry was never seen.
        controls: by id.
        generated_at: the moment it is made for.
        stale_after: the age from which a verification counts as stale.
        scope: what was asked for, in the words of the request.
    """
    hosts = tuple(
        _host(status, details.get(status.host.name), controls, generated_at, stale_after)
        for status in sorted(fleet, key=lambda status: status.host.name)
    )
    used = {judged.finding.control_id for host in hosts for judged in host.judged}
    return Exchange(
        generated_at=generated_at,
        stale_after=stale_after,
        scope=scope,
        hosts=hosts,
        controls=tuple(controls[name] for name in sorted(used) if name in controls),
        totals=sum_figures(host.report for host in hosts),
    )


def _host(
    status: HostStatus,
    detail: HostDetail | None,
    controls: Mapping[str, Control],
    now: datetime,
    stale_after: timedelta,
) -> ExchangeHost:
    report = report_host(status, detail, controls, now=now, stale_after=stale_after)
    if report.freshness is Freshness.NEVER or detail is None:
        return ExchangeHost(report, (), None)
    findings = sorted(detail.findings, key=lambda finding: finding.control_id)
    run = next((entry.run for entry in detail.history if entry.counts is not None), None)
    return ExchangeHost(report, tuple(Judged(f, controls.get(f.control_id)) for f in findings), run)


def why(finding: Finding) -> str:
    """Say in one plain line what lies behind a finding: the reason, then what was seen and expected."""
    words = describe(Reason(finding.reason)) if finding.reason else ""
    detail = safe_text(finding.detail)
    if finding.verdict in (Verdict.PASS, Verdict.FAIL) and detail:
        return detail
    return " ".join(part for part in (safe_text(words), detail) if part)


def title_of(judged: Judged, language: str) -> str:
    """Return the title of what was judged; its id when the catalogue no longer has it."""
    control = judged.control
    return safe_text(control.title.in_language(language) if control else judged.finding.control_id)


def severity_of(judged: Judged) -> str:
    """Return the severity as a code; empty when the catalogue no longer has the control."""
    return judged.severity.value if judged.severity else ""
