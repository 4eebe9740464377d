"""What dpkg has installed, read from its own status file."""

from __future__ import annotations

from typing import NamedTuple, Optional

from .machine import Machine

_STATUS = "/var/lib/dpkg/status"
_NOT_THERE = (b"not-installed", b"config-files")


class Package(NamedTuple):
    """One installed package."""

    name: str
    architecture: str
    version: str
    is_held: bool


def installed_packages(machine: Machine) -> list[Package]:
    """Return all packages that are on the host, whole or half done."""
    return machine.once("dpkg status", lambda: _read_status(machine))


def has_dpkg(machine: Machine) -> bool:
    """Whether the host keeps its packages with dpkg."""
    return machine.exists(_STATUS)


def field(paragraph: bytes, name: bytes) -> Optional[bytes]:
    """Return the first line of a field in a paragraph of a control file."""
    start = 0 if paragraph.startswith(name + b": ") else paragraph.find(b"\n" + name + b": ") + 1
    if start == 0 and not paragraph.startswith(name + b": "):
        return None
    start += len(name) + 2
    end = paragraph.find(b"\n", start)
    return paragraph[start : end if end >= 0 else len(paragraph)].strip()


def _read_status(machine: Machine) -> list[Package]:
    found = []
    for paragraph in (machine.data(_STATUS) or b"").split(b"\n\n"):
        name, version, status = (field(paragraph, key) for key in (b"Package", b"Version", b"Status"))
        if not name or not version or not status or status.endswith(_NOT_THERE):
            continue
        architecture = field(paragraph, b"Architecture") or b"all"
        held = status.startswith(b"hold ")
        found.append(Package(name.decode(), architecture.decode(), version.decode(), held))
    return found
