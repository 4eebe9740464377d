"""A managed machine, as the inventory describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class HostRole(StrEnum):
    """What a machine is there for."""

    SERVER = "server"
    WORKSTATION = "workstation"


@dataclass(frozen=True, slots=True)
class Host:
    """One managed machine."""

    name: str
    agency: str = ""
    """Slug of the agency that owns it; empty when the inventory does not say."""
    agency_name: str = ""
    site: str = ""
    """The network it stands in, reached by one relay."""
    role: HostRole = HostRole.SERVER
    level: int | None = None
    """Security level of its system, 1 to 5."""
    owner: str = ""
    window: str = ""
    """Name of its maintenance window."""
    groups: tuple[str, ...] = ()
    connection: Mapping[str, object] = field(default_factory=dict)
    """The ansible_* variables that say how it is reached (address, port, user, key, connection)."""

    @property
    def address(self) -> str:
        """The name or address that is dialled."""
        return str(self.connection.get("ansible_host") or self.name)

    @property
    def transport(self) -> str:
        """How it is reached: ssh, winrm, psrp or local."""
        return str(self.connection.get("ansible_connection") or "ssh").rsplit(".", 1)[-1]
