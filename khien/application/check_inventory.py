"""Checks an inventory: what its files say word for word, then what Ansible makes of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from khien.application.ports import InventorySource
from khien.domain.host import Host
from khien.errors import InputError, UsageError
from khien.i18n import _


class Severity(StrEnum):
    """Whether something must be put right."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it stands, and what was expected."""

    place: Place | None
    message: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class HostDefinition:
    """A host that a source names; ranges are spelled out."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class VariableDefinition:
    """A variable that a source gives to a host or a group."""

    owner: str
    is_of_host: bool
    name: str
    value: object
    """A scalar; an empty list or mapping stands for any list or mapping."""
    place: Place
    is_vaulted: bool = False
    is_unsafe: bool = False
    """Marked as text in which nothing is a template."""


@dataclass(frozen=True, slots=True)
class SourceContents:
    """What the files of an inventory say."""

    hosts: tuple[HostDefinition, ...] = ()
    variables: tuple[VariableDefinition, ...] = ()
    problems: tuple[Problem, ...] = ()
    not_read: tuple[Path, ...] = ()
    """Scripts, plugin configurations and vaulted files, whose words only Ansible sees."""


class SourceReader(Protocol):
    """Reads the files of an inventory with their line numbers, and judges them by the schema."""

    def read(self, inventory: Sequence[str]) -> SourceContents:
        """Return all that the static files say; what is wrong with their form or words is in its problems."""
        ...


@dataclass(frozen=True, slots=True)
class InventoryCheck:
    """The result of a check."""

    problems: tuple[Problem, ...]
    hosts: tuple[Host, ...]
    not_read: tuple[Path, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether nothing must be put right."""
        return not any(problem.severity is Severity.ERROR for problem in self.problems)


def check_inventory(
    reader: SourceReader, source: InventorySource, inventory: Sequence[str]
) -> InventoryCheck:
    """Check the files, and the hosts that Ansible makes of them."""
    contents = reader.read(inventory)
    problems = list(contents.problems)
    hosts: tuple[Host, ...] = ()
    try:
        hosts = source.hosts(inventory)
    except InputError as exc:
        place = Place(exc.path, exc.line or 1)
        # Ansible names files in full; what was said of the file already is said better.
        if not any(known.place and known.place.path.absolute() == place.path for known in problems):
            problems.append(Problem(place, exc.problem))
    except UsageError as exc:
        # When the files themselves are wrong, the line that this message does not know is named already.
        if not any(known.severity is Severity.ERROR for known in problems):
            problems.append(Problem(None, str(exc)))
    problems += _without_agency(hosts, contents)
    ordered = sorted(
        problems, key=lambda p: (p.place is None, *((str(p.place.path), p.place.line) if p.place else ()))
    )
    return InventoryCheck(tuple(ordered), hosts, contents.not_read)


def _without_agency(hosts: Sequence[Host], contents: SourceContents) -> list[Problem]:
    places = {definition.name: definition.place for definition in reversed(contents.hosts)}
    return [
        Problem(
            places.get(host.name),
            _(
                "The host {host} belongs to no agency: expected is khien_agency on it or on a group of it."
            ).format(host=host.name),
        )
        for host in hosts
        if not host.agency and host.transport != "local"
    ]
