"""Controls that are excused somewhere, by somebody, until a day; never a pass, afterwards a failure again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from khien.domain.finding import Excuse, Finding, Verdict
from khien.domain.host import Host
from khien.domain.reason import ReasonCode

EXPIRING_DAYS = 30
"""How long before its end a waiver is warned of."""


class ScopeKind(StrEnum):
    """What a waiver is for."""

    HOST = "host"
    GROUP = "group"
    """A group of the inventory."""
    AGENCY = "agency"


class WaiverState(StrEnum):
    """Where a waiver stands on a day."""

    NOT_YET = "not_yet"
    """Issued for a later day."""
    ACTIVE = "active"
    EXPIRING = "expiring"
    """In effect, and near its end."""
    EXPIRED = "expired"
    REVOKED = "revoked"

    @property
    def in_effect(self) -> bool:
        """Whether it excuses anything."""
        return self in (WaiverState.ACTIVE, WaiverState.EXPIRING)


@dataclass(frozen=True, slots=True)
class Waiver:
    """One control excused on one scope."""

    id: str
    control: str
    kind: ScopeKind
    scope: str
    """Name of the host or group, or slug of the agency."""
    reason: str
    approver: str
    """Who takes responsibility for it."""
    issued: date
    expires: date
    """The last day on which it holds."""
    revoked: date | None = None
    file: str = ""
    """Where it is written; empty: nowhere yet."""
    line: int = 0

    @property
    def place(self) -> str:
        """Where it is written, as file and line."""
        return f"{self.file}:{self.line}" if self.file else ""

    def covers(self, host: Host) -> bool:
        """Whether a host lies in its scope."""
        match self.kind:
            case ScopeKind.HOST:
                return host.name == self.scope
            case ScopeKind.GROUP:
                return self.scope in host.groups
            case ScopeKind.AGENCY:
                return host.agency == self.scope

    def state(self, today: date) -> WaiverState:
        """Return where it stands on a day."""
        if self.revoked is not None and self.revoked <= today:
            return WaiverState.REVOKED
        if today < self.issued:
            return WaiverState.NOT_YET
        if today > self.expires:
            return WaiverState.EXPIRED
        near = today + timedelta(days=EXPIRING_DAYS) >= self.expires
        return WaiverState.EXPIRING if near else WaiverState.ACTIVE

    def days_left(self, today: date) -> int:
        """Return for how many more days it holds after this one; below zero: it has ended."""
        return (self.expires - today).days


def apply_waivers(findings: Sequence[Finding], waivers: Iterable[Waiver], today: date) -> tuple[Finding, ...]:
    """Return findings in which failures are waived where a waiver is in effect.

    Only a failure can be waived: what passed needs no excuse, and what nobody knows cannot be excused.
    A failure whose waiver has expired stays one, and says so.

    Args:
        findings: of one host.
        waivers: those whose scope covers it.
        today: the day of judging.
    """
    by_control: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        by_control.setdefault(waiver.control, []).append(waiver)
    return tuple(_excused(finding, by_control, today) for finding in findings)


def _excused(finding: Finding, waivers: Mapping[str, list[Waiver]], today: date) -> Finding:
    if finding.verdict is not Verdict.FAIL or finding.control_id not in waivers:
        return finding
    longest = sorted(
        waivers[finding.control_id], key=lambda waiver: (waiver.expires, waiver.id), reverse=True
    )
    for waiver in longest:
        if waiver.state(today).in_effect:
            return replace(finding, verdict=Verdict.WAIVED, reason=ReasonCode.WAIVED, excuse=_excuse(waiver))
    for waiver in longest:
        if waiver.state(today) is WaiverState.EXPIRED:
            return replace(finding, reason=ReasonCode.WAIVER_EXPIRED, excuse=_excuse(waiver))
    return finding


def _excuse(waiver: Waiver) -> Excuse:
    return Excuse(waiver.id, waiver.reason, waiver.approver, waiver.expires)
