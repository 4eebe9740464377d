"""Security levels: which controls each demands, and the numbers that differ between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from khien.domain.control import Check, Control, Threshold
from khien.domain.host import Host, HostRole
from khien.domain.text import Bilingual

LEVELS = (1, 2, 3, 4, 5)


class Confidence(StrEnum):
    """How well it is known that a rule says what we say it says."""

    CONFIRMED = "confirmed"
    """Its official text was seen, or two independent sources agree."""
    THIRD_PARTY = "third_party"
    """One source that is not the issuer says so."""
    UNCONFIRMED = "unconfirmed"
    """From memory or by inference: shown as such, and never with a number of a clause."""
    OWN_CHOICE = "own_choice"
    """No rule says it; the project chose it and says so."""


@dataclass(frozen=True, slots=True)
class LevelValues:
    """A value that a host's level decides."""

    name: str
    title: Bilingual
    server: tuple[object, ...]
    """For levels 1 to 5."""
    workstation: tuple[object, ...]
    source: str
    confidence: Confidence

    def at(self, level: int, role: HostRole) -> object:
        """Return the value for a level."""
        return (self.server if role is HostRole.SERVER else self.workstation)[level - 1]


@dataclass(frozen=True, slots=True)
class Placement:
    """The lowest level that demands a control; None: no level does."""

    server: int | None
    workstation: int | None

    def lowest(self, role: HostRole) -> int | None:
        """Return the lowest level that demands it of such hosts."""
        return self.server if role is HostRole.SERVER else self.workstation


@dataclass(frozen=True, slots=True)
class Levels:
    """The security levels as data."""

    default_level: int
    """For hosts whose inventory names no level."""
    thresholds: Mapping[str, LevelValues] = field(default_factory=dict)
    placements: Mapping[str, Placement] = field(default_factory=dict)
    """By control id."""

    def level_of(self, host: Host) -> int:
        """Return the level a host is judged by."""
        return host.level if host.level in LEVELS else self.default_level

    def demands(self, control_id: str, level: int, role: HostRole) -> bool:
        """Whether a level demands a control. One that stands at no level is demanded: never quietly less."""
        placement = self.placements.get(control_id)
        if placement is None:
            return True
        lowest = placement.lowest(role)
        return lowest is not None and lowest <= level

    def baseline(self, controls: Iterable[Control], level: int, role: HostRole) -> tuple[Control, ...]:
        """Return the controls that a level demands, with the level's numbers in their expectations."""
        demanded = (control for control in controls if self.demands(control.id, level, role))
        return self.with_values(demanded, level, role)

    def with_values(self, controls: Iterable[Control], level: int, role: HostRole) -> tuple[Control, ...]:
        """Return controls with the level's numbers in their expectations, demanded or not."""
        return tuple(self._resolved(control, level, role) for control in controls)

    def _resolved(self, control: Control, level: int, role: HostRole) -> Control:
        checks = tuple(self._resolved_check(check, level, role) for check in control.checks)
        return control if checks == control.checks else replace(control, checks=checks)

    def _resolved_check(self, check: Check, level: int, role: HostRole) -> Check:
        expected = self.resolved(check.expected, level, role)
        return check if expected is check.expected else replace(check, expected=expected)

    def resolved(self, expected: object, level: int, role: HostRole) -> object:
        """Return an expectation with its thresholds replaced; an unknown threshold stays, and never holds."""
        if isinstance(expected, Threshold):
            values = self.thresholds.get(expected.name)
            return expected if values is None else values.at(level, role)
        if isinstance(expected, list) and any(isinstance(entry, Threshold) for entry in expected):
            return [self.resolved(entry, level, role) for entry in expected]
        return expected
