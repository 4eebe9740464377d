"""What every screen is given: the console to talk to, the clock, and how often to look again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from khien.application.console import Console
from khien.application.overview import Overview
from tui.presenters.host_query import Moment


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks at the store."""

    live: float = 0.5
    """At a run that goes on."""
    slow: float = 2.0
    """At a run of very many hosts that goes on."""
    idle: float = 20.0
    """At everything else."""


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """What every screen works with."""

    console: Console
    overview: Overview
    stale_after: timedelta = timedelta(hours=48)
    now: Callable[[], datetime] = utc_now
    pace: Pace = field(default_factory=Pace)

    @property
    def moment(self) -> Moment:
        """The present, as filters and cells need it."""
        return Moment(self.now(), self.stale_after)
