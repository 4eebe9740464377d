"""How hosts stand against the baseline, now and over time: sheets, drift, agencies by areas, trend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from khien.domain.finding import Verdict, VerdictCounts
from khien.domain.host import Host


@dataclass(frozen=True, slots=True)
class Sheet:
    """The verdicts of one host from one verification."""

    host: str
    at: datetime
    """When the host answered."""
    verdicts: Mapping[str, Verdict]
    """By control id."""


class DriftKind(StrEnum):
    """What a change of verdict means."""

    WORSE = "worse"
    """It is a failure now and was none."""
    BETTER = "better"
    """It passes now and did not."""
    UNSEEN = "unseen"
    """Nobody can say any more."""
    EXCUSED = "excused"
    """A waiver covers it now."""
    SCOPE = "scope"
    """The control came, went, or does not apply any more."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One control whose verdict on one host is not what it was."""

    host: str
    control_id: str
    was: Verdict | None
    """None: it was not demanded."""
    now: Verdict | None
    """None: it is not demanded any more."""
    was_at: datetime
    now_at: datetime

    @property
    def kind(self) -> DriftKind:
        """What it means."""
        if self.was is None or self.now is None:
            return DriftKind.WORSE if self.now is Verdict.FAIL else DriftKind.SCOPE
        return {
            Verdict.FAIL: DriftKind.WORSE,
            Verdict.PASS: DriftKind.BETTER,
            Verdict.UNKNOWN: DriftKind.UNSEEN,
            Verdict.WAIVED: DriftKind.EXCUSED,
            Verdict.NOT_APPLICABLE: DriftKind.SCOPE,
        }[self.now]


def drift_between(before: Sheet, after: Sheet) -> tuple[Drift, ...]:
    """Return what changed on a host from one verification to a later one, by control."""
    return tuple(
        Drift(after.host, control, was, now, before.at, after.at)
        for control in sorted({*before.verdicts, *after.verdicts})
        if (was := before.verdicts.get(control)) is not (now := after.verdicts.get(control))
    )


def in_order(drifts: Iterable[Drift]) -> tuple[Drift, ...]:
    """Put changes in order: what became worse first."""
    kinds = list(DriftKind)
    return tuple(sorted(drifts, key=lambda drift: (kinds.index(drift.kind), drift.host, drift.control_id)))


@dataclass(frozen=True, slots=True)
class AgencyStanding:
    """How an agency's hosts stand: each figure has its denominator."""

    agency: str
    agency_name: str
    hosts: int
    """Hosts of the inventory."""
    verified: int
    """Of them, those ever verified; the others are in no other figure, and so never compliant."""
    stale: int
    """Of the verified ones, those whose verification is too old."""
    counts: VerdictCounts
    areas: Mapping[str, VerdictCounts] = field(default_factory=dict)


def standing_of(
    hosts: Iterable[Host], sheets: Mapping[str, Sheet], area_of: Mapping[str, str], *, stale_before: datetime
) -> tuple[AgencyStanding, ...]:
    """Add up the sheets of each agency's hosts, by area; agencies in the order of their names.

    Args:
        hosts: the hosts of the inventory.
        sheets: the last sheet of each host that has one.
        area_of: the area of each control.
        stale_before: a verification before this moment is too old to rely on.
    """
    found = []
    for agency, name, own in by_agency(hosts):
        seen = [sheets[host.name] for host in own if host.name in sheets]
        tally = _Tally()
        for sheet in seen:
            tally.add(sheet, area_of)
        found.append(
            AgencyStanding(
                agency=agency,
                agency_name=name,
                hosts=len(own),
                verified=len(seen),
                stale=sum(sheet.at < stale_before for sheet in seen),
                counts=sum((counts for counts in tally.counts().values()), VerdictCounts()),
                areas=tally.counts(),
            )
        )
    return tuple(found)


def by_agency(hosts: Iterable[Host]) -> list[tuple[str, str, list[Host]]]:
    """Return each agency's slug, name and hosts, in the order of the names."""
    members: dict[str, list[Host]] = {}
    for host in hosts:
        members.setdefault(host.agency, []).append(host)
    named = [(agency, own[0].agency_name or agency, own) for agency, own in members.items()]
    return sorted(named, key=lambda one: (one[1], one[0]))


class _Tally:
    """Verdicts counted by area."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Verdict], int] = {}

    def add(self, sheet: Sheet, area_of: Mapping[str, str]) -> None:
        for control, verdict in sheet.verdicts.items():
            key = (area_of.get(control, ""), verdict)
            self._seen[key] = self._seen.get(key, 0) + 1

    def counts(self) -> dict[str, VerdictCounts]:
        areas = sorted({area for area, _verdict in self._seen})
        return {
            area: VerdictCounts(
                passed=self._seen.get((area, Verdict.PASS), 0),
                failed=self._seen.get((area, Verdict.FAIL), 0),
                waived=self._seen.get((area, Verdict.WAIVED), 0),
                not_applicable=self._seen.get((area, Verdict.NOT_APPLICABLE), 0),
                unknown=self._seen.get((area, Verdict.UNKNOWN), 0),
            )
            for area in areas
        }


@dataclass(frozen=True, slots=True)
class VerificationCounts:
    """How one verification of a host counted."""

    host: str
    at: datetime
    counts: VerdictCounts


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """How a group of hosts stood at the end of a day."""

    day: date
    verified: int
    """Hosts that had been verified by then, however long before."""
    counts: VerdictCounts


def trend_of(
    verifications: Sequence[VerificationCounts],
    hosts: frozenset[str],
    first: date,
    last: date,
    zone: tzinfo | None = None,
) -> tuple[TrendPoint, ...]:
    """Return how hosts stood on each day: what was last known of each at its end.

    Args:
        verifications: those up to the last day, in the order of time; earlier ones count as known.
        hosts: the hosts that count.
        first: the first day.
        last: the last day.
        zone: where a day begins and ends; None: where this machine stands.
    """
    known: dict[str, VerdictCounts] = {}
    points = []
    rows = iter(row for row in verifications if row.host in hosts)
    row = next(rows, None)
    total = VerdictCounts()
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        changed = False
        while row is not None and row.at.astimezone(zone).date() <= day:
            known[row.host] = row.counts
            changed = True
            row = next(rows, None)
        if changed:
            total = sum(known.values(), VerdictCounts())
        points.append(TrendPoint(day, len(known), total))
    return tuple(points)
