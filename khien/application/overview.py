"""The fleet against the baseline, from the store alone: agencies by areas, what changed, and the trend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from khien.application.ports import Clock, ControlCatalogue, InventorySource
from khien.domain.host import Host
from khien.domain.standing import (
    AgencyStanding,
    Drift,
    Sheet,
    TrendPoint,
    VerificationCounts,
    by_agency,
    drift_between,
    standing_of,
    trend_of,
)


class StandingStore(Protocol):
    """Remembers the verdicts of each verification."""

    def sheets(self) -> Mapping[str, Sheet]:
        """Return the last sheet of every host that was ever verified."""
        ...

    def earlier_sheets(self, before: datetime | None = None) -> Mapping[str, Sheet]:
        """Return each host's sheet before its last one; with a moment, its last one until then."""
        ...

    def counts_until(self, last: datetime) -> tuple[VerificationCounts, ...]:
        """Return how every verification until a moment counted, in the order of time."""
        ...


@dataclass(frozen=True, slots=True)
class AgencyTrend:
    """How an agency's hosts stood, day by day."""

    agency: str
    agency_name: str
    hosts: int
    """Hosts of today's inventory: the denominator of each day's `verified`."""
    points: tuple[TrendPoint, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """Answers about the whole fleet; no host is asked."""

    store: StandingStore
    inventory: InventorySource
    catalogue: ControlCatalogue
    clock: Clock
    sources: Sequence[str]
    """The inventories, as for ansible's -i."""
    stale_after_hours: float

    def hosts(self, limit: str = "") -> tuple[Host, ...]:
        """Return the hosts of the inventory."""
        return self.inventory.hosts(self.sources, limit)

    def sheets(self) -> Mapping[str, Sheet]:
        """Return the verdicts of each host's last verification."""
        return self.store.sheets()

    def areas(self) -> Mapping[str, str]:
        """Return the area of each control."""
        return {control.id: control.area for control in self.catalogue.controls()}

    def standing(self, limit: str = "") -> tuple[AgencyStanding, ...]:
        """Return how each agency's hosts stand now."""
        stale_before = self.clock.now() - timedelta(hours=self.stale_after_hours)
        return standing_of(self.hosts(limit), self.sheets(), self.areas(), stale_before=stale_before)

    def drift(self, limit: str = "", since: datetime | None = None) -> tuple[Drift, ...]:
        """Return what changed on each host since its verification before the last one, or since a moment.

        A host with a single verification has nothing to be compared with and is not in it.
        """
        wanted = {host.name for host in self.hosts(limit)}
        now, before = self.store.sheets(), self.store.earlier_sheets(since)
        return tuple(
            drift
            for name in sorted(wanted & now.keys() & before.keys())
            for drift in drift_between(before[name], now[name])
        )

    def trend(self, days: int, limit: str = "") -> tuple[AgencyTrend, ...]:
        """Return how each agency stood at the end of each of the last days, today's included."""
        counts, first, last = self._since(days)
        return tuple(
            AgencyTrend(
                agency, name, len(own), trend_of(counts, frozenset(host.name for host in own), first, last)
            )
            for agency, name, own in by_agency(self.hosts(limit))
        )

    def trend_of_hosts(self, days: int, names: frozenset[str]) -> tuple[TrendPoint, ...]:
        """Return how these hosts together stood at the end of each of the last days."""
        counts, first, last = self._since(days)
        return trend_of(counts, names, first, last)

    def _since(self, days: int) -> tuple[tuple[VerificationCounts, ...], date, date]:
        now = self.clock.now()
        last = now.astimezone().date()
        return self.store.counts_until(now), last - timedelta(days=days - 1), last
