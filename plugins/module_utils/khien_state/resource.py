"""What a resource of a role is: words that say how something shall be, and the plan that leads there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Optional, Sequence

from .system import System


@dataclass
class Change:
    """One thing that differs from what a control demands."""

    control: str
    kind: str
    thing: str
    before: str
    after: str

    def words(self) -> dict[str, str]:
        """Return it as it travels to the controller."""
        return dict(self.__dict__)


@dataclass
class Skip:
    """Something a control demands that is not done here, and why."""

    control: str
    kind: str
    thing: str
    why: str
    """absent, in_container or not_opted_in."""
    detail: str = ""

    def words(self) -> dict[str, str]:
        """Return it as it travels to the controller."""
        return dict(self.__dict__)


@dataclass
class Plan:
    """What one resource would do now. Empty changes: all is as it should be."""

    changes: list[Change] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    things: list[tuple[str, str]] = field(default_factory=list)
    """Kind and key of all that would be touched."""
    act: Optional[Callable[[], None]] = None
    packages: frozenset[str] = frozenset()
    """Packages that would be installed: what they bring may be planned before it exists."""


class BadWordsError(Exception):
    """A role's data is not as it must be."""


class Resource(ABC):
    """One resource: reads its words once, plans as often as asked."""

    kind = ""
    required: Sequence[str] = ()
    optional: Sequence[str] = ()

    def __init__(self, words: Mapping[str, Any]) -> None:
        self.words = words
        known = {*self.required, *self.optional, *COMMON}
        for name in words:
            if name not in known:
                raise BadWordsError(
                    "%s: %s is not known; known are: %s" % (self.kind, name, ", ".join(sorted(known)))
                )
        for name in self.required:
            if name not in words:
                raise BadWordsError("%s: %s is missing" % (self.kind, name))

    @property
    def actions(self) -> list[str]:
        """The actions that follow when it changed something."""
        return list(self.words.get("actions") or [])

    def waits_for(self, coming: frozenset[str]) -> bool:
        """Whether it speaks of what a package of the same task will bring."""
        return bool(self.words.get("from_package")) and self.words["from_package"] in coming

    @abstractmethod
    def plan(self, system: System, coming: frozenset[str]) -> Plan:
        """Return what differs now.

        Args:
            system: the host; it is only looked at.
            coming: packages that this task will have installed before.
        """


COMMON = frozenset(
    {"kind", "control", "only_on", "opted_in", "actions", "only_if", "from_package", "not_in_containers"}
)


def fitting(words: Mapping[str, Any], system: System) -> bool:
    """Whether words are meant for this system."""
    only = words.get("only_on")
    return not only or bool(set(only) & system.names)


def truth(value: object) -> bool:
    """Return what Ansible's data means by a truth value; a template yields text."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "on", "1")
    return bool(value)


def why_skipped(words: Mapping[str, Any], system: System, coming: frozenset[str]) -> Optional[str]:
    """Return why something that is meant for this system is left out, or None."""
    if not truth(words.get("opted_in", True)):
        return "not_opted_in"
    if truth(words.get("not_in_containers", False)) and system.in_container:
        return "in_container"
    needs = words.get("only_if")
    if needs and not system.exists(needs) and words.get("from_package") not in coming:
        return "absent"
    return None
