"""Messages that lead from one screen to another."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from khien.domain.run import RunId


@dataclass
class HostRequested(Message):
    """Somebody wants to see a host."""

    name: str
    control_id: str = ""
    """The control whose finding is to be under the cursor."""


@dataclass
class AgencyRequested(Message):
    """Somebody wants to see the hosts of an agency."""

    agency: str
    agency_name: str


@dataclass
class RunRequested(Message):
    """Somebody wants to see a run."""

    run_id: RunId


@dataclass
class RunStarted(Message):
    """A run was started from here."""

    run_id: RunId


@dataclass
class LogRequested(Message):
    """Somebody wants to read what happened to a host in a run."""

    run_id: RunId

    host: str
