"""What a patch run does to a host's packages; schema `khien.patch/1`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SCHEMA = "khien.patch/1"


class ChangeKind(StrEnum):
    """What happens to a package."""

    UPGRADE = "upgrade"
    INSTALL = "install"
    """A new package that a security update depends on."""
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class PackageChange:
    """One package of a transaction."""

    name: str
    architecture: str
    from_version: str
    """Empty for a new package."""
    to_version: str
    """Empty for a removed package."""
    origin: str = ""
    """Where the new version comes from, such as Debian-Security."""
    kind: ChangeKind = ChangeKind.UPGRADE


@dataclass(frozen=True, slots=True)
class RebootNeed:
    """Whether a host must be restarted for its updates to take effect."""

    needed: bool
    reasons: tuple[str, ...] = ()
    """As the host says it: a newer kernel, packages named in reboot-required.pkgs …"""
    services: tuple[str, ...] = ()
    """Units that still run old code and need a restart."""


@dataclass(frozen=True, slots=True)
class PatchReport:
    """What one host said about its updates in one run."""

    stage: str
    """planned, started or finished."""
    changes: tuple[PackageChange, ...] = ()
    """Predicted when planned; what dpkg really did when finished."""
    held: tuple[str, ...] = ()
    """Packages with a security update that a hold keeps back."""
    kept_back: tuple[str, ...] = ()
    """Packages with a security update that apt would not install without removing something."""
    reboot: RebootNeed | None = None
    transaction: str = ""
    """Id of the transaction on the host: the run that started it."""
    problem: str = ""
    """Empty when all went well; else a code of khien.domain.reason."""
    problem_detail: str = ""
