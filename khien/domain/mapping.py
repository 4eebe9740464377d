"""Which groups of a law or a standard a control gives evidence for, and how well that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from khien.domain.baseline import Confidence
from khien.domain.control import Control
from khien.domain.host import HostRole
from khien.domain.text import Bilingual


@dataclass(frozen=True, slots=True)
class MappingGroup:
    """One group of requirements, in our own words."""

    id: str
    """XT, x.5, 30.4.b."""
    title: Bilingual
    profiles: frozenset[HostRole]
    """The kinds of hosts it speaks of."""
    source: str
    confidence: Confidence
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Groups of other documents whose controls belong to this one, too."""

    def holds(self, control: Control, document: str) -> bool:
        """Whether a control names the group, or one that this group follows."""
        if self.id in control.references.get(document, ()):
            return True
        return any(
            not frozenset(groups).isdisjoint(control.references.get(other, ()))
            for other, groups in self.follows.items()
        )


@dataclass(frozen=True, slots=True)
class LegalMapping:
    """A law or a standard with its groups."""

    id: str
    """The key of a control's references: tcvn11930, tcvn14423, nd331."""
    document: str
    title: Bilingual
    valid_from: date | None
    """None: not known."""
    valid_to: date | None
    """None: still in force, as far as known."""
    source: str
    confidence: Confidence
    groups: tuple[MappingGroup, ...]

    def in_force(self, on: date) -> bool:
        """Whether it holds on a day, as far as known."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on <= self.valid_to
        )

    def groups_of(self, control: Control) -> tuple[MappingGroup, ...]:
        """Return the groups that a control gives evidence for."""
        return tuple(group for group in self.groups if group.holds(control, self.id))


def claims(
    control: Control, mappings: Iterable[LegalMapping]
) -> tuple[tuple[LegalMapping, MappingGroup], ...]:
    """Return every group of every document that a control gives evidence for."""
    return tuple((mapping, group) for mapping in mappings for group in mapping.groups_of(control))
