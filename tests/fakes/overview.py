"""The real overview over a made-up store: the province as it is, and as it was a day before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from khien.application.overview import Overview
from khien.domain.control import Control
from khien.domain.finding import Verdict, VerdictCounts
from khien.domain.host import Host
from khien.domain.standing import Sheet, VerificationCounts
from tests.fakes.console import FakeConsole
from tests.fakes.province import NOW


@dataclass(frozen=True)
class FakeFleet:
    """The ports of the overview over a fake console."""

    console: FakeConsole

    def now(self) -> datetime:
        return NOW

    def hosts(self, inventory: Sequence[str], limit: str = "") -> tuple[Host, ...]:
        return tuple(status.host for status in self.console.fleet() if limit in ("", status.host.name))

    def controls(self) -> tuple[Control, ...]:
        return tuple(self.console.controls().values())

    def sheets(self) -> Mapping[str, Sheet]:
        found = {}
        for name, detail in self.console.details.items():
            if detail.status.verified_at is not None:
                verdicts = {finding.control_id: finding.verdict for finding in detail.findings}
                found[name] = Sheet(name, detail.status.verified_at, verdicts)
        return found

    def earlier_sheets(self, before: datetime | None = None) -> Mapping[str, Sheet]:
        """Every third host passed everything a day before."""
        del before
        return {
            name: Sheet(name, sheet.at - timedelta(days=1), dict.fromkeys(sheet.verdicts, Verdict.PASS))
            for place, (name, sheet) in enumerate(sorted(self.sheets().items()))
            if place % 3 == 0
        }

    def counts_until(self, last: datetime) -> tuple[VerificationCounts, ...]:
        rows = [*self.earlier_sheets().values(), *self.sheets().values()]
        return tuple(
            VerificationCounts(sheet.host, sheet.at, _count(sheet))
            for sheet in sorted(rows, key=lambda sheet: sheet.at)
            if sheet.at <= last
        )


def _count(sheet: Sheet) -> VerdictCounts:
    verdicts = list(sheet.verdicts.values())
    return VerdictCounts(
        passed=verdicts.count(Verdict.PASS),
        failed=verdicts.count(Verdict.FAIL),
        waived=verdicts.count(Verdict.WAIVED),
        not_applicable=verdicts.count(Verdict.NOT_APPLICABLE),
        unknown=verdicts.count(Verdict.UNKNOWN),
    )


def make_overview(console: FakeConsole) -> Overview:
    """Make an overview of what a fake console knows."""
    fleet = FakeFleet(console)
    return Overview(fleet, fleet, fleet, fleet, (), 48)
